"""The REST API of the real digits that are nearest to a drawing, as a layer sees them."""

from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field

from ...atlas.cloud import MOST, USUAL, Cloud, CloudRun
from ...atlas.layers import NoMaps
from ...cnn.types import Array, PoolingMode
from ...experiments.experiment import FEWEST
from ...explore.drawing_runs import DrawingRun
from ..api import json_response
from ..errors import POST_ERRORS, problem_responses
from ..forms import DrawingRunDep
from .cloud_pages import choose_cloud_layer
from .runs import begin

router = APIRouter(prefix="/api/models/{model}", tags=["atlas"])

_MOST_NEAREST = 100


class NearDigit(BaseModel):
    """A real digit, and how far from the drawing it lies."""

    digit: str = Field(description="Its name in the page's address, such as test-7.")
    label: int = Field(description="What the digit is.", ge=0, le=9)
    distance: float = Field(description="Euclidean, of the layer's values, along the directions that are kept.")


class NearestAnswer(BaseModel):
    """The real digits that are nearest to a drawing, as a layer sees them."""

    model: str
    layer: str
    pooling: PoolingMode | None
    digits: int = Field(description="Among which they were looked for.")
    directions: int = Field(description="Principal components of the layer's values, along which they were compared.")
    share: float = Field(description="Of the variance of these digits that lies along them, from 0 to 1.")
    point: list[float] = Field(description="Where the drawing lies in the cloud's plane: x, y.")
    nearest: list[NearDigit] = Field(description="The nearest first.")


@router.post("/nearest", response_model=NearestAnswer, responses=problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS)
async def post_nearest(
    request: Request,
    run: DrawingRunDep,
    layer: Annotated[
        str | None, Form(description="Whose values are compared. Default: the last one before the answer.")
    ] = None,
    digits: Annotated[
        int,
        Form(
            description=f"How many of MNIST's 10,000 test digits, {FEWEST} to {MOST}, evenly spread over all of them.",
            json_schema_extra={"minimum": FEWEST, "maximum": MOST},
        ),
    ] = USUAL,
    count: Annotated[int, Form(ge=1, le=_MOST_NEAREST, description="How many of the nearest.")] = 9,
) -> Response:
    """Find the real digits that are nearest to a drawing, as a layer sees them: by its values, not by pixels."""
    network = run.network
    chosen = network.layer(layer) if layer else choose_cloud_layer(network)
    forward = await to_thread.run_sync(run.forward)
    cloud = await (await begin(request, CloudRun(network, chosen, run.pooling, digits))).wait()
    return json_response(await to_thread.run_sync(_find, run, cloud, forward.activations[chosen.name], count))


def _find(run: DrawingRun, cloud: Cloud, activation: Array, count: int) -> NearestAnswer:
    if activation.size != cloud.mean.size:
        raise NoMaps(f"“{cloud.layer.name}” has other sizes for this drawing than for the digits.")
    place = cloud.place(activation)
    found, examples = cloud.nearest(place, count), cloud.examples
    nearest = [
        NearDigit(digit=examples.name(at), label=int(examples.labels[at]), distance=distance)
        for at, distance in zip(found.places.tolist(), found.distances.tolist(), strict=True)
    ]
    return NearestAnswer(
        model=run.network.name,
        layer=cloud.layer.name,
        pooling=run.network.mode_in_effect(run.pooling),
        digits=examples.count,
        directions=len(cloud.axes),
        share=cloud.share,
        point=place[:2].tolist(),
        nearest=nearest,
    )
