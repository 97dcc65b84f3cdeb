"""What running a network takes, worked out from its layers and an image's size, before anything is allocated."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .errors import ImageTooSmall, NeedsKeras, SizesDiffer, WrongImageSize
from .kinds import Layer
from .types import ImageShape, PoolingMode, Shape, as_maps_shape

_FLOAT = 4  # bytes
_OPERATIONS_A_SECOND = 20e9  # of one core: XNNPACK on a server of 2023 does 48e9 in a 3×3 convolution of 64 channels
_MAX_IMAGE = 2**24  # numbers: the server makes the image, whoever runs the network
_MAX_MAP = 2**22  # cells: the server draws the map
_MAX_MAPS = 2**22  # of a layer: the server finds the extremes of each
_MB = 2**20
_TRIAL_SIDES = (32, 64, 128, 256)

Shapes = dict[str, tuple[int, ...]]  # of layers' outputs by name, without the batch


class Cost(NamedTuple):
    """What one forward pass takes."""

    image: int  # numbers
    cells: int  # numbers of all layers' outputs
    operations: int  # multiplications with an addition, or what takes as long
    scratch: int  # bytes that the layers take beside their outputs
    weights: int  # numbers
    largest_map: int = 0  # cells of the largest feature map
    maps: int = 0  # feature maps of the layer that has most

    @property
    def megabytes(self) -> int:
        """The memory that it takes: weights as they are, in a graph, and packed; image and outputs, each twice."""
        numbers = 3 * self.weights + 2 * self.image + 2 * self.cells
        return -(-(_FLOAT * numbers + self.scratch) // _MB)

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return self.operations / _OPERATIONS_A_SECOND


def add_backward(cost: Cost, several: int) -> Cost:
    """Return what a forward pass takes with several gradients on their way back, all of which are kept.

    NumPy computes them, measured at up to eight times as long as the forward pass for each, and up to 50 ns a cell.
    """
    operations = cost.operations + several * (8 * cost.operations + 1000 * cost.cells)
    gradients = several * (cost.cells + cost.image)
    # Those kept, the products with what they belong to, and of the largest layers a padded copy of each.
    return cost._replace(operations=operations, scratch=cost.scratch + 3 * _FLOAT * gradients)


class RunLimits(NamedTuple):
    """What one forward pass may take."""

    megabytes: int = 2048
    seconds: float = 20

    def allow(self, cost: Cost) -> bool:
        """Return whether a forward pass of this cost is within the limits."""
        is_small = cost.image <= _MAX_IMAGE and cost.largest_map <= _MAX_MAP and cost.maps <= _MAX_MAPS
        return is_small and cost.megabytes <= self.megabytes and cost.seconds <= self.seconds


@dataclass(frozen=True)
class Reduction:
    """An image that was made smaller, because its network would have taken too much for it."""

    height: int  # before
    width: int
    factor: int  # by which each side was divided
    cost: Cost  # that it would have had
    limits: RunLimits

    def __str__(self) -> str:
        takes, allowed, _ = _excess(self.cost, self.limits)
        return (
            f"Made {self.factor} times smaller, from {self.width}×{self.height} pixels: for all of them this model "
            f"would take {takes}, and one drawing may take {allowed}."
        )


DEFAULT_LIMITS = RunLimits()


class TooCostly(ValueError):
    """A network would take more memory or time for an image than one forward pass may take."""

    def __init__(self, name: str, size: tuple[int, ...], cost: Cost, limits: RunLimits, advice: str) -> None:
        height, width = size[:2]
        takes, allowed, way_out = _excess(cost, limits)
        super().__init__(
            f"The model “{name}” would take {takes} for an image of {width}×{height} pixels, and one drawing may take "
            f"{allowed}. {advice}{way_out}."
        )


def _excess(cost: Cost, limits: RunLimits) -> tuple[str, str, str]:
    """Return what a forward pass takes too much of, how much of it is allowed, and who can allow more."""
    if cost.image > _MAX_IMAGE:
        return f"{cost.image:,} numbers", f"{_MAX_IMAGE:,} numbers", ""
    if cost.largest_map > _MAX_MAP:
        return f"feature maps of {cost.largest_map:,} cells", f"maps of {_MAX_MAP:,} cells", ""
    if cost.maps > _MAX_MAPS:
        return f"{cost.maps:,} feature maps in one layer", f"{_MAX_MAPS:,}", ""
    if cost.megabytes > limits.megabytes:
        raised = ", or have the limit raised with LAYERGLASS_RUN_MEGABYTES"
        return f"{cost.megabytes:,} MB of memory", f"{limits.megabytes:,} MB", raised
    raised = ", or have the limit raised with LAYERGLASS_RUN_SECONDS"
    return f"about {cost.seconds:,.0f} seconds", f"{limits.seconds:g} seconds", raised


def output_shapes(layers: Sequence[Layer], image: tuple[int, ...]) -> Shapes:
    """Return the shape of every layer's output for an image, (height, width, channels), by the layers' own rules.

    Raises: ImageTooSmall, where the windows of a layer do not fit; NeedsKeras, where the rules do not tell.
    """
    made: dict[str | None, tuple[int, ...]] = {None: image}
    declared: dict[str | None, Shape] = {None: (None, None, image[2])}
    for layer in layers:
        declared[layer.name] = layer.output_shape
        if None not in layer.output_shape:
            made[layer.name] = _known(layer.output_shape)
            continue
        inputs = [made[source] for source in layer.sources] or [image]  # a held input goes by the image's size
        try:
            made[layer.name] = _known(layer.compute_output_shape(*inputs))
        except (TypeError, ValueError) as error:
            if not _has_rule(layer, [declared[source] for source in layer.sources]):
                raise NeedsKeras(layer.kind) from error
            raise SizesDiffer((image[0], image[1]), layer.name, inputs) from error
        if min(made[layer.name]) < 1:
            raise ImageTooSmall(*image[:2])
    return {name: shape for name, shape in made.items() if name is not None}


def trial_shape(layers: Sequence[Layer], input_shape: ImageShape) -> tuple[int, ...]:
    """Return the shape of a small image that a network can be tried on. input_shape: None where any size goes."""
    for side in _TRIAL_SIDES:
        image = tuple(size or side for size in input_shape)
        try:
            output_shapes(layers, image)
        except WrongImageSize:
            continue
        except NeedsKeras:
            break
        return image
    return tuple(size or _TRIAL_SIDES[0] for size in input_shape)


def _known(shape: Shape) -> tuple[int, ...]:
    return tuple(size or 0 for size in shape)


def _has_rule(layer: Layer, inputs: Sequence[Shape]) -> bool:
    """Return whether a layer's rules tell the shape of its output where its inputs have the sizes that they should."""
    try:
        layer.compute_output_shape(*inputs)
    except (TypeError, ValueError):
        return False
    return True


def estimate(
    layers: Sequence[Layer], shapes: Shapes, image: tuple[int, ...], pooling: PoolingMode | None = None
) -> Cost:
    """Return what a forward pass takes. shapes: of the layers' outputs. pooling: the mode; None is as trained."""
    operations = scratch = 0
    for layer in layers:
        inputs = [image if source is None else shapes[source] for source in layer.sources]
        run = layer.with_pooling(pooling)
        operations += run.count_operations(inputs, shapes[layer.name])
        scratch += run.count_scratch(inputs, shapes[layer.name])
    cells = sum(map(math.prod, shapes.values()))
    weights = sum(layer.parameters for layer in layers)
    shown = [as_maps_shape(shape) for shape in shapes.values() if len(shape) > 1]
    largest_map = max((height * width for height, width, _ in shown), default=0)
    maps = max((channels for *_, channels in shown), default=0)
    return Cost(math.prod(image), cells, operations, scratch, weights, largest_map, maps)
