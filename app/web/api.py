"""The REST API: the service's functions as JSON, PNG and NPZ."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Path, Request, Response, UploadFile
from pydantic import BaseModel

from app.cnn.card import Card, write_card_text
from app.explore.comparison import accuracies, compare
from app.explore.exploration import Part, explore, feature_map_grid, feature_maps, layer_grid
from app.explore.inspection import Place, draw_kernels, inspect, kernel_of
from app.explore.prediction import predict
from app.imaging.npz import encode_npz
from app.web.attachment import attachment
from app.web.comparison import ComparisonAnswer, answer_comparison
from app.web.computing import computes
from app.web.dependencies import (
    DifferencesDep,
    DrawingDep,
    InvertDep,
    LayerDep,
    LibraryDep,
    ModelPath,
    NetworkDep,
    RenderOptionsDep,
    RunDep,
)
from app.web.errors import problem_responses
from app.web.inspection import InspectionAnswer, KernelAnswer, answer_inspection
from app.web.openapi import POST_ERRORS
from app.web.schemas import (
    FeatureMapsAnswer,
    ModelDetails,
    ModelSummary,
    PredictionSchema,
    UnopenedModel,
    answer_feature_maps,
    answer_prediction,
    detail_model,
    list_model,
)
from app.web.uploads import TakesModelsDep, add_model

_MODEL_UNUSABLE = problem_responses(HTTPStatus.NOT_FOUND)
_CHANGE_REFUSED = problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.INSUFFICIENT_STORAGE) | POST_ERRORS
_MODEL_REFUSED = problem_responses(HTTPStatus.INSUFFICIENT_STORAGE) | POST_ERRORS
_DRAWING_REFUSED = problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS


def _as_json(answer: BaseModel) -> Response:
    """Written where it was made; FastAPI would check it once more, and have a thread write it."""
    return Response(answer.model_dump_json(), media_type="application/json")


def _file(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {int(HTTPStatus.OK): {"description": "The file.", "content": content}}


router = APIRouter()

ChannelPath = Annotated[int, Path(description="The map's number, from 0.")]


@router.get("/api/models", tags=["models"])
def list_models(library: LibraryDep) -> list[ModelSummary | UnopenedModel]:
    """All models, the default one first: their cards, and of those that cannot be opened the reason."""
    return [list_model(library, entry) for entry in library]


@router.post("/api/models", tags=["models"], status_code=HTTPStatus.CREATED, responses=_MODEL_REFUSED)
async def post_model(
    request: Request,
    response: Response,
    library: LibraryDep,
    model: Annotated[UploadFile, File(description="A .keras, .h5 or .hdf5 file.")],
    _: TakesModelsDep,
) -> ModelSummary | UnopenedModel:
    """Open a model of your own. It is kept for as long as the server runs.

    Nothing in the file is run: it is checked, and opened by a process of its own with limits on memory and time.
    """
    entry = await add_model(library, model)
    response.headers["Location"] = f"{request.url_for('list_models').path}/{quote(entry.name, safe='')}"
    return list_model(library, entry)


@router.get("/api/models/{model}", tags=["models"], responses=_MODEL_UNUSABLE)
async def show_model(library: LibraryDep, network: NetworkDep) -> ModelDetails:
    """A model's card and its layers, in the order in which the data flows."""
    return detail_model(library.entry(network.name), network)


@router.delete(
    "/api/models/{model}",
    tags=["models"],
    status_code=HTTPStatus.NO_CONTENT,
    responses=_CHANGE_REFUSED,
)
def delete_model(library: LibraryDep, model: ModelPath, _: TakesModelsDep) -> None:
    """Forget an uploaded model."""
    library.remove(model)


@router.get("/api/models/{model}/card", tags=["models"], responses=_MODEL_UNUSABLE)
async def show_card(network: NetworkDep) -> Response:
    """A model's card, to save as NAME.json beside the model's file NAME.keras."""
    headers = {"Content-Disposition": attachment(f"{network.name}.json")}
    return Response(write_card_text(network.card), media_type="application/json", headers=headers)


@router.put("/api/models/{model}/card", tags=["models"], responses=_CHANGE_REFUSED)
def put_card(library: LibraryDep, model: ModelPath, card: Card, _: TakesModelsDep) -> Card:
    """Say what a model of your own sees and answers: kept for as long as the server runs, and not in your folder."""
    return library.write_card(model, card).card or card


@router.post(
    "/api/models/{model}/prediction",
    tags=["drawings"],
    response_model=PredictionSchema,
    responses=_DRAWING_REFUSED,
)
@computes
def post_prediction(run: RunDep) -> Response:
    """Which class the network says the drawing is."""
    return _as_json(answer_prediction(predict(run.network, run.network.run(run.see(), run.pooling))))


