"""The pages, and the fragments that htmx swaps into them."""

from dataclasses import replace
from functools import cache, partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.cnn.network import ForwardPass, Network, UnknownLayer
from app.cnn.pooling import PoolingMode
from app.explore.comparison import accuracies, compare, pooled_layers
from app.explore.exploration import RenderOptions, draw_answer, draw_image, explore
from app.explore.inspection import UnknownCell, find_place, inspect
from app.explore.microscope import view_inspection
from app.hosting.admission import ADMITTED
from app.imaging import colormap as colormaps
from app.imaging.colormap import Colormap
from app.imaging.quantize import Scale
from app.imaging.samples import FIRST, SAMPLES, draw_sample
from app.library.entry import State
from app.library.library import Library
from app.web.computing import computes
from app.web.dependencies import (
    AddressDep,
    AskedDep,
    Choice,
    ChoiceDep,
    DifferencesDep,
    InvertDep,
    LibraryDep,
    Run,
    Selection,
)
from app.web.layer_list import MAPS, UNITS, choose_compared, choose_parts, draw_rail, is_large, list_all, list_shown
from app.web.schemas import ModelSummary, UnopenedModel, list_model
from app.web.templates import templates
from app.web.words import ANSWERS, FITS

_MAX_LISTED_LAYERS = 12  # of a model in the table of all
_COMPARED_COLUMNS = 8  # maps in a row of a grid: three grids share the page's width

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_CHOICES = {
    "poolings": list(PoolingMode),
    "colormaps": [colormap for colormap in Colormap if not colormap.diverging],
    "scales": list(Scale),
}


@router.get("/", dependencies=[ADMITTED])
def show_explorer(request: Request, address: AddressDep, choice: ChoiceDep) -> Response:
    """The explorer, with a digit already drawn and the first layers of it on screen."""
    state = request.app.state
    forward = state.forward_passes.run(choice.network, _first_drawing(), choice.pooling)
    context = _show(forward, choice, address.look, address.selection, shown=None)
    context |= _show_card(request, choice)
    context |= {"library": state.library, "samples": SAMPLES, "first": FIRST}
    return templates.TemplateResponse(request, "explorer.html", context)


@router.post("/exploration")
@computes
def post_exploration(request: Request, asked: AskedDep) -> Response:
    """What the network made of the drawing: the answer and the layers on screen, with the microscope on one.

    The list of layers is sent only where the page has another one.
    """
    form, choice = asked.form, asked.choice
    context = _show(asked.run(), choice, form.look, form.selection, form.shown)
    context["has_list"] = form.listed == context["listed"]
    if form.card_of != choice.model.name:  # the page shows another model's card
        context |= _show_card(request, choice) | {"sends_card": True}
    return templates.TemplateResponse(request, "_exploration.html", context)


@router.post("/microscope")
def post_microscope(request: Request, asked: AskedDep) -> Response:
    """The microscope alone, for another cell of the same drawing."""
    context = _show_panel(asked.choice.network, asked.run(), asked.form.selection, asked.form.look)
    return templates.TemplateResponse(request, "_microscope.html", context)


@router.get("/compare", dependencies=[ADMITTED])
def show_compare(
    request: Request,
    address: AddressDep,
    choice: ChoiceDep,
    invert: Annotated[bool, Query()] = False,
    differences: Annotated[bool, Query()] = False,
) -> Response:
    """Max, average and min pooling side by side, with a digit already drawn."""
    state, look = request.app.state, replace(address.look, columns=_COMPARED_COLUMNS)
    run = Run(choice.model, _first_drawing(), None, state.forward_passes)
    context = _show_comparison(run, state.library, look, invert, differences)
    return templates.TemplateResponse(request, "compare.html", context | {"samples": SAMPLES, "first": FIRST})


@router.post("/comparison")
def post_comparison(
    request: Request,
    library: LibraryDep,
    asked: AskedDep,
    invert: InvertDep = False,
    differences: DifferencesDep = False,
) -> Response:
    """What the three pooling modes make of the drawing."""
    context = _show_comparison(asked.run, library, asked.form.look, invert, differences)
    return templates.TemplateResponse(request, "_comparison.html", context)


