"""The REST API: the services as JSON, PNG, NPZ and CSV."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, HTTPException, Path, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, TypeAdapter

from ..cnn.card import Card, write_card_text
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..explore.activations import encode_activations
from ..explore.comparison import accuracies, compare
from ..explore.exploration import MapRange, all_maps, draw_feature_map, draw_layer, explore, read_map
from ..explore.inspection import Place, draw_kernels, feature_map_kernel, inspect
from ..explore.network_picture import draw_network
from ..explore.prediction import Prediction, predict
from ..hosting.admission import ADMITTED
from ..imaging.drawing import show_picture
from ..imaging.encoding import stream_csv, stream_enlarged
from ..library.files import Origin
from .computing import computes
from .errors import POST_ERRORS, problem_responses
from .forms import (
    DifferencesDep,
    DrawingRunDep,
    InvertDep,
    LayerDep,
    LibraryDep,
    MapOptionsDep,
    ModelPath,
    NetworkDep,
    PictureFileDep,
    RegionDep,
    RenderOptionsDep,
    RunLayerDep,
    TrainedRunDep,
    ZoomField,
    find_readings,
)
from .parts import SMALL_ANSWER, Pictures
from .schemas import (
    CardFields,
    ComparisonAnswer,
    FeatureMapsAnswer,
    InspectionAnswer,
    KernelAnswer,
    ModelDetails,
    ModelSummary,
    PngEncoder,
    ReadingsAnswer,
    UnopenedModel,
    describe_model,
    summarize_model,
    write_base64,
)
from .uploads import TakesModelsDep, add_model

_MODEL_UNUSABLE = problem_responses(HTTPStatus.NOT_FOUND)
_CHANGE_REFUSED = problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.INSUFFICIENT_STORAGE) | POST_ERRORS
_MODEL_REFUSED = problem_responses(HTTPStatus.INSUFFICIENT_STORAGE) | POST_ERRORS
_DRAWING_REFUSED = problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS
MOST_PIXELS = 48_000_000  # of a picture
_MOST_OF_ALL = 32_000_000  # of all pictures of an answer, which are in memory together
_PREDICTION = TypeAdapter(Prediction)


def json_response(answer: BaseModel | Prediction) -> Response:
    """Serialize an answer here and now: FastAPI would validate it again, in another thread."""
    # As bytes: the text of an answer may be large, and would be encoded as a second copy.
    serializer = _PREDICTION.serializer if isinstance(answer, Prediction) else type(answer).__pydantic_serializer__
    return Response(serializer.to_json(answer), media_type="application/json")


def _pictures_response(pngs: Iterable[bytes], describe: Callable[[PngEncoder], BaseModel]) -> Response:
    """Serialize an answer with these pictures; large ones are put in while it is sent."""
    if sum(map(len, pngs)) <= SMALL_ANSWER:
        return json_response(describe(write_base64))
    pictures = Pictures()
    return pictures.put_into(describe(pictures.leave_out))


def png_response(png: bytes, zoom: int) -> Response:
    """Return a picture with each of its pixels `zoom` times in both directions, made while it is sent."""
    if zoom == 1:
        return Response(png, media_type="image/png")
    return StreamingResponse(stream_enlarged(png, zoom), media_type="image/png")


def attachment(filename: str) -> dict[str, str]:
    """Return the header for a response to be saved as a file of any name (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", filename)
    exact = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return {"Content-Disposition": f'attachment; filename="{plain}"{exact}'}


def file_response(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {int(HTTPStatus.OK): {"description": "The file.", "content": content}}


router = APIRouter()

_LAMBDAS = (
    "What the model's Lambda layers compute, as JSON, by their names, since their code is never run. Either scale and "
    'offset, numbers or lists with one for each channel: {"lambda": {"scale": 0.003921569, "offset": 0}}; with or '
    'without them the channels, in another order before: {"lambda": {"channels": "reversed"}}. Or a layer of Keras '
    "without weights: "
    '{"lambda": {"layer": "Resizing", "settings": {"height": 64, "width": 64}}}; Identity changes nothing.'
)
LayerNames = Annotated[
    list[str] | None, Form(description="The names of the layers that are wanted; repeat the field for several.")
]
ChannelPath = Annotated[int, Path(description="The map's number, from 0.")]


@router.get("/api/models", tags=["models"])
def list_models(library: LibraryDep) -> list[ModelSummary | UnopenedModel]:
    """List all models, the default one first: their cards, or why one cannot be opened."""
    return [summarize_model(library, entry) for entry in library]


@router.post(
    "/api/models",
    tags=["models"],
    status_code=HTTPStatus.CREATED,
    responses=_MODEL_REFUSED,
    form_limits={"max_files": 1},
)
async def post_model(
    request: Request,
    response: Response,
    library: LibraryDep,
    model: Annotated[UploadFile, File(description="A .keras, .h5 or .hdf5 file, or a .zip of one with its labels.")],
    _: TakesModelsDep,
    lambdas: Annotated[str, Form(description=_LAMBDAS)] = "",
) -> ModelSummary | UnopenedModel:
    """Upload a model. The server keeps it until it stops.

    Nothing in the file is executed: a sandboxed process with limits on memory and time checks and opens it. A model
    with Lambda layers opens where `lambdas` says what they compute; without that, the problem names them in its own
    `lambdas`.
    """
    entry = await add_model(library, model, lambdas)
    response.headers["Location"] = f"{request.url_for('list_models').path}/{quote(entry.name, safe='')}"
    return summarize_model(library, entry)


@router.post(
    "/api/picture.png", tags=["pictures"], response_class=Response, responses=file_response("image/png") | POST_ERRORS
)
def post_picture(picture: PictureFileDep) -> Response:
    """Show how a picture is read, upright and in 8 bits a channel: for a browser that cannot show it itself.

    More than 2,048 pixels a side are reduced by a whole factor.
    """
    return Response(show_picture(picture.data, picture.limits), media_type="image/png")


@router.get("/api/models/{model}", tags=["models"], responses=_MODEL_UNUSABLE)
async def show_model(library: LibraryDep, network: NetworkDep) -> ModelDetails:
    """Show a model's card and its layers, in the order in which data flows."""
    return describe_model(library.entry(network.name), network)


@router.delete("/api/models/{model}", tags=["models"], status_code=HTTPStatus.NO_CONTENT, responses=_CHANGE_REFUSED)
def delete_model(library: LibraryDep, model: ModelPath, _: TakesModelsDep) -> None:
    """Delete an uploaded model."""
    library.remove(model)


@router.get("/api/models/{model}/card", tags=["models"], responses=_MODEL_UNUSABLE)
async def show_card(network: NetworkDep) -> Response:
    """Download a model's card, to save as NAME.json beside the model's file NAME.keras."""
    headers = attachment(f"{network.name}.json")
    return Response(write_card_text(network.card), media_type="application/json", headers=headers)


@router.get(
    "/api/models/{model}/file",
    tags=["models"],
    response_class=Response,
    responses=file_response("application/octet-stream") | problem_responses(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND),
)
def show_file(library: LibraryDep, model: ModelPath) -> Response:
    """Download the file of a model that came with Layerglass, to open it with Keras."""
    file = library.entry(model).file
    if file.origin is not Origin.BUILT_IN:  # an uploaded one is its owner's
        raise HTTPException(
            HTTPStatus.FORBIDDEN, f"“{model}” did not come with Layerglass, so its file stays where it is."
        )
    headers = attachment(file.path.name)
    return Response(file.path.read_bytes(), media_type="application/octet-stream", headers=headers)


@router.put("/api/models/{model}/card", tags=["models"], responses=_CHANGE_REFUSED)
def put_card(library: LibraryDep, model: ModelPath, fields: CardFields, _: TakesModelsDep) -> Card:
    """Change the card of a model of your own. It is not saved in your folder, and lasts until the server stops.

    Send all of a card's fields or some, `{"value_range": [0, 255]}`: the others stay as they are.
    """
    library.write_card(model, fields)
    return library.card(model)


@router.get("/api/models/{model}/readings", tags=["models"], responses=_MODEL_UNUSABLE)
async def show_readings(request: Request, library: LibraryDep, network: NetworkDep) -> ReadingsAnswer:
    """Show how a model of your own reads labelled drawings, by every likely way of showing them to it.

    A model for digits or letters that came without a card is tried once, when it is first used: value range, mean and
    standard deviation, bright or dark ink, how a drawing is fitted in, transposed or not, the names of its classes.
    """
    readings = await find_readings(request, network.name)
    return ReadingsAnswer.from_readings(network.name, library.entry(network.name).card, readings)


@router.post("/api/models/{model}/prediction", tags=["drawings"], response_model=Prediction, responses=_DRAWING_REFUSED)
@computes
def post_prediction(run: DrawingRunDep) -> Response:
    """Classify a drawing."""
    return json_response(predict(run.network, run.forward()))


@router.post(
    "/api/models/{model}/feature-maps", tags=["drawings"], response_model=FeatureMapsAnswer, responses=_DRAWING_REFUSED
)
@computes
def post_feature_maps(
    run: DrawingRunDep,
    options: MapOptionsDep,
    layers: LayerNames = None,
) -> Response:
    """Classify a drawing, and draw the feature maps of every convolution and pooling layer, or of the layers named."""
    network = run.network
    wanted = _find_layers(network, layers) or network.feature_map_layers
    exploration = explore(network, run.forward(), run.complete(options), map(all_maps, wanted), _MOST_OF_ALL)
    pngs = (view.grid.png for view in exploration.layers)
    return _pictures_response(pngs, partial(FeatureMapsAnswer.from_exploration, exploration))


@router.post(
    "/api/models/{model}/comparison", tags=["drawings"], response_model=ComparisonAnswer, responses=_DRAWING_REFUSED
)
def post_comparison(
    run: TrainedRunDep,
    library: LibraryDep,
    options: RenderOptionsDep,
    region: RegionDep,
    invert: InvertDep = False,
    differences: DifferencesDep = False,
    layers: LayerNames = None,
) -> Response:
    """Compare max, average and min pooling: predictions, accuracies, and layers.

    All layers from the first pooling layer on are compared, or those named.
    """
    network = run.network
    run_in, wanted = partial(run.run_in, invert=invert), _find_layers(network, layers)
    comparison = compare(network, run_in, options, differences, wanted, most_pixels=_MOST_OF_ALL)
    describe = partial(ComparisonAnswer.from_comparison, comparison, accuracies(network, library), invert)
    compared = [layer for column in comparison.columns for layer in column.layers]
    grids = [grid for layer in compared for grid in (layer.view.grid, layer.difference) if grid]
    return _pictures_response((grid.png for grid in grids), describe)


def _find_layers(network: Network, names: list[str] | None) -> list[Layer] | None:
    """Return the layers of these names, each once; None where none are named. Raises: UnknownLayer."""
    return [network.layer(name) for name in dict.fromkeys(names)] if names else None


@router.post(
    "/api/models/{model}/layers/{layer}/feature-maps.png",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | file_response("image/png"),
)
@computes
def post_grid(
    layer: RunLayerDep,
    run: DrawingRunDep,
    options: MapOptionsDep,
    first: Annotated[int, Form(ge=0, description="The number of the first map in the picture.")] = 0,
    count: Annotated[int | None, Form(ge=1, description="How many maps at most; default: all from the first.")] = None,
    zoom: ZoomField = 1,
) -> Response:
    """Draw the feature maps of one layer as a PNG grid, on the colour scale of all of them.

    An activation is one pixel, or a square of `zoom` pixels a side.
    """
    grid = draw_layer(run.forward(), MapRange(layer, first, count), run.complete(options), MOST_PIXELS, zoom)
    return png_response(grid.png, zoom)


@router.post(
    "/api/models/{model}/layers/{layer}/feature-maps/{channel}.png",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | file_response("image/png"),
)
@computes
def post_feature_map(
    layer: RunLayerDep, channel: ChannelPath, run: DrawingRunDep, options: MapOptionsDep, zoom: ZoomField = 1
) -> Response:
    """Draw one feature map as a PNG, in the colours that it has in its layer's grid.

    An activation is one pixel, or a square of `zoom` pixels a side.
    """
    grid = draw_feature_map(run.forward(), layer, channel, run.complete(options), MOST_PIXELS, zoom)
    return png_response(grid.png, zoom)


@router.post(
    "/api/models/{model}/layers/{layer}/feature-maps/{channel}.csv",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | file_response("text/csv"),
)
def post_feature_map_values(layer: RunLayerDep, channel: ChannelPath, run: DrawingRunDep) -> Response:
    """Download the values of one feature map as CSV, a line a row, each with all of a float32's digits.

    A vector, such as a dense layer's output, is channel 0 and a single row.
    """
    forward = run.forward()
    values = read_map(forward, layer, channel)
    pooling = f"-{forward.pooling}" if forward.pooling else ""
    headers = attachment(f"{run.network.name}{pooling}-{layer.name}-map{channel}.csv")
    return StreamingResponse(stream_csv(values, forward.release_pages), media_type="text/csv", headers=headers)


@router.post(
    "/api/models/{model}/network.png",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | file_response("image/png"),
)
def post_network_picture(
    run: DrawingRunDep, options: MapOptionsDep, layers: LayerNames = None, zoom: ZoomField = 1
) -> Response:
    """Draw the whole network as one PNG: the input and every layer, or those named, one below the other on white.

    Each has its name, its shape and the ends of its colour scale.
    """
    wanted = _find_layers(run.network, layers)
    parts = draw_network(run.network, run.forward(), run.complete(options), MOST_PIXELS, wanted, zoom)
    return StreamingResponse(parts, media_type="image/png")


@router.post(
    "/api/models/{model}/activations.npz",
    tags=["drawings"],
    response_class=Response,
    responses=_DRAWING_REFUSED | file_response("application/zip"),
)
def post_activations(run: DrawingRunDep) -> Response:
    """Download every layer's float32 activation by name, with `input` and `probabilities`, for numpy.load.

    Where a layer has one of these names, the other array has an underscore behind it.
    """
    forward = run.forward()
    headers = attachment(f"{run.network.name}-{forward.pooling or 'activations'}.npz")
    encoded = encode_activations(forward)
    if isinstance(encoded, bytes):
        return Response(encoded, media_type="application/zip", headers=headers)
    return StreamingResponse(encoded, media_type="application/zip", headers=headers)


@router.post(
    "/api/models/{model}/layers/{layer}/feature-maps/{channel}/cells/{row},{column}",
    tags=["microscope"],
    response_model=InspectionAnswer,
    responses=_DRAWING_REFUSED,
)
def post_cell(
    layer: RunLayerDep,
    channel: ChannelPath,
    row: Annotated[int, Path(description="From 0, top to bottom; 0 in a vector.")],
    column: Annotated[int, Path(description="From 0, left to right; in a vector, the unit.")],
    run: DrawingRunDep,
) -> Response:
    """Explain one value: inputs, kernel, partial sums, bias, activation function, receptive field.

    A vector, such as a dense layer's output, is channel 0 and row 0.
    """
    inspection = inspect(run.network, run.forward(), layer, Place(channel, row, column))
    return json_response(InspectionAnswer.from_inspection(inspection))


@router.get(
    "/api/models/{model}/layers/{layer}/kernels/{channel}.png",
    tags=["microscope"],
    response_class=Response,
    responses=_MODEL_UNUSABLE | file_response("image/png"),
    dependencies=[ADMITTED],
)
def show_kernel_picture(network: NetworkDep, layer: LayerDep, channel: ChannelPath) -> Response:
    """Draw the kernels of one feature map, one pixel a weight: blue below zero, red above, dark at zero."""
    return Response(draw_kernels(feature_map_kernel(network, layer, channel)).png, media_type="image/png")


@router.get(
    "/api/models/{model}/layers/{layer}/kernels/{channel}",
    tags=["microscope"],
    response_model=KernelAnswer,
    responses=_MODEL_UNUSABLE,
    dependencies=[ADMITTED],
)
def show_kernel(network: NetworkDep, layer: LayerDep, channel: ChannelPath) -> Response:
    """Show the weights of one feature map of a convolution: one kernel for each input channel, and the bias."""
    kernel = feature_map_kernel(network, layer, channel)
    return json_response(KernelAnswer.from_kernel(network, layer, channel, kernel))
