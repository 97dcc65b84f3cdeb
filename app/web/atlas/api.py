"""The REST API of what maps look for: the digits that excite them most, their kernels, and what muting them costs."""

from http import HTTPStatus
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from ...atlas.cloud import MOST, CloudRun
from ...atlas.cloud import USUAL as USUAL_CLOUD
from ...atlas.examples import Examples, ExampleSet
from ...atlas.kernels import read_kernels
from ...atlas.layers import choose_layer
from ...atlas.map_costs import USUAL, MapCostsRun
from ...atlas.patches import Patch, find_patches
from ...atlas.strongest import Strongest
from ...atlas.top_activations import TopActivations, TopActivationsRun
from ...cnn.kinds import Layer
from ...cnn.types import PoolingMode
from ...datasets.digits import load_test_digits
from ...experiments.experiment import FEWEST
from ...explore.inspection import UnknownCell
from ...hosting.admission import ADMITTED
from ...imaging.encoding import encode_npz
from ..errors import problem_responses
from ..forms import LayerDep, NetworkDep
from .pictures import choose_examples
from .runs import begin

router = APIRouter(prefix="/api/models/{model}/layers/{layer}", tags=["atlas"])

_ALL = len(load_test_digits())
_REFUSED = problem_responses(HTTPStatus.NOT_FOUND)
_BOUNDS: dict[str, Any] = {"minimum": FEWEST, "maximum": _ALL}
_DIGITS = f"How many of MNIST's 10,000 test digits, {FEWEST} at least, evenly spread over all of them."

Pooling = Annotated[
    PoolingMode | None, Query(description="Replaces every pooling layer's mode; default: as the model was trained.")
]


class Region(BaseModel):
    """A rectangle of the network's input, the last row and column not included; it may reach into the padding."""

    top: int
    left: int
    bottom: int
    right: int


class TopActivation(BaseModel):
    """A digit or a picture, and the cell of a map that it excites most."""

    digit: str | None = Field(description="Its name in the page's address, such as test-7; null for a picture.")
    picture: str | None = Field(default=None, description="Its file name, for one of the server's folders.")
    label: int = Field(description="What the digit is; of a picture the number of its class.")
    class_name: str = Field(description="The same in words.")
    value: float = Field(description="Of the cell.")
    row: int
    column: int = Field(description="In a vector, the unit.")
    region: Region = Field(description="The cell's receptive field.")


class MapActivations(BaseModel):
    """What excites one map most."""

    channel: int = Field(description="The map's number; in a vector the unit's.")
    is_dead: bool = Field(description="It has one value everywhere, whatever digit is shown.")
    fired: float = Field(description="The share of digits for which some cell is above zero.")
    class_means: list[float | None] = Field(
        description="The mean of the strongest cell over each class's digits, 0 to 9, or pictures."
    )
    strongest: list[TopActivation] = Field(
        description="Nine digits at most, the strongest first; none that leaves the map at its lowest value."
    )


class TopActivationsAnswer(BaseModel):
    """What the maps of a layer look for."""

    model: str
    layer: str
    pooling: PoolingMode | None
    digits: int = Field(description="How many digits, or pictures, were shown.")
    classes: list[str] = Field(description="Of the digits, or pictures.")
    unread: list[str] = Field(description="Pictures that cannot be read, and count for nothing.")
    dead: list[int]
    maps: list[MapActivations]


class MapCost(BaseModel):
    """What muting one map costs."""

    channel: int
    lost: float = Field(description="By how much the accuracy falls, from 0 to 1; below zero where it rises.")
    error: float = Field(description="The standard error of that.")
    likelihood_lost: float = Field(description="By how much the mean logarithm of the right class's probability falls.")


class MapCostsAnswer(BaseModel):
    """What the maps of a layer are worth."""

    model: str
    layer: str
    digits: int
    accuracy: float = Field(description="With all maps.")
    maps: list[MapCost] = Field(description="That without which the right answers get least likely comes first.")


