"""The REST API of two networks side by side."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile

from ...cnn.edits import Edits
from ...cnn.types import PoolingMode
from ...explore.differences import Side
from ...explore.drawing_runs import DrawingRun
from ..api import json_response
from ..errors import POST_ERRORS, problem_responses
from ..forms import DrawingRunDep, edit_network, open_network
from .remembered import compare
from .schemas import DifferencesAnswer

router = APIRouter(prefix="/api/models/{model}", tags=["drawings"])


async def get_other_run(
    request: Request,
    run: DrawingRunDep,
    other: Annotated[str | None, Form(description="The second model's name. Default: the same model.")] = None,
    other_pooling: Annotated[
        PoolingMode | None, Form(description="The second one's pooling mode. Default: as it was trained.")
    ] = None,
    other_edits: Annotated[
        str, Form(description="Edits that are made in the second one, as “edits” are in the first. Default: none.")
    ] = "",
    other_drawing: Annotated[
        UploadFile | None, File(description="Another drawing for the second one. Default: the same drawing.")
    ] = None,
) -> DrawingRun:
    """Return what the second network is run on. Raises: UnknownModel, ModelError, InvalidEdit."""
    network = await open_network(request, other or run.network.name)
    network = await edit_network(request, network, Edits.parse(other_edits))
    drawing = run.drawing if other_drawing is None else await other_drawing.read()
    region = run.region if other_drawing is None else None
    held = run.held if network.name == run.network.name else {}
    network = network.drawing_into(run.network.card.input) if network.name == run.network.name else network
    return replace(run, network=network, drawing=drawing, pooling=other_pooling, region=region, held=held)


@router.post(
    "/differences",
    response_model=DifferencesAnswer,
    responses=problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS,
)
def post_differences(
    request: Request, run: DrawingRunDep, other: Annotated[DrawingRun, Depends(get_other_run)]
) -> Response:
    """Tell where two networks part: two models, pooling modes, files of one architecture, edits or drawings.

    Layers are paired in their order, by kind and shape. Of each pair it tells how far the activations are apart, and
    which weights differ.
    """
    first, second = (Side(each.network, each.forward()) for each in (run, other))
    return json_response(DifferencesAnswer.of(compare(request, first, second)))
