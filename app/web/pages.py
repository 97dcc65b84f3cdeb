"""The pages, and the fragments that htmx swaps into them."""

from functools import cache
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse

from app.cnn.pooling import PoolingMode
from app.explorer import Exploration, draw_answer, draw_image, explore, see
from app.imaging import colormap as colormaps
from app.imaging.colormap import Colormap
from app.imaging.grid import Scale
from app.imaging.samples import FIRST, SAMPLES, draw_sample
from app.web.dependencies import (
    Choice,
    FormChoiceDep,
    FormImageDep,
    FormLookDep,
    LibraryDep,
    QueryChoiceDep,
    QueryLookDep,
)
from app.web.schemas import summarise_model
from app.web.templates import templates

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_CHOICES = {
    "poolings": list(PoolingMode),
    "colormaps": [colormap for colormap in Colormap if not colormap.diverging],
    "scales": list(Scale),
}


@router.get("/")
def show_explorer(request: Request, library: LibraryDep, choice: QueryChoiceDep, look: QueryLookDep) -> Response:
    """The explorer, with a digit already drawn and every layer of it on screen."""
    exploration = explore(see(_first_drawing(), choice.network.card), choice.network, choice.pooling, look)
    context = _show(exploration, choice) | {"library": library, "samples": SAMPLES, "first": FIRST, "look": look}
    return templates.TemplateResponse(request, "explorer.html", context)


@router.post("/exploration")
def post_exploration(request: Request, image: FormImageDep, choice: FormChoiceDep, look: FormLookDep) -> Response:
    """Everything that the network made of the drawing: the answer and the layers."""
    exploration = explore(image, choice.network, choice.pooling, look)
    return templates.TemplateResponse(request, "_exploration.html", _show(exploration, choice))


@router.get("/models")
def show_models(request: Request, library: LibraryDep) -> Response:
    """All models side by side: what they are, how large, and how well they read."""
    models = {network.name: summarise_model(network) for network in library}
    families = {tuple(model.siblings.values()) for model in models.values() if len(model.siblings) > 1}
    context = {
        "models": models.values(),
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


def _show(exploration: Exploration, choice: Choice) -> dict[str, object]:
    """What the explorer's fragments show."""
    network, forward = exploration.network, exploration.forward
    return {
        "exploration": exploration,
        "network": network,
        "choice": choice,
        "seen": draw_image(forward.image, network.card),
        "answer": draw_answer(forward) if network.answers_with_picture else None,
        **_CHOICES,
    }


@cache
def _first_drawing() -> bytes:
    return draw_sample(FIRST)