async def get_run(
    request: Request,
    network: NetworkDep,
    pooling: Pooling = None,
    digits: Annotated[int, Query(description=_DIGITS, json_schema_extra=_BOUNDS)] = _ALL,
    pictures: Annotated[
        str | None,
        Query(
            description="A folder of pictures that the server was given with --pictures, instead of digits, of which "
            "so many are shown; it may have fewer."
        ),
    ] = None,
) -> TopActivationsRun:
    """Return the network and what to show it. Raises: UnknownModel, ModelError, UnknownPictures, NoPictures."""
    return TopActivationsRun(network, pooling, choose_examples(request, pictures, digits))


RunDep = Annotated[TopActivationsRun, Depends(get_run)]


async def find(request: Request, run: TopActivationsRun, layer: Layer) -> TopActivations:
    """Run it, or return what is remembered; all layers share one run.

    Raises: NoMaps, NoSuchCount, NotForDigits, WrongImageSize, TooCostly, TooLongForOneAnswer.
    """
    choose_layer(run.network, layer.name)  # only to refuse it
    return await (await begin(request, run)).wait()


@router.get("/top-activations", response_model=TopActivationsAnswer, responses=_REFUSED)
async def show_top_activations(
    request: Request,
    run: RunDep,
    layer: LayerDep,
    channel: Annotated[int | None, Query(description="Only this map, or unit; default: all.")] = None,
) -> Response:
    """Show which real digits excite each map of a layer most, at which cell, and what that cell sees."""
    found = await find(request, run, layer)
    answer = await to_thread.run_sync(_describe, found, layer, channel)
    return Response(answer.model_dump_json(), media_type="application/json")


