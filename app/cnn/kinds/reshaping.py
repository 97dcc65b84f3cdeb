"""Layers that give the same values another shape or order."""

import math
from collections.abc import Sequence

import numpy as np

from ..cells import Cell, MovedCell
from ..errors import NoArithmetic
from ..types import Array, Shape, Weights, as_maps_shape
from .checks import SIDE, one_of, optional, setting, several, size_number, whole
from .layer import CellIndex, GraphBuilder, Layer, LayerSettings, Tensor, known, require


class Moving(Layer, abstract=True):
    """A layer that moves values: `source_of` says where each came from."""

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        found = self.source_of(place, [each.shape for each in inputs])
        if found is None:
            raise NoArithmetic(self.kind)
        source, origin = found
        return MovedCell(source, None if origin is None else as_cell(origin, inputs[source].shape), value)


def as_cell(place: CellIndex, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return a place in an output of this shape as row, column, channel: see as_maps_shape."""
    number = np.ravel_multi_index(place, shape)
    row, column, channel = np.unravel_index(number, as_maps_shape(shape))
    return int(row), int(column), int(channel)


class Flatten(Moving):
    """All values in one row."""

    data_format: str | None = setting(optional(one_of("channels_last")), None, compare=False)

    phrase = "all maps laid out as one row of numbers"
    is_minor = True
    makes_vector = True
    ignores_input_shape = True
    keeps_probabilities = True
    mixes_everything = True

    @classmethod
    def turn_channels_last(cls, settings: LayerSettings) -> LayerSettings | None:
        return {**settings, "data_format": "channels_last"}

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        return (None if None in shape else math.prod(size or 0 for size in shape),)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.reshape(inputs[0], (1, math.prod(inputs[0].shape)))

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        (shape,) = inputs
        return 0, tuple(map(int, np.unravel_index(place[0], [known(size) for size in shape])))

    def describe_briefly(self) -> str:
        return "flatten"


class Reshape(Moving):
    """The same values, row by row, in another shape. One size may be -1: whatever is left."""

    target_shape: tuple[int | None, ...] = setting(several(optional(size_number), most=8))

    phrase = "the same numbers in another shape"
    is_minor = True
    ignores_input_shape = True
    keeps_probabilities = True
    keeps_values = True
    mixes_everything = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        cells, target = math.prod(known(size) for size in shape), [known(size) for size in self.target_shape]
        require(target.count(-1) <= 1 and 0 not in target)
        given = math.prod(size for size in target if size != -1)
        require(cells % given == 0 and (-1 in target or cells == given))
        return tuple(cells // given if size == -1 else size for size in target)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        graph.require(None not in self.output_shape, "a new shape of any size")
        return graph.reshape(inputs[0], (1, *(size or 0 for size in self.output_shape)))

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        (shape,) = inputs
        index = np.ravel_multi_index(place, [known(size) for size in self.compute_output_shape(shape)])
        return 0, tuple(map(int, np.unravel_index(index, [known(size) for size in shape])))


class Permute(Moving):
    """The same values with their axes in another order; the first is 1."""

    dims: tuple[int, ...] = setting(several(whole(1, 8), most=8))

    is_minor = True
    keeps_probabilities = True
    mixes_everything = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        require(sorted(self.dims) == list(range(1, len(shape) + 1)))
        return tuple(shape[axis - 1] for axis in self.dims)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.transpose(inputs[0], (0, *self.dims))

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        return 0, tuple(place[self.dims.index(axis)] for axis in range(1, len(place) + 1))


class RepeatVector(Layer):
    """A vector, as many times as asked for."""

    n: int = setting(whole(1, SIDE))

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        ((units,),) = inputs
        return self.n, units
