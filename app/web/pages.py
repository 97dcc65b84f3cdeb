"""The pages, and the fragments that htmx swaps into them."""

from functools import cache
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.cnn.pooling import PoolingMode
from app.explorer import Exploration, explore, picture_of, see
from app.imaging import colormap as colormaps
from app.imaging.colormap import Colormap
from app.imaging.grid import Scale
from app.imaging.samples import FIRST, SAMPLES, draw_sample
from app.web.dependencies import (
    FormImageDep,
    FormLookDep,
    FormNetworkDep,
    LibraryDep,
    PoolingDep,
    QueryLookDep,
)
from app.web.templates import templates

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_CHOICES = {
    "poolings": list(PoolingMode),
    "colormaps": [colormap for colormap in Colormap if not colormap.diverging],
    "scales": list(Scale),
}


@router.get("/")
def show_explorer(
    request: Request,
    library: LibraryDep,
    look: QueryLookDep,
    model: Annotated[str | None, Query()] = None,
    pooling: Annotated[PoolingMode | None, Query()] = None,
) -> Response:
    """The explorer, with a digit already drawn and every layer of it on screen."""
    network = library.network(model) if model else library.default
    exploration = explore(see(_first_drawing(), network.card), network, pooling, look)
    context = _show(exploration) | {"library": library, "samples": SAMPLES, "first": FIRST, "look": look}
    return templates.TemplateResponse(request, "explorer.html", context)


@router.post("/exploration")
def post_exploration(
    request: Request, image: FormImageDep, network: FormNetworkDep, look: FormLookDep, pooling: PoolingDep = None
) -> Response:
    """Everything that the network made of the drawing: the answer and the layers."""
    exploration = explore(image, network, pooling, look)
    return templates.TemplateResponse(request, "_exploration.html", _show(exploration))


@router.get("/colormaps/{colormap}.png")
async def show_colormap(colormap: Annotated[Colormap, Path()]) -> Response:
    """A colour map's legend, from its lowest level to its highest."""
    headers = {"Cache-Control": "max-age=86400"}
    return Response(colormaps.legend(colormap), media_type="image/png", headers=headers)


@router.get("/docs")
async def show_api(request: Request) -> Response:
    """The API's description, to read and to try out, from our own files."""
    return templates.TemplateResponse(request, "docs.html")


def _show(exploration: Exploration) -> dict[str, object]:
    seen = picture_of(exploration.forward.image, exploration.network.card)
    return {"exploration": exploration, "network": exploration.network, "seen": seen, **_CHOICES}


@cache
def _first_drawing() -> bytes:
    return draw_sample(FIRST)
