"""Layers that give the same values another shape or order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..cells import Cell, MovedCell
from ..errors import NoArithmetic
from ..gradients import Gradients, PassedBack
from ..types import Array, Shape, Weights, as_maps_shape
from ..windows import Region, Size
from .checks import (
    PARAMETERS,
    SIDE,
    axis_number,
    axis_numbers,
    one_of,
    optional,
    pair,
    setting,
    several,
    size_number,
    whole,
)
from .layer import CellIndex, GraphBuilder, Layer, LayerSettings, Tensor, image_shape, known, require

_index = whole(-PARAMETERS, PARAMETERS)


class Moving(Layer, abstract=True):
    """A layer that moves values: `source_of` says where each came from."""

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        found = self.source_of(place, [each.shape for each in inputs])
        if found is None:
            raise NoArithmetic(self.kind)
        source, origin = found
        return MovedCell(source, None if origin is None else as_cell(origin, inputs[source].shape), value)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Give each gradient to the value that was moved."""
        return PassedBack((self._return(gradients, inputs[0].shape),))

    def _return(self, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        """Return the gradients of the one input, of this shape; by default, of the same numbers in the same order."""
        return gradients.reshape(len(gradients), *shape)


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
    keeps_order = True
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
    keeps_order = True
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

    def _return(self, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        return gradients.transpose(0, *(int(axis) + 1 for axis in np.argsort(self.dims)))


class RepeatVector(Layer):
    """A vector, as many times as asked for."""

    n: int = setting(whole(1, SIDE))

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        ((units,),) = inputs
        return self.n, units

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        return PassedBack((gradients.sum(axis=1),))


class Slice(Moving):
    """Some of the cells along each axis, without the batch: from a first one, up to an end that is not taken, by steps.

    Settings may be negative or None, as in Python. ellipsis: the axis before which all axes that are not named are
    taken whole; without one, they come last. dropped: those of the named axes of which one cell is taken, and which
    then go.
    """

    begin: tuple[int | None, ...] = setting(several(optional(_index), most=8))
    end: tuple[int | None, ...] = setting(several(optional(_index), most=8))
    step: tuple[int | None, ...] = setting(several(optional(_index), most=8))
    dropped: tuple[int, ...] = setting(several(whole(0, 7), most=8), ())
    ellipsis: int | None = setting(optional(whole(0, 8)), None)

    is_minor = True
    is_operation = True

    def _slices(self, rank: int) -> tuple[list[slice], tuple[int, ...]]:
        """Return what is taken along each axis of an input of this rank, and the axes that go. Raises: ValueError."""
        require(len(self.begin) == len(self.end) == len(self.step) <= rank and 0 not in self.step)
        named, unnamed = list(map(slice, self.begin, self.end, self.step)), rank - len(self.begin)
        at = len(named) if self.ellipsis is None else self.ellipsis
        slices = [*named[:at], *[slice(None)] * unnamed, *named[at:]]
        return slices, tuple(axis if axis < at else axis + unnamed for axis in self.dropped)

    def _parts(self, shape: Shape) -> tuple[list[range], tuple[int, ...]]:
        """Return the cells that are taken along each axis, and the axes that go. Raises: ValueError."""
        slices, dropped = self._slices(len(shape))
        return [range(*each.indices(known(size))) for each, size in zip(slices, shape, strict=True)], dropped

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        slices, dropped = self._slices(len(shape))
        sizes = [
            size if each == slice(None) else len(range(*each.indices(known(size))))
            for each, size in zip(slices, shape, strict=True)
        ]
        require(all(sizes[axis] == 1 for axis in dropped))
        return tuple(size for axis, size in enumerate(sizes) if axis not in dropped)

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        slices, dropped = self._slices(len(inputs[0].shape) - 1)
        taken = inputs[0][(slice(None), *slices)]
        return ops.squeeze(taken, tuple(axis + 1 for axis in dropped)) if dropped else taken

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        parts, dropped = self._parts(inputs[0].shape[1:])
        graph.require(all(part.step > 0 for part in parts), "a slice backwards")
        taken = graph.strided_slice(inputs[0], [(part.start, part.stop, part.step) for part in parts])
        kept = [size for axis, size in enumerate(taken.shape[1:]) if axis not in dropped]
        return graph.reshape(taken, (1, *kept)) if dropped else taken

    def _return(self, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        slices, dropped = self._slices(len(shape))
        returned = np.zeros((len(gradients), *shape), gradients.dtype)
        returned[(slice(None), *slices)] = np.expand_dims(gradients, tuple(axis + 1 for axis in dropped))
        return returned

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        (parts, dropped), left = self._parts(inputs[0]), iter(place)
        return 0, tuple(part[0 if axis in dropped else next(left)] for axis, part in enumerate(parts))

    def read_region(self, cells: Region, size: Size) -> Region:
        """Return the places that these were taken from, in an image that keeps its axes; else all of it."""
        height, width = size
        if self.dropped or height is None or width is None or not self.is_picture:
            return Region(0, 0, height or 0, width or 0)
        slices, _ = self._slices(len(self.output_shape))
        rows, columns = (range(*each.indices(length)) for each, length in zip(slices, (height, width), strict=False))
        (top, bottom), (left, right) = (
            sorted((part.start + first * part.step, part.start + (last - 1) * part.step))
            for part, first, last in ((rows, cells.top, cells.bottom), (columns, cells.left, cells.right))
        )
        return Region(top, left, bottom + 1, right + 1)

    def describe(self) -> str:
        is_turned = (self.begin, self.end, self.step) == ((None,), (None,), (-1,))
        return "its rows, the last one first" if is_turned else "a part of it"


class Squeeze(Moving):
    """Axes of one cell taken away. The first is 1, as the batch is 0."""

    axis: int | tuple[int, ...] = setting(axis_numbers)

    is_minor = True
    is_operation = True
    keeps_probabilities = True
    keeps_order = True

    def _axes(self, rank: int) -> list[int]:
        """Return the axes, counted from 0 without the batch. Raises: ValueError."""
        given = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        axes = [axis - 1 if axis > 0 else axis + rank for axis in given]
        require(0 not in given and all(0 <= axis < rank for axis in axes))
        return axes

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        axes = self._axes(len(shape))
        require(all(shape[axis] == 1 for axis in axes) and len(axes) < len(shape))
        return tuple(size for axis, size in enumerate(shape) if axis not in axes)

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        return ops.squeeze(inputs[0], self.axis)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        axes = self._axes(len(inputs[0].shape) - 1)
        sizes = [size for axis, size in enumerate(inputs[0].shape[1:]) if axis not in axes]
        return graph.reshape(inputs[0], (1, *sizes))

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        axes, left = self._axes(len(inputs[0])), iter(place)
        return 0, tuple(0 if axis in axes else next(left) for axis in range(len(inputs[0])))

    def read_region(self, cells: Region, size: Size) -> Region:
        return Region(0, 0, size[0] or 0, size[1] or 0)


class ExpandDims(Moving):
    """An axis of one cell added. The first is 1, as the batch is 0."""

    axis: int = setting(axis_number)

    is_minor = True
    is_operation = True
    keeps_probabilities = True
    keeps_order = True

    def _position(self, rank: int) -> int:
        """Return where it is added, counted from 0 without the batch. Raises: ValueError."""
        position = self.axis - 1 if self.axis > 0 else self.axis + rank + 1
        require(self.axis != 0 and 0 <= position <= rank)
        return position

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        position = self._position(len(shape))
        return (*shape[:position], 1, *shape[position:])

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        return ops.expand_dims(inputs[0], self.axis)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        sizes = inputs[0].shape[1:]
        position = self._position(len(sizes))
        return graph.reshape(inputs[0], (1, *sizes[:position], 1, *sizes[position:]))

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        position = self._position(len(inputs[0]))
        return 0, (*place[:position], *place[position + 1 :])

    def read_region(self, cells: Region, size: Size) -> Region:
        return Region(0, 0, size[0] or 0, size[1] or 0)


class Pad(Moving):
    """Zeros before and after along each axis, without the batch."""

    margins: tuple[tuple[int, int], ...] = setting(several(pair(0), most=8))

    phrase = "zeros added at its ends"
    is_minor = True
    is_operation = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        sizes = zip(shape, self.margins, strict=True)
        return tuple(None if size is None else size + sum(margin) for size, margin in sizes)

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        return ops.pad(inputs[0], [(0, 0), *self.margins])

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        graph.require(len(inputs[0].shape) <= 5, "zeros along more than four axes")
        return graph.pad(inputs[0], self.margins)

    def _return(self, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        inside = (slice(before, before + size) for (before, _), size in zip(self.margins, shape, strict=True))
        return gradients[(slice(None), *inside)]

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        origin = tuple(at - before for at, (before, _) in zip(place, self.margins, strict=True))
        is_inside = all(0 <= at < known(size) for at, size in zip(origin, inputs[0], strict=True))
        return 0, origin if is_inside else None

    def read_region(self, cells: Region, size: Size) -> Region:
        if len(self.margins) < 2:
            return Region(0, 0, size[0] or 0, size[1] or 0)
        (top, _), (left, _), *_ = self.margins
        return Region(cells.top - top, cells.left - left, cells.bottom - top, cells.right - left)


class DepthToSpace(Moving):
    """A square of cells of the channels of each cell (Shi and others, 2016)."""

    block_size: int = setting(whole(2, 64))

    is_operation = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = image_shape(*inputs)
        require(channels % self.block_size**2 == 0)
        sides = (None if side is None else side * self.block_size for side in (height, width))
        return (*sides, channels // self.block_size**2)

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        return ops.depth_to_space(inputs[0], self.block_size, data_format="channels_last")

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.depth_to_space(inputs[0], self.block_size)

    def _return(self, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        (height, width, _), block = shape, self.block_size
        squares = gradients.reshape(len(gradients), height, block, width, block, -1)
        return squares.transpose(0, 1, 3, 2, 4, 5).reshape(len(gradients), *shape)

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        (row, column, channel), block = place, self.block_size
        channels = known(inputs[0][2]) // block**2
        return 0, (row // block, column // block, (row % block * block + column % block) * channels + channel)

    def read_region(self, cells: Region, size: Size) -> Region:
        block = self.block_size
        return Region(cells.top // block, cells.left // block, -(-cells.bottom // block), -(-cells.right // block))

    def describe(self) -> str:
        return f"{self.block_size}×{self.block_size} cells made of the channels of each cell"


class SpaceToDepth(Moving):
    """One cell with more channels of each square of cells."""

    block_size: int = setting(whole(2, 64))

    is_operation = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = image_shape(*inputs)
        require(all(side is None or side % self.block_size == 0 for side in (height, width)))
        sides = (None if side is None else side // self.block_size for side in (height, width))
        return (*sides, channels * self.block_size**2)

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        return ops.space_to_depth(inputs[0], self.block_size, data_format="channels_last")

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.space_to_depth(inputs[0], self.block_size)

    def _return(self, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        (height, width, channels), block = shape, self.block_size
        squares = gradients.reshape(len(gradients), height // block, width // block, block, block, channels)
        return squares.transpose(0, 1, 3, 2, 4, 5).reshape(len(gradients), *shape)

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        (row, column, channel), block = place, self.block_size
        at, source = divmod(channel, known(inputs[0][2]))
        return 0, (row * block + at // block, column * block + at % block, source)

    def read_region(self, cells: Region, size: Size) -> Region:
        return Region(*(side * self.block_size for side in cells))

    def describe(self) -> str:
        return f"one cell with more channels of {self.block_size}×{self.block_size} cells"