@router.get("/models")
def show_models(request: Request, library: LibraryDep) -> Response:
    """All models side by side: what they are, how large, and how well they read."""
    listed = [list_model(library, entry) for entry in library]
    models = {each.name: each for each in listed if isinstance(each, ModelSummary)}
    families = {tuple(model.siblings.values()) for model in models.values() if len(model.siblings) > 1}
    context = {
        "models": models.values(),
        "unopened": [each for each in listed if isinstance(each, UnopenedModel)],
        "is_waiting": any(each.state is State.WAITING for each in listed),
        "max_layers": _MAX_LISTED_LAYERS,
        "takes_models": request.app.state.settings.takes_models,
        "poolings": list(PoolingMode),
        "families": [[models[name] for name in names if name in models] for names in sorted(families)],
        "dense": models.get("five-layer-dense"),
        "convolutional": models.get("five-layer-convolutional"),
    }
    return templates.TemplateResponse(request, "models.html", context)


@router.get("/colormaps/{colormap}.png")
async def show_colormap(colormap: Annotated[Colormap, Path()]) -> Response:
    """A colour map's legend, from its lowest level to its highest."""
    headers = {"Cache-Control": "max-age=86400"}
    return Response(colormaps.legend(colormap), media_type="image/png", headers=headers)


@router.get("/docs")
async def show_api(request: Request) -> Response:
    """The API's description, to read and to try out, from our own files."""
    return templates.TemplateResponse(request, "docs.html")


def _show(
    forward: ForwardPass, choice: Choice, look: RenderOptions, selection: Selection | None, shown: dict[str, int] | None
) -> dict[str, Any]:
    """What the explorer's fragments show."""
    network = choice.network
    panel = _show_panel(network, forward, selection, look)
    selected = {selection.layer: selection.channel} if selection and panel["panel"] else {}
    exploration = explore(network, forward, look, choose_parts(network, forward, shown, selected))
    return {
        "exploration": exploration,
        "network": network,
        "choice": choice,
        "look": look,
        "listed": f"{choice.model.name} {network.name} {choice.weights} {forward.pooling} {forward.image.shape}",
        "entries": partial(list_all, exploration, look),
        "drawn": list_shown(exploration, look),
        "rail": partial(draw_rail, network),
        "is_large": is_large(network),
        "seen": draw_image(forward.image, network.card),
        "answer": draw_answer(forward) if network.answers_with_picture else None,
        **_CHOICES,
        **panel,
    }


def _show_card(request: Request, choice: Choice) -> dict[str, object]:
    """What the page says of a model of a person's own, and lets be changed."""
    state = request.app.state
    return {
        "entry": state.library.entry(choice.model.name),
        "takes_models": state.settings.takes_models,
        "fits": FITS,
        "answers": ANSWERS,
    }


def _show_comparison(
    run: Run, library: Library, look: RenderOptions, invert: bool, differences: bool
) -> dict[str, object]:
    """What the comparison's fragments show; a model without pooling has none, which they say."""
    network = run.network
    run_in = partial(run.passes.run, network, run.drawing, invert=invert)
    compared = choose_compared(network)
    comparison = compare(network, run_in, look, differences, compared, MAPS, UNITS) if network.pools else None
    image = (comparison or run_in()).image
    return {
        "comparison": comparison,
        "left_out": len(pooled_layers(network)) - len(compared),
        "accuracies": accuracies(network, library),
        "network": network,
        "library": library,
        "image": image,
        "seen": draw_image(image, network.card),
        "look": look,
        "invert": invert,
        "differences": differences,
        **_CHOICES,
    }


def _show_panel(
    network: Network, forward: ForwardPass, selection: Selection | None, look: RenderOptions
) -> dict[str, Any]:
    """What the microscope shows; nothing where nothing is selected, or where this model has no such place."""
    if selection is None:
        return {"panel": None}
    try:
        layer = network.layer(selection.layer)
        place = find_place(forward.activations[layer.name], selection.channel, selection.row, selection.column)
        inspection = inspect(network, forward, layer, place)
    except (UnknownLayer, UnknownCell):
        return {"panel": None}
    panel = view_inspection(inspection, look, selection.everything)
    return {"panel": panel, "selection": selection, "network": network}


@cache
def _first_drawing() -> bytes:
    return draw_sample(FIRST)
