"""The page of two networks side by side."""

from dataclasses import replace
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from ...cnn.edits import Edits
from ...cnn.types import PoolingMode
from ...explore.differences import Side
from ...explore.drawing_runs import DrawingRun
from ...explore.exploration import PAGE_PICTURE, draw_image
from ...explore.prediction import predict
from ...imaging.drawing import SAMPLES
from ..forms import ModelChoice, ModelChoiceDep, PageQuery, PageQueryDep, PageRequestDep, edit_network, open_network
from ..pad import draw_first, first_drawing, inputs_context
from ..templates import render
from .remembered import compare

router = APIRouter(prefix="/differences", include_in_schema=False, default_response_class=HTMLResponse)


@router.get("")
async def show_differences(request: Request, query: PageQueryDep, choice: ModelChoiceDep) -> Response:
    """Show two networks side by side, with a digit already drawn."""
    state = request.app.state
    run = DrawingRun(choice.network, first_drawing(query), choice.pooling, state.forward_passes, held=query.held or {})
    says = (query.other, query.other_pooling, query.other_sample, query.edits, query.other_edits)
    if not any(says):  # another mode, so that there is something to see
        modes = (mode for mode in PoolingMode if mode not in {query.pooling, choice.network.card.pooling})
        query = query.model_copy(update={"other_pooling": next(modes)})
    return await _show(request, "differences.html", run, choice, query)


@router.post("")
async def post_differences(request: Request, page: PageRequestDep) -> Response:
    """Show how two networks answer the drawing, and where they part."""
    return await _show(request, "_differences.html", page.run, page.choice, page.form)


async def _show(request: Request, template: str, run: DrawingRun, choice: ModelChoice, query: PageQuery) -> Response:
    second = await _find_second(request, run, choice, query)
    return await to_thread.run_sync(_render, request, template, run, second, choice, query)


async def _find_second(request: Request, run: DrawingRun, choice: ModelChoice, query: PageQuery) -> DrawingRun:
    """Return the second side: by default the same model as trained, without the first one's edits, and its drawing."""
    name = choice.network.name
    other = await open_network(request, query.other or name)
    other = await edit_network(request, other, Edits.parse(query.other_edits))
    is_same = other.name == name
    return replace(
        run,
        network=other.drawing_into(choice.network.card.input) if is_same else other,
        drawing=draw_first(query.other_sample) if query.other_sample else run.drawing,
        region=None if query.other_sample else run.region,
        pooling=query.other_pooling,
        held=run.held if is_same else {},
    )


def _render(
    request: Request, template: str, run: DrawingRun, second: DrawingRun, choice: ModelChoice, query: PageQuery
) -> Response:
    sides = [Side(each.network, each.forward()) for each in (run, second)]
    options = query.render_options
    image = sides[0].forward.image
    context: dict[str, Any] = {
        "found": compare(request, sides[0], sides[1], options),
        "sides": sides,
        "predictions": [
            None if each.network.answers_with_picture else predict(each.network, each.forward) for each in sides
        ],
        "choice": choice,
        "query": query,
        "look": options,
        "image": image,
        "regions": sides[0].forward.regions,
        "region": run.region,
        "poolings": list(PoolingMode),
        "seen": draw_image(image, run.network.card, PAGE_PICTURE),
        "library": request.app.state.library,
        "samples": SAMPLES,
        "first": query.sample,
    }
    context |= inputs_context("differences", choice, query)
    return render(request, template, context | {"first_png": draw_first(query.sample)})
