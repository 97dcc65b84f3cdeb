"""The pages, and the fragments that htmx swaps into them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from ..atlas.layers import why_not
from ..cnn.edits import Edits
from ..cnn.network import ForwardPass, Network, UnknownLayer
from ..cnn.types import PoolingMode
from ..explore.comparison import accuracies, compare, pooled_layers
from ..explore.drawing_runs import DrawingRun
from ..explore.editing import find_editing, list_edits
from ..explore.exploration import PAGE_PICTURE, Exploration, RenderOptions, draw_answer, draw_image, explore
from ..explore.inspection import UnknownCell, find_place, inspect
from ..explore.microscope import view_inspections
from ..explore.overview import draw_overview
from ..imaging import colormap as colormaps
from ..imaging.colormap import Colormap, Scale
from ..imaging.drawing import SAMPLES
from ..lab.kernels import KERNELS, WORDS
from ..library.library import Library
from ..library.models import ModelState
from .class_names import fitting_names
from .computing import computes
from .formatting import ANSWERS, FITS
from .forms import (
    SAMPLE_PATTERN,
    CellSelection,
    DifferencesDep,
    InvertDep,
    LibraryDep,
    LiveRequestDep,
    ModelChoice,
    ModelChoiceDep,
    PageQueryDep,
    PageRequest,
    PageRequestDep,
    Theme,
)
from .layer_list import MAPS, UNITS, choose_compared, choose_ranges, draw_rail, is_large, list_all, list_drawn
from .live import find_places
from .pad import draw_first, first_drawing, inputs_context
from .reading_row import view_reading
from .schemas import ModelSummary, UnopenedModel, summarize_model
from .templates import answer_kind, render, render_text

_MAX_LISTED_LAYERS = 12  # of each model in the table of models
_COMPARED_COLUMNS = 8  # maps in a row of a grid, since three grids share the page's width

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

# By rows and columns: each with its words and its numbers.
_KNOWN_KERNELS = {
    size: [(WORDS[name], rows) for name, rows in KERNELS.items() if (len(rows), len(rows[0])) == size]
    for size in {(len(rows), len(rows[0])) for rows in KERNELS.values()}
}

_CHOICES = {
    "poolings": list(PoolingMode),
    "colormaps": [colormap for colormap in Colormap if not colormap.diverging],
    "scales": list(Scale),
    "signed_colormaps": {theme: theme.signed for theme in Theme},
}


@router.get("/")
def show_explorer(request: Request, query: PageQueryDep, choice: ModelChoiceDep) -> Response:
    """Show the explorer with a digit already drawn, and the first layers."""
    state = request.app.state
    run = DrawingRun(choice.network, first_drawing(query), choice.pooling, state.forward_passes, held=query.held or {})
    context = _exploration_context(run, choice, query.render_options, query.selection, shown=None)
    context["overview"] = draw_overview(choice.network, context["exploration"].forward, query.render_options)
    context |= _card_context(request, choice) | _row_context(request, choice)
    context |= inputs_context("explorer", choice, query)
    context |= {"library": state.library, "samples": SAMPLES, "first": query.sample}
    return render(request, "explorer.html", context | {"first_png": draw_first(query.sample)})


@router.post("/exploration")
@computes
def post_exploration(request: Request, page: PageRequestDep) -> Response:
    """Show the answer to the drawing and the layers on screen, with the microscope on one.

    The list of layers is left out if the page has it already.
    """
    return _show_exploration(request, page)


@router.post("/live")
@computes
def post_live(request: Request, page: LiveRequestDep) -> Response:
    """Answer a move of the pen with what it changes on the page, as JSON, or where that is not enough as /exploration.

    The form's fields come in the query, and the drawing is the body.
    """
    form, choice, forward = page.form, page.choice, page.run.forward()
    if form.selection or form.listed != _identify_list(choice, forward):
        return _show_exploration(request, page)
    network, options = choice.network, page.run.complete(form.render_options)
    exploration = explore(network, forward, options, choose_ranges(network, forward, form.shown, {}))
    if _left_out(exploration, form.shown) or any(view.is_difference for view in exploration.layers):
        return _show_exploration(request, page)
    overview = None if form.lean else draw_overview(network, forward, options)
    seen = draw_image(forward.image, network.card, PAGE_PICTURE)
    kind = answer_kind(exploration)
    is_same = kind == form.live != ""
    places = find_places(exploration, seen, overview, has_answer=is_same, has_numbers=not form.lean)
    answer: dict[str, Any] = {"kind": kind, "places": places}
    if not is_same:
        context = {"exploration": exploration, "network": network, "choice": choice, "seen": seen, "left_out": []}
        answer["answer"] = render_text("_answer.html", context | {"answer": _picture_of_answer(network, forward)})
    return Response(json.dumps(answer), media_type="application/json")


def _show_exploration(request: Request, page: PageRequest) -> Response:
    form, choice = page.form, page.choice
    context = _exploration_context(page.run, choice, form.render_options, form.selection, form.shown)
    context["region"] = page.run.region
    context["has_list"] = form.listed == context["listed"]
    if not (form.lean and context["has_list"]):
        context["overview"] = draw_overview(choice.network, context["exploration"].forward, form.render_options)
    if form.card_of != choice.model.name:  # the page shows another model's card
        context |= _card_context(request, choice) | {"sends_card": True}
    context |= inputs_context("explorer", choice, form) | _row_context(request, choice)
    row = context["row"]
    context["sends_row"] = form.row_of != (row.identity if row else None)
    return render(request, "_exploration.html", context)


@router.post("/microscope")
def post_microscope(request: Request, page: PageRequestDep) -> Response:
    """Show the microscope alone, on another cell of the same drawing."""
    form = page.form
    options = page.run.complete(form.render_options)
    choice = page.choice
    context = _microscope_context(choice.network, [page.run.forward()], form.selection, options, choice.edits)
    return render(request, "_microscope.html", context)


@router.get("/compare")
def show_compare(
    request: Request,
    query: PageQueryDep,
    choice: ModelChoiceDep,
    invert: Annotated[bool, Query()] = False,
    differences: Annotated[bool, Query()] = False,
) -> Response:
    """Show max, average and min pooling side by side, with a digit already drawn."""
    state, options = request.app.state, replace(query.render_options, columns=_COMPARED_COLUMNS)
    run = DrawingRun(choice.model, first_drawing(query), None, state.forward_passes, held=query.held or {})
    context = _comparison_context(run, state.library, options, query.selection, invert, differences)
    context |= inputs_context("compare", choice, query)
    context |= {"samples": SAMPLES, "first": query.sample, "first_png": draw_first(query.sample)}
    return render(request, "compare.html", context)


@router.post("/comparison")
def post_comparison(
    request: Request,
    library: LibraryDep,
    page: PageRequestDep,
    invert: InvertDep = False,
    differences: DifferencesDep = False,
) -> Response:
    """Show the drawing in the three pooling modes."""
    form = page.form
    context = _comparison_context(page.run, library, form.render_options, form.selection, invert, differences)
    context |= inputs_context("compare", page.choice, page.form)
    return render(request, "_comparison.html", context)


@router.post("/compared-cell")
def post_compared_cell(request: Request, page: PageRequestDep, invert: InvertDep = False) -> Response:
    """Show the microscope alone, on one cell of the same drawing in the three pooling modes."""
    form, network = page.form, page.run.network
    forwards = [page.run.run_in(mode, invert) for mode in PoolingMode] if network.pools else []
    context = _microscope_context(network, forwards, form.selection, form.render_options)
    return render(request, "_microscope.html", context)


@router.get("/models")
def show_models(request: Request, library: LibraryDep) -> Response:
    """Show all models side by side: what they are, how large, and how accurate."""
    listed = [summarize_model(library, entry) for entry in library]
    models = {each.name: each for each in listed if isinstance(each, ModelSummary)}
    families = {tuple(model.siblings.values()) for model in models.values() if len(model.siblings) > 1}
    context = {
        "models": models.values(),
        "unopened": [each for each in listed if isinstance(each, UnopenedModel)],
        "is_waiting": any(each.state is ModelState.WAITING for each in listed),
        "max_layers": _MAX_LISTED_LAYERS,
        "takes_models": request.app.state.settings.takes_models,
        "poolings": list(PoolingMode),
        "families": [[models[name] for name in names if name in models] for names in sorted(families)],
        "dense": models.get("five-layer-dense"),
        "convolutional": models.get("five-layer-convolutional"),
    }
    return render(request, "models.html", context)


@router.get("/colormaps/{colormap}.png")
async def show_colormap(colormap: Annotated[Colormap, Path()]) -> Response:
    """Draw a colour map's legend, from its lowest level to its highest."""
    headers = {"Cache-Control": "max-age=86400"}
    return Response(colormaps.legend(colormap), media_type="image/png", headers=headers)


