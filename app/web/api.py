"""The REST API: the service's functions as JSON, PNG and NPZ."""

import io
from http import HTTPStatus
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Response

from app import __version__
from app.explorer import explore, feature_map_grid, layer_grid, predict
from app.web.dependencies import ImageDep, LayerDep, LibraryDep, LookDep, NetworkDep, PoolingDep
from app.web.errors import problem_responses
from app.web.schemas import (
    FeatureMapsAnswer,
    Health,
    ModelDetails,
    ModelSummary,
    PredictionSchema,
    answer_feature_maps,
    answer_prediction,
    detail_model,
    summarise_model,
)

_NOT_FOUND = problem_responses(HTTPStatus.NOT_FOUND)
_DRAWING_REFUSED = problem_responses(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


def _file(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {int(HTTPStatus.OK): {"description": "The file.", "content": content}}


router = APIRouter()


@router.get("/health", tags=["app"])
async def health() -> Health:
    """The app is ready to answer: every network is loaded and has run once."""
    return Health(status="ready", version=__version__)


@router.get("/api/models", tags=["models"])
async def list_models(library: LibraryDep) -> list[ModelSummary]:
    """The cards of all models, the default one first."""
    return [summarise_model(network) for network in library]


@router.get("/api/models/{model}", tags=["models"], responses=_NOT_FOUND)
async def show_model(network: NetworkDep) -> ModelDetails:
    """A model's card and its layers, in the order in which the data flows."""
    return detail_model(network)


@router.post("/api/models/{model}/prediction", tags=["drawings"], responses=_DRAWING_REFUSED)
def post_prediction(network: NetworkDep, image: ImageDep, pooling: PoolingDep = None) -> PredictionSchema:
    """Which class the network says the drawing is."""
    return answer_prediction(predict(network, network.run(image, pooling)))


@router.post("/api/models/{model}/feature-maps", tags=["drawings"], responses=_DRAWING_REFUSED)
def post_feature_maps(
    network: NetworkDep, image: ImageDep, look: LookDep, pooling: PoolingDep = None
) -> FeatureMapsAnswer:
    """The prediction, and every convolution and pooling layer's feature maps as a PNG grid."""
    return answer_feature_maps(explore(image, network, pooling, look, network.feature_map_layers))


@router.post(
    "/api/models/{model}/layers/{layer}/feature-maps.png",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | _file("image/png"),
)
def post_grid(
    network: NetworkDep, layer: LayerDep, image: ImageDep, look: LookDep, pooling: PoolingDep = None
) -> Response:
    """All feature maps of one layer as a PNG grid, one pixel an activation."""
    return Response(layer_grid(network.run(image, pooling), layer, look).png, media_type="image/png")


@router.post(
    "/api/models/{model}/layers/{layer}/feature-maps/{channel}.png",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | _file("image/png"),
)
def post_feature_map(
    network: NetworkDep,
    layer: LayerDep,
    channel: Annotated[int, Path(description="The map's number, from 0.")],
    image: ImageDep,
    look: LookDep,
    pooling: PoolingDep = None,
) -> Response:
    """One feature map as a PNG, one pixel an activation, in the colours that it has in its layer's grid."""
    grid = feature_map_grid(network.run(image, pooling), layer, channel, look)
    return Response(grid.png, media_type="image/png")


@router.post(
    "/api/models/{model}/activations.npz",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | _file("application/zip"),
)
def post_activations(network: NetworkDep, image: ImageDep, pooling: PoolingDep = None) -> Response:
    """Every layer's float32 activation under its name, with `input` and `probabilities`, for numpy.load."""
    forward = network.run(image, pooling)
    arrays = forward.activations | {"input": forward.image, "probabilities": forward.output}
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    name = f"{network.name}-{forward.pooling or 'activations'}.npz"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(file.getvalue(), media_type="application/zip", headers=headers)
