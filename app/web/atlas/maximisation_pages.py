"""On the page of what maps look for: an image that is made to excite a map, beside the real ones."""

from dataclasses import dataclass
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from ...atlas.examples import Examples
from ...atlas.goals import Part
from ...atlas.layers import choose_layer
from ...atlas.maximisation import Maximisation, MaximisationRun, Picture
from ...atlas.patch_pictures import draw_patch
from ..run_bar import RunBar, tell
from ..templates import render
from .pages import AtlasQuery, AtlasRequest, AtlasRequestDep
from .runs import begin

router = APIRouter(prefix="/atlas/made", include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True)
class MadeView:
    """One image as the page shows it."""

    picture: Picture
    png: bytes
    words: str
    is_warning: bool = False  # it is shown as what to beware of


async def get_making(
    request: Request,
    asked: AtlasRequestDep,
    part: Annotated[Part, Query()] = Part.CELL,
    seed: Annotated[int, Query(ge=0, lt=1000)] = 0,
) -> MaximisationRun:
    """Return how an image is made for the map that the address names.

    Raises: NoMaps, UnknownLayer, and as the search for real digits does.
    """
    layer = choose_layer(asked.network, asked.query.layer)
    found = await (await begin(request, asked.run)).wait()
    return MaximisationRun(found, layer.name, asked.query.channel or 0, part, seed=seed)


MakingDep = Annotated[MaximisationRun, Depends(get_making)]


@router.get("")
async def show_made(request: Request, asked: AtlasRequestDep, making: MakingDep) -> Response:
    """Show the image if it is made already, else the run that makes it."""
    answer = await begin(request, making)
    context = await to_thread.run_sync(_make_context, asked, making, answer.remembered)
    return render(request, "_atlas_made.html", context)


@router.get("/run")
async def run_making(request: Request, asked: AtlasRequestDep, making: MakingDep) -> Response:
    """Make the image: a stream of fragments, first the progress, then the image beside the real one."""
    answer = await begin(request, making)

    def find_context(made: Maximisation) -> dict[str, Any]:
        return _make_context(asked, making, made)

    return await answer.stream(lambda computation: tell(computation, _bar(making), "_atlas_made.html", find_context))


@router.get("/none")
async def show_none(request: Request, asked: AtlasRequestDep) -> Response:
    """Show the button that makes an image, as before it was pressed."""
    return render(request, "_atlas_make.html", {"made_link": link_made(asked.query, asked.query.channel or 0)})


def _bar(making: MaximisationRun) -> RunBar:
    number = making.number
    return RunBar(making.total, "steps", id=f"made-progress-{number}", says=f"#made-{number}")


def _make_context(asked: AtlasRequest, making: MaximisationRun, made: Maximisation | None) -> dict[str, Any]:
    return {
        "asked": asked,
        "making": making,
        "layer": making.network.layer(making.layer),
        "parts": list(Part),
        "link": link_made(asked.query, making.number),
        "bar": _bar(making),
        "made": made,
        "views": _view(made) if made else [],
    }


def link_made(query: AtlasQuery, number: int) -> str:
    """Return the address's query for the image of a map."""
    return query.link(channel=number, order=None)


def _view(made: Maximisation) -> list[MadeView]:
    card = made.run.network.card
    patch = made.patch
    digit = f"{'an' if patch.label == 8 else 'a'} {patch.label}"
    what = digit if isinstance(made.run.found.examples, Examples) else patch.class_name

    def draw(picture: Picture, words: str, is_warning: bool = False) -> MadeView:
        return MadeView(picture, draw_patch(picture.image, card, picture.region), words, is_warning)

    return [
        draw(made.example, f"the best real one, {what}"),
        draw(made.made, "made"),
        draw(made.without_penalties, "made without penalties", True),
    ]