@router.get("/samples/{digit}.png")
async def show_sample(digit: Annotated[str, Path(pattern=SAMPLE_PATTERN)]) -> Response:
    """Draw a sample digit, as the explorer's first answer and the lessons read it."""
    return Response(draw_first(digit), media_type="image/png", headers={"Cache-Control": "max-age=86400"})


@router.get("/docs")
async def show_api(request: Request) -> Response:
    """Show the API's description, to read and to try out, from our own files."""
    return render(request, "docs.html")


def _exploration_context(
    run: DrawingRun,
    choice: ModelChoice,
    options: RenderOptions,
    selection: CellSelection | None,
    shown: dict[str, int] | None,
) -> dict[str, Any]:
    network, forward = choice.network, run.forward()
    options = run.complete(options)
    panel = _microscope_context(network, [forward], selection, options, choice.edits)
    selected = {selection.layer: selection.channel} if selection and panel["panel"] else {}
    exploration = explore(network, forward, options, choose_ranges(network, forward, shown, selected))
    return {
        "exploration": exploration,
        "network": network,
        "choice": choice,
        "look": options,
        "made": list_edits(network, choice.edits),
        "listed": _identify_list(choice, forward),
        "entries": partial(list_all, exploration, options),
        "drawn": list_drawn(exploration, options),
        "left_out": _left_out(exploration, shown),
        "rail": partial(draw_rail, network),
        "is_large": is_large(network),
        "seen": draw_image(forward.image, network.card, PAGE_PICTURE),
        "answer": _picture_of_answer(network, forward),
        **_CHOICES,
        **panel,
    }