@router.post(
    "/api/models/{model}/feature-maps",
    tags=["drawings"],
    response_model=FeatureMapsAnswer,
    responses=_DRAWING_REFUSED,
)
@computes
def post_feature_maps(
    run: RunDep,
    look: RenderOptionsDep,
    layers: Annotated[
        list[str] | None, Form(description="The names of the layers that are wanted; repeat the field for several.")
    ] = None,
) -> Response:
    """The prediction, and the feature maps of every convolution and pooling layer as a PNG grid, or of those named."""
    network = run.network
    wanted = [network.layer(name) for name in dict.fromkeys(layers)] if layers else network.feature_map_layers
    return _as_json(answer_feature_maps(explore(network, run(), look, map(feature_maps, wanted))))


@router.post(
    "/api/models/{model}/comparison",
    tags=["drawings"],
    response_model=ComparisonAnswer,
    responses=_DRAWING_REFUSED,
)
def post_comparison(
    request: Request,
    network: NetworkDep,
    library: LibraryDep,
    drawing: DrawingDep,
    look: RenderOptionsDep,
    invert: InvertDep = False,
    differences: DifferencesDep = False,
) -> Response:
    """Max, average and min pooling side by side: predictions, accuracies, and every layer from the first pooling on."""
    run = partial(request.app.state.forward_passes.run, network, drawing, invert=invert)
    comparison = compare(network, run, look, differences)
    return _as_json(answer_comparison(comparison, accuracies(network, library), invert))


@router.post(
    "/api/models/{model}/layers/{layer}/feature-maps.png",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | _file("image/png"),
)
@computes
def post_grid(
    layer: LayerDep,
    run: RunDep,
    look: RenderOptionsDep,
    first: Annotated[int, Form(ge=0, description="The number of the first map in the picture.")] = 0,
    count: Annotated[int | None, Form(ge=1, description="How many maps at most; default: all from the first.")] = None,
) -> Response:
    """The feature maps of one layer as a PNG grid, one pixel an activation, on the colour scale of all of them."""
    return Response(layer_grid(run(), Part(layer, first, count), look).png, media_type="image/png")


@router.post(
    "/api/models/{model}/layers/{layer}/feature-maps/{channel}.png",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | _file("image/png"),
)
@computes
def post_feature_map(
    layer: LayerDep,
    channel: ChannelPath,
    run: RunDep,
    look: RenderOptionsDep,
) -> Response:
    """One feature map as a PNG, one pixel an activation, in the colours that it has in its layer's grid."""
    grid = feature_map_grid(run(), layer, channel, look)
    return Response(grid.png, media_type="image/png")


@router.post(
    "/api/models/{model}/activations.npz",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | _file("application/zip"),
)
def post_activations(run: RunDep) -> Response:
    """Every layer's float32 activation under its name, with `input` and `probabilities`, for numpy.load."""
    forward = run()
    arrays = forward.activations | {"input": forward.image, "probabilities": forward.output}
    name = f"{run.network.name}-{forward.pooling or 'activations'}.npz"
    headers = {"Content-Disposition": attachment(name)}
    return Response(encode_npz(arrays), media_type="application/zip", headers=headers)


@router.post(
    "/api/models/{model}/layers/{layer}/feature-maps/{channel}/cells/{row},{column}",
    tags=["microscope"],
    response_model=InspectionAnswer,
    responses=_DRAWING_REFUSED,
)
def post_cell(
    layer: LayerDep,
    channel: ChannelPath,
    row: Annotated[int, Path(description="From 0, top to bottom; 0 in a vector.")],
    column: Annotated[int, Path(description="From 0, left to right; in a vector, the unit.")],
    run: RunDep,
) -> Response:
    """Where one value comes from: inputs, kernel, partial sums, bias, activation function, receptive field.

    A vector, such as a dense layer's output, is channel 0 and row 0.
    """
    return _as_json(answer_inspection(inspect(run.network, run(), layer, Place(channel, row, column))))


@router.get(
    "/api/models/{model}/layers/{layer}/kernels/{channel}.png",
    tags=["microscope"],
    response_class=Response,
    responses=_MODEL_UNUSABLE | _file("image/png"),
)
async def show_kernel_picture(network: NetworkDep, layer: LayerDep, channel: ChannelPath) -> Response:
    """The kernels of one feature map side by side, one pixel a weight: blue below zero, red above, dark at zero."""
    return Response(draw_kernels(kernel_of(network, layer, channel)).png, media_type="image/png")


@router.get("/api/models/{model}/layers/{layer}/kernels/{channel}", tags=["microscope"], responses=_MODEL_UNUSABLE)
async def show_kernel(network: NetworkDep, layer: LayerDep, channel: ChannelPath) -> KernelAnswer:
    """The weights of one feature map of a convolution: one kernel an input channel, and the bias."""
    kernel = kernel_of(network, layer, channel)
    return KernelAnswer(
        model=network.name,
        layer=layer.name,
        channel=channel,
        input_channels=list(kernel.input_channels),
        kernels=kernel.kernels.tolist(),
        bias=kernel.bias,
    )
