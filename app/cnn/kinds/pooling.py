"""Pooling: of windows and of whole maps, by maximum, average or minimum; any of them can stand in for another."""

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell, PoolingCell
from ..errors import MOST_NUMBERS, CannotSave
from ..gradients import Gradients, PassedBack
from ..sweep import Sweep
from ..types import Array, PoolingMode, Shape, Weights
from ..windows import Region, Size, Window, read_cells
from .checks import flag, one_of, optional, pair, setting
from .convolution import LANES, SLOWER_BY_WINDOWS, count_pointers, describe_steps
from .keras_form import KerasForm
from .layer import FLOAT_BYTES, REGISTRY, CellIndex, GraphBuilder, Layer, Sizes, Tensor, image_shape

_COUNTS = {4: "four", 9: "nine"}
_KEEPS = {PoolingMode.MAX: "the maximum", PoolingMode.AVERAGE: "the average", PoolingMode.MIN: "the minimum"}


class Pooling(Layer, abstract=True):
    """A layer that keeps one value of each window."""

    data_format: str | None = setting(optional(one_of("channels_last")), None, compare=False)
    is_pinned: bool = False  # it keeps its mode, whatever the network's

    mode: ClassVar[PoolingMode]
    family: ClassVar[str]  # the name of the class in each mode, with {} for the mode

    @property
    def pooling(self) -> PoolingMode:
        return self.mode

    @classmethod
    def in_mode(cls, mode: PoolingMode) -> type[Layer]:
        """Return the kind that pools in the same way in another mode."""
        return REGISTRY[cls.family.format(mode.title())]

    def with_pooling(self, mode: PoolingMode | None) -> Layer:
        if mode is None or mode is self.mode or self.is_pinned:
            return self
        return self.in_mode(mode)(**{each.name: getattr(self, each.name) for each in fields(self)})

    def pin_pooling(self, mode: PoolingMode) -> Layer:
        values = {each.name: getattr(self, each.name) for each in fields(self)} | {"is_pinned": True}
        return self.in_mode(mode)(**values)

    def as_keras(self) -> KerasForm:
        """Return itself, or for the minimum -max(-x): the padding of a maximum, minus infinity, is never kept."""
        if self.mode is not PoolingMode.MIN:
            return super().as_keras()
        negate = "Rescaling", {"scale": -1.0, "offset": 0.0}
        maximum = self.in_mode(PoolingMode.MAX)(name=self.name, **self.settings)
        return KerasForm(maximum.as_keras().own, (negate,), (negate,))

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return the bytes of what minimum pooling negates before and after, and nothing else."""
        if self.mode is not PoolingMode.MIN:
            return 0
        return FLOAT_BYTES * (math.prod(inputs[0]) + math.prod(output))

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        image = inputs[0]
        window = self._window_of(image, place)
        if window.height * window.width > MOST_NUMBERS:
            return self._explain_large(window, image[:, :, place[-1]], value)
        patch = _read_window(image[:, :, place[-1]], window)
        counted = patch[~np.isnan(patch)]
        reads_padding = counted.size < patch.size
        if counted.size == 0:  # not padding: a network whose values are not numbers
            return PoolingCell(window, patch, np.nan, np.nan, np.nan, self.mode, value, reads_padding)
        kept = float(counted.max()), float(counted.mean()), float(counted.min())
        return PoolingCell(window, patch, *kept, self.mode, value, reads_padding)

    def _explain_large(self, window: Region, image: Array, value: float) -> Cell:
        """Return the arithmetic without the window's values, which are read some rows at a time."""
        inside = window.clipped((image.shape[0], image.shape[1]))
        counted, total, most, least = 0, 0.0, -np.inf, np.inf
        step = max(1, MOST_NUMBERS // max(1, inside.width))
        for top in range(inside.top, inside.bottom, step):
            values = image[top : min(top + step, inside.bottom), inside.left : inside.right]
            values = values[~np.isnan(values)]
            if values.size:
                counted, total = counted + values.size, total + float(values.sum(dtype=np.float64))
                most, least = max(most, float(values.max())), min(least, float(values.min()))
        kept = (most, total / counted, least) if counted else (np.nan, np.nan, np.nan)
        return PoolingCell(window, None, *kept, self.mode, value, counted < window.height * window.width)

    def _window_of(self, image: Array, place: CellIndex) -> Region:
        """Return the window of a cell, padding counted."""
        raise NotImplementedError


def _read_window(image: Array, window: Region) -> NDArray[np.float64]:
    """Return the values of a window in a map, (height, width): NaN for padding, which no mode counts."""
    rows, columns = np.arange(window.top, window.bottom), np.arange(window.left, window.right)
    return read_cells(image[:, :, np.newaxis], rows[:, None], columns[None], np.nan)[:, :, 0]


class _WindowPooling(Pooling, abstract=True):
    pool_size: tuple[int, int] = setting(pair(1), (2, 2))
    strides: tuple[int, int] | None = setting(optional(pair(1)), None)
    padding: str = setting(one_of("valid", "same"), "valid")

    family = "{}Pooling2D"

    @property
    def window(self) -> Window:
        return Window(self.pool_size, self.strides or self.pool_size, (1, 1), self.padding)

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = image_shape(*inputs)
        return (*self.window.output_size((height, width)), channels)

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        height, width, channels = output
        read = height * width * math.prod(self.pool_size) * max(channels, LANES)
        return SLOWER_BY_WINDOWS * read + super().count_operations(inputs, output)

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return count_pointers(self.window, output) + super().count_scratch(inputs, output)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.pool_2d(inputs[0], self.window, self.mode)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Give each window's gradient to the cell that was kept, the first of equal ones, or to all of an average."""
        (image,) = inputs
        sweep = Sweep(self.window, (image.shape[0], image.shape[1]), (output.shape[0], output.shape[1]))
        padded = sweep.make_padded(len(gradients), channels=image.shape[2], dtype=gradients.dtype)
        if self.mode is PoolingMode.AVERAGE:
            _spread_evenly(gradients, sweep, padded)
        else:
            _spread_to_kept(gradients, sweep, padded, sweep.pad(image, np.nan), output)
        return PassedBack((sweep.crop(padded),))

    def _window_of(self, image: Array, place: CellIndex) -> Region:
        row, column, _ = place
        return self.window.region(Region(row, column, row + 1, column + 1), image.shape[:2])

    def read_region(self, cells: Region, size: Size) -> Region:
        return self.window.region(cells, size)

    def describe(self) -> str:
        cells = self.pool_size[0] * self.pool_size[1]
        steps = describe_steps(self.window, "padded")
        return f"{self.describe_briefly()}, {steps}: {_KEEPS[self.mode]} of {_COUNTS.get(cells, str(cells))} cells"

    def describe_briefly(self) -> str:
        return "{}×{} {} pooling".format(*self.pool_size, self.mode)

    def describe_unmoded(self) -> str:
        return "{}×{} pooling, {}".format(*self.pool_size, describe_steps(self.window, "padded"))


def _spread_evenly(gradients: Gradients, sweep: Sweep, padded: Gradients) -> None:
    """Add an equal share of each window's gradient to all of its cells that are no padding."""
    ones = sweep.pad(np.ones((*sweep.size, 1), gradients.dtype), 0.0)
    counts = sum(ones[cells] for _, _, cells in sweep.cells())
    shares = gradients / counts
    for _, _, cells in sweep.cells():
        padded[cells] += shares


def _spread_to_kept(gradients: Gradients, sweep: Sweep, padded: Gradients, image: Array, output: Array) -> None:
    """Add each window's gradient to the first of its cells that is equal to what was kept. image: padded with NaN."""
    is_open = np.ones(output.shape, np.bool_)
    for _, _, cells in sweep.cells():
        is_kept = (image[cells] == output) & is_open
        is_open &= ~is_kept
        padded[cells] += gradients * is_kept


class MaxPooling2D(_WindowPooling):
    """The largest value of each window."""

    mode = PoolingMode.MAX
    aliases = ("MaxPool2D",)


class AveragePooling2D(_WindowPooling):
    """The mean of each window's values, padding not counted."""

    mode = PoolingMode.AVERAGE
    aliases = ("AvgPool2D",)


class MinPooling2D(_WindowPooling):
    """The smallest value of each window."""

    mode = PoolingMode.MIN
    aliases = ("layerglass>MinPooling2D",)


def _shares(cells: Array, kept: Array, mode: PoolingMode) -> NDArray[Any]:
    """Return the share that each of the cells, (rows, columns, channels), has in what was kept of all of them."""
    if mode is PoolingMode.AVERAGE:
        return np.full(cells.shape, 1 / (cells.shape[0] * cells.shape[1]))
    is_kept = cells == kept
    return is_kept / np.maximum(is_kept.sum(axis=(0, 1)), 1)


class _GlobalPooling(Pooling, abstract=True):
    """The window is the whole map."""

    keepdims: bool = setting(flag, False)

    family = "Global{}Pooling2D"
    makes_vector = True
    keeps_probabilities = True
    mixes_everything = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        _, _, channels = image_shape(*inputs)
        return (1, 1, channels) if self.keepdims else (channels,)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.reduce(inputs[0], self.mode, self.keepdims)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Give each map's gradient to the cells that were kept, evenly to equal ones, as TensorFlow does here."""
        (image,) = inputs
        shape = (1, 1, image.shape[2])
        shares = _shares(image, output.reshape(shape), self.mode)
        return PassedBack((gradients.reshape(-1, *shape) * shares.astype(gradients.dtype),))

    def _window_of(self, image: Array, place: CellIndex) -> Region:
        return Region(0, 0, *image.shape[:2])

    def describe(self) -> str:
        return f"{self.mode} pooling of each whole map"

    def describe_unmoded(self) -> str:
        return "pooling of each whole map"


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest value of each map."""

    mode = PoolingMode.MAX
    aliases = ("GlobalMaxPool2D",)


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each map."""

    mode = PoolingMode.AVERAGE
    aliases = ("GlobalAvgPool2D",)


class GlobalMinPooling2D(_GlobalPooling):
    """The smallest value of each map."""

    mode = PoolingMode.MIN
    aliases = ("layerglass>GlobalMinPooling2D",)


class _AdaptivePooling(Pooling, abstract=True):
    """As many windows as asked for, as even as they can be.

    Along a side of s cells, window i of n reads the cells floor(i·s / n) to ceil((i + 1)·s / n) - 1.
    """

    output_size: tuple[int, int] = setting(pair(1))

    family = "Adaptive{}Pooling2D"

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        _, _, channels = image_shape(*inputs)
        return (*self.output_size, channels)

    def read_region(self, cells: Region, size: Size) -> Region:
        (rows, columns), (height, width) = self.output_size, size
        if height is None or width is None:
            return Region(0, 0, height or 0, width or 0)
        top, left = cells.top * height // rows, cells.left * width // columns
        return Region(top, left, -(-cells.bottom * height // rows), -(-cells.right * width // columns))

    def _window_of(self, image: Array, place: CellIndex) -> Region:
        row, column, _ = place
        return self.read_region(Region(row, column, row + 1, column + 1), image.shape[:2])

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Give each window's gradient to the cells that were kept, evenly to equal ones."""
        (image,) = inputs
        passed = np.zeros((len(gradients), *image.shape), gradients.dtype)
        for row, column in np.ndindex(*self.output_size):
            window = self._window_of(image, (row, column, 0))
            rows, columns = slice(window.top, window.bottom), slice(window.left, window.right)
            shares = _shares(image[rows, columns], output[row, column], self.mode)
            passed[:, rows, columns] += gradients[:, row : row + 1, column : column + 1] * shares
        return PassedBack((passed,))

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return the bytes of its bands of rows and of columns; each band may overlap the next by one."""
        (height, width, channels), (rows, columns) = inputs[0], self.output_size
        return FLOAT_BYTES * channels * ((height + rows) * width + rows * (width + columns) + 2 * rows * width)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        """Pool rows, then columns: of a rectangle, that is the same in every mode."""
        for axis in (0, 1):
            size = (inputs[0].shape[1], inputs[0].shape[2])
            parts = []
            for cell in range(self.output_size[axis]):
                region = self.read_region(Region(cell, cell, cell + 1, cell + 1), size)
                margins = [(region.top, size[0] - region.bottom), (region.left, size[1] - region.right)]
                margins[1 - axis] = (0, 0)
                parts.append(graph.reduce(graph.crop(inputs[0], margins), self.mode, keepdims=True, axes=(axis + 1,)))
            inputs = [graph.concatenate(parts, axis + 1)]
        return inputs[0]

    def describe(self) -> str:
        return "{} pooling into {}×{} cells".format(self.mode, *self.output_size)

    def describe_unmoded(self) -> str:
        return "pooling into {}×{} cells".format(*self.output_size)


class AdaptiveMaxPooling2D(_AdaptivePooling):
    """The largest value of each window."""

    mode = PoolingMode.MAX
    aliases = ("layerglass>AdaptiveMaxPooling2D",)

    def as_keras(self) -> KerasForm:
        """Return itself, except for one column, which ends the process of Keras 3.15 (see app.cnn.tensorflow)."""
        if self.output_size == (1, 1):
            return KerasForm(("GlobalMaxPooling2D", {"keepdims": True}))
        if self.output_size[1] == 1:
            raise CannotSave(f"“{self.name}” pools into one column, which Keras 3.15 cannot do")
        return super().as_keras()


class AdaptiveAveragePooling2D(_AdaptivePooling):
    """The mean of each window's values."""

    mode = PoolingMode.AVERAGE


class AdaptiveMinPooling2D(_AdaptivePooling):
    """The smallest value of each window."""

    mode = PoolingMode.MIN
    aliases = ("layerglass>AdaptiveMinPooling2D",)