def _picture_of_answer(network: Network, forward: ForwardPass) -> bytes | None:
    return draw_answer(forward, network.lowest_answer) if network.answers_with_picture else None


def _left_out(exploration: Exploration, shown: dict[str, int] | None) -> list[str]:
    """Return the layers that the page asked for and that are not drawn, since the answer would be too large."""
    drawn = {view.layer.name for view in exploration.layers}
    known = {layer.name for layer in exploration.network.layers}
    return [name for name in shown or () if name in known - drawn]


def _identify_list(choice: ModelChoice, forward: ForwardPass) -> str:
    """Return what tells one list of layers from another."""
    network = choice.network
    parts = [choice.model.name, network.name, choice.weights, forward.pooling, forward.image.shape]
    parts += [str(choice.edits)] if choice.edits else []
    return " ".join(map(str, [*parts, network.card.input] if network.card.input else parts))


def _card_context(request: Request, choice: ModelChoice) -> dict[str, object]:
    state = request.app.state
    return {
        "entry": state.library.entry(choice.model.name),
        "takes_models": state.settings.takes_models,
        "fits": FITS,
        "usual_names": fitting_names(len(choice.model.card.classes)),
        "answers": ANSWERS,
    }


def _row_context(request: Request, choice: ModelChoice) -> dict[str, Any]:
    state = request.app.state
    entry = state.library.entry(choice.model.name)
    return {"row": view_reading(entry, choice.model.card), "takes_models": state.settings.takes_models}


def _comparison_context(
    run: DrawingRun,
    library: Library,
    options: RenderOptions,
    selection: CellSelection | None,
    invert: bool,
    differences: bool,
) -> dict[str, object]:
    """Return what the comparison's templates show; the comparison is None for a model without pooling."""
    network = run.network
    if options.scale is Scale.HOLD:  # the three columns have one scale anyhow
        options = replace(options, scale=Scale.LAYER)
    run_in = partial(run.run_in, invert=invert)
    compared = choose_compared(network)
    comparison = compare(network, run_in, options, differences, compared, MAPS, UNITS) if network.pools else None
    forwards = [column.forward for column in comparison.columns] if comparison else []
    forward = forwards[0] if forwards else run_in(None)
    return {
        "comparison": comparison,
        "left_out": len(pooled_layers(network)) - (len(comparison.columns[0].layers) if comparison else 0),
        "accuracies": accuracies(network, library),
        "network": network,
        "library": library,
        "image": forward.image,
        "reduction": forward.reduction,
        "regions": forward.regions,
        "region": run.region,
        "seen": draw_image(forward.image, network.card, PAGE_PICTURE),
        "look": options,
        "invert": invert,
        "differences": differences,
        **_CHOICES,
        "scales": [Scale.LAYER, Scale.MAP],
        **_microscope_context(network, forwards, selection, options),
    }


def _microscope_context(
    network: Network,
    forwards: Sequence[ForwardPass],
    selection: CellSelection | None,
    options: RenderOptions,
    edits: Edits | None = None,
) -> dict[str, Any]:
    """Return what the microscope shows of a cell in one forward pass, or in several side by side.

    Without row and column, the cell is the strongest one as trained. The panel is None if no cell is selected, or this
    model does not have it. edits: those that are made, where others can be.
    """
    if selection is None or not forwards:
        return {"panel": None}
    trained = next((each for each in forwards if each.pooling is network.card.pooling), forwards[0])
    try:
        layer = network.layer(selection.layer)
        place = find_place(trained, layer, selection.channel, selection.row, selection.column)
        inspections = [inspect(network, forward, layer, place) for forward in forwards]
    except (UnknownLayer, UnknownCell):
        return {"panel": None}
    panels = view_inspections(inspections, options, selection.everything)
    is_pooled = layer in pooled_layers(network)
    is_in_atlas = why_not(layer) is None and not network.card.takes_numbers
    context = {"panel": panels[0], "panels": panels, "is_pooled": is_pooled, "is_in_atlas": is_in_atlas}
    if edits is not None:
        channels = [term.channel for term in panels[0].terms]
        context["known_kernels"] = _KNOWN_KERNELS
        context["editing"] = find_editing(network, layer, inspections[0], edits, channels)
    return context | {"selection": selection, "network": network}