@router.get(
    "/top-activations.npz",
    response_class=Response,
    responses=_REFUSED | {200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def save_top_activations(request: Request, run: RunDep, layer: LayerDep) -> Response:
    """Save the same as arrays: a row for each map, nine columns, the strongest digit first."""
    found = await find(request, run, layer)
    return Response(await to_thread.run_sync(_encode, found.of(layer), found.examples), media_type="application/zip")


@router.get("/map-costs", response_model=MapCostsAnswer, responses=_REFUSED)
async def show_map_costs(
    request: Request,
    network: NetworkDep,
    layer: LayerDep,
    pooling: Pooling = None,
    digits: Annotated[int, Query(description=_DIGITS, json_schema_extra=_BOUNDS)] = USUAL,
) -> Response:
    """Mute each map of a convolution alone, and show how much less well digits are read without it."""
    run = MapCostsRun(network, layer, pooling, digits)
    costs = await (await begin(request, run)).wait()
    maps = [
        MapCost(
            channel=number,
            lost=costs.lost[number],
            error=costs.errors[number],
            likelihood_lost=costs.likelihood_lost[number],
        )
        for number in costs.order
    ]
    answer = MapCostsAnswer(
        model=network.name, layer=layer.name, digits=costs.digits, accuracy=costs.accuracy, maps=maps
    )
    return Response(answer.model_dump_json(), media_type="application/json")


class CloudPoint(BaseModel):
    """Where one digit lies."""

    digit: str = Field(description="Its name in the page's address, such as test-7.")
    label: int = Field(description="What the digit is.", ge=0, le=9)
    x: float
    y: float


class CloudAnswer(BaseModel):
    """Where digits lie for a layer."""

    model: str
    layer: str
    pooling: PoolingMode | None
    shares: list[float] = Field(description="Of the variance along each axis, from 0 to 1.")
    points: list[CloudPoint]


_CLOUD = f"How many of MNIST's 10,000 test digits, {FEWEST} to {MOST}, evenly spread over all of them."


async def get_cloud_run(
    network: NetworkDep,
    layer: LayerDep,
    pooling: Pooling = None,
    digits: Annotated[
        int, Query(description=_CLOUD, json_schema_extra={"minimum": FEWEST, "maximum": MOST})
    ] = USUAL_CLOUD,
) -> CloudRun:
    """Return the layer, and how many digits it is shown. Raises: UnknownModel, ModelError, UnknownLayer."""
    return CloudRun(network, layer, pooling, digits)


CloudRunDep = Annotated[CloudRun, Depends(get_cloud_run)]


@router.get("/cloud", response_model=CloudAnswer, responses=_REFUSED)
async def show_cloud(request: Request, run: CloudRunDep) -> Response:
    """Show where digits lie along the two directions in which a layer's values differ most (principal components)."""
    cloud = await (await begin(request, run)).wait()
    labels, examples = cloud.examples.labels.tolist(), cloud.examples
    points = [
        CloudPoint(digit=examples.name(at), label=labels[at], x=x, y=y)
        for at, (x, y) in enumerate(cloud.plane.tolist())
    ]
    answer = CloudAnswer(
        model=run.network.name, layer=run.layer.name, pooling=run.mode, shares=cloud.shares[:2].tolist(), points=points
    )
    return Response(answer.model_dump_json(), media_type="application/json")


@router.get(
    "/cloud.npz",
    response_class=Response,
    responses=_REFUSED | {200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def save_cloud(request: Request, run: CloudRunDep) -> Response:
    """Save the same as arrays, with mean and axes: the axes times a layer's values, minus the mean, give a point."""
    cloud = await (await begin(request, run)).wait()
    arrays: dict[str, NDArray[Any]] = {
        "points": cloud.plane,
        "shares": cloud.shares[:2],
        "mean": cloud.mean,
        "axes": cloud.axes[:2],
    }
    arrays |= {"examples": cloud.examples.numbers, "labels": cloud.examples.labels}
    return Response(await to_thread.run_sync(encode_npz, arrays), media_type="application/zip")


@router.get(
    "/kernels.png",
    response_class=Response,
    responses=_REFUSED | {200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}},
    dependencies=[ADMITTED],
)
def show_kernels(network: NetworkDep, layer: LayerDep) -> Response:
    """Draw all kernels of a convolution, one pixel a weight, in colours symmetric about zero: dark at zero.

    A row for each map and a column for each input channel that it reads; kernels of one channel stand side by side.
    """
    return Response(read_kernels(network, layer).draw().png, media_type="image/png")


def _describe(found: TopActivations, layer: Layer, channel: int | None) -> TopActivationsAnswer:
    strongest = found.of(layer)
    count = len(strongest.values)
    if channel is not None and not 0 <= channel < count:
        raise UnknownCell(f"“{layer.name}” has the maps or units 0 to {count - 1}. Received: {channel}.")
    chosen = range(count) if channel is None else [channel]
    return TopActivationsAnswer(
        model=found.network.name,
        layer=layer.name,
        pooling=found.pooling,
        digits=found.examples.count - len(found.unread),
        classes=list(found.examples.classes),
        unread=list(found.unread),
        dead=strongest.dead,
        maps=[_describe_map(found, layer, strongest, number) for number in chosen],
    )


def _describe_map(found: TopActivations, layer: Layer, strongest: Strongest, number: int) -> MapActivations:
    return MapActivations(
        channel=number,
        is_dead=number in strongest.dead,
        fired=strongest.fired[number],
        class_means=strongest.class_means[number].tolist(),
        strongest=[_describe_patch(found, each) for each in find_patches(found, layer, number)],
    )


def name_example(examples: ExampleSet, patch: Patch) -> dict[str, str | None]:
    """Return what an answer calls an example: a digit, or a picture."""
    is_digit = isinstance(examples, Examples)
    return {"digit": patch.name if is_digit else None, "picture": None if is_digit else patch.name}


def _describe_patch(found: TopActivations, patch: Patch) -> TopActivation:
    return TopActivation(
        **name_example(found.examples, patch),
        label=patch.label,
        class_name=patch.class_name,
        value=patch.value,
        row=patch.row,
        column=patch.column,
        region=Region(**patch.region._asdict()),
    )


def _encode(strongest: Strongest, examples: ExampleSet) -> bytes:
    shown = strongest.examples >= 0
    digits = examples.numbers[strongest.examples.clip(0)]
    digits[~shown] = -1
    return encode_npz({**vars(strongest), "examples": digits})
