"""Convolutions: Conv2D, depthwise, separable and transposed.

Convolution is what deep learning calls by that name, a cross-correlation (Goodfellow, Bengio and Courville, Deep
Learning, 2016, section 9.1).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell, ConvolutionCell, Term
from ..errors import InvalidEdit, NoArithmetic, UnsupportedLayer, require_few
from ..gradients import Gradients, PassedBack, channel_sums
from ..sweep import Sweep
from ..types import Array, Maps, Shape, Variables, Weights
from ..windows import Region, Size, Window, read_cells
from .activation_functions import FUNCTIONS, activate, function_name, require_zero_stays
from .activation_gradients import pass_activation
from .checks import UNITS, flag, one_of, optional, pair, setting, whole
from .layer import (
    FLOAT_BYTES,
    POINTER_BYTES,
    CellIndex,
    GraphBuilder,
    Layer,
    Sizes,
    Tensor,
    WeightsPlace,
    image_shape,
    require,
)

LANES = 16  # numbers that a processor multiplies at once, whether there are as many or not
SLOWER_BY_WINDOWS = 8  # than a product of matrices: every number is looked up, and its place worked out before
_EVERY = slice(None)


def count_pointers(window: Window, output: Sizes) -> int:
    """Return the bytes of XNNPACK's table for windows that are read channel by channel.

    For each row of places a pointer to each cell that their windows read, column by column; neighbours share columns.
    """
    (height, width, _), (rows, columns), (_, step) = output, window.size, window.strides
    return POINTER_BYTES * height * rows * (columns + (width - 1) * min(step, columns))


class Convolution(Layer, abstract=True):
    """The settings and the arithmetic that all convolutions share."""

    kernel_size: tuple[int, int] = setting(pair(1))
    strides: tuple[int, int] = setting(pair(1), (1, 1))
    padding: str = setting(one_of("valid", "same"), "valid")
    dilation_rate: tuple[int, int] = setting(pair(1), (1, 1))
    activation: str = setting(function_name, "linear")
    use_bias: bool = setting(flag, True)
    data_format: str | None = setting(optional(one_of("channels_last")), None, compare=False)

    has_partial_maps = True
    title: ClassVar[str] = "convolution"
    mixing_kernel: ClassVar[str] = "kernel"  # the weights that make each map

    @property
    def is_convolution(self) -> bool:
        return True

    @property
    def window(self) -> Window:
        return Window(self.kernel_size, self.strides, self.dilation_rate, self.padding)

    @property
    def kernels(self) -> int | None:
        """The number of kernels; None where it follows from the input."""
        return None

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        """Return the window's places, and one channel for each kernel. Strides and dilation do not go together."""
        height, width, channels = image_shape(*inputs)
        require(max(self.strides) == 1 or max(self.dilation_rate) == 1)
        return (*self.window.output_size((height, width)), self.kernels or channels)

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        height, width, _ = output
        return height * width * math.prod(self.kernel_size) * self._count_products(inputs[0][2], output[2])

    def _count_products(self, channels: int, filters: int) -> int:
        """Return the multiplications of one cell of the kernel at one place, those of idle lanes included."""
        return channels * max(filters, LANES)

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return XNNPACK's table: for each place a pointer to each cell that its window reads."""
        if self.kernel_size == (1, 1):
            return 0
        height, width, _ = output
        return POINTER_BYTES * height * width * math.prod(self.kernel_size)

    def _bias(self, size: int) -> Variables:
        return {"bias": (size,)} if self.use_bias else {}

    def read_region(self, cells: Region, size: Size) -> Region:
        return self.window.region(cells, size)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        row, column, channel = place
        channels, kernels = self.map_kernels(weights, inputs[0].shape[2], channel)
        window, patch = self.window.patch(_read_channels(inputs[0], channels), row, column, padding=0.0)
        return self._cell(weights, window, channels, patch, kernels, channel, value)

    def _cell(
        self,
        weights: Weights,
        window: Region,
        channels: NDArray[np.intp],
        patch: NDArray[np.float64],
        kernels: NDArray[np.float64],
        channel: int,
        value: float,
    ) -> ConvolutionCell:
        """Return the sum of patch times kernel over all channels read, plus the bias. patch, kernels: of one shape."""
        sums = (patch * kernels).sum(axis=(0, 1)).tolist()
        terms = tuple(
            Term(source, patch[:, :, index], kernels[:, :, index], sums[index])
            for index, source in enumerate(channels.tolist())
        )
        bias = float(weights["bias"][channel]) if self.use_bias else 0.0
        return ConvolutionCell(window, terms, bias, sum(sums) + bias, self.activation, value)

    def map_kernels(
        self, weights: Weights, input_channels: int, channel: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        require_few(self._count_weights(weights))
        return self._map_kernels(weights, input_channels, channel)

    def _count_weights(self, weights: Weights) -> int:
        """Return how many weights the kernels of one feature map have."""
        raise NotImplementedError

    def _map_kernels(
        self, weights: Weights, input_channels: int, channel: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return what map_kernels does, without its check."""
        raise NotImplementedError

    def partial_maps(
        self, weights: Weights, image: Maps, channel: int, shape: tuple[int, int], terms: slice = slice(None)
    ) -> NDArray[np.float64] | None:
        channels, kernels = self.map_kernels(weights, image.shape[2], channel)
        read, kernels = _read_channels(image, channels[terms]), kernels[:, :, terms]
        sums = np.zeros((*shape, kernels.shape[2]))
        for row, band in enumerate(kernels):
            for first, lines in self.window.lines(read, shape, row):
                part = sums[first : first + len(lines)]
                for weight, cells in zip(band, self.window.columns(lines, shape[1]), strict=True):
                    part += cells * weight
        return sums

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        before, left_over = pass_activation(
            self.activation, gradients, output, lambda: self.pre_activation(weights, inputs), self.name
        )
        bias = channel_sums(before) * weights["bias"] if self.use_bias else None
        return PassedBack((self._spread(weights, before, inputs[0].shape),), bias, left_over)

    def before_activation(self) -> Layer:
        return replace(self, activation="linear")

    def pre_activation(self, weights: Weights, inputs: Sequence[Array]) -> NDArray[np.float64]:
        sums = self._convolve(weights, inputs[0].astype(np.float64))
        return sums + weights["bias"] if self.use_bias else sums

    def _sweep(self, size: Sequence[int]) -> Sweep:
        """Return the window's places over an input of this height and width."""
        height, width = size[0], size[1]
        rows, columns = self.window.output_size((height, width))
        return Sweep(self.window, (height, width), (rows or 0, columns or 0))

    def _convolve(self, weights: Weights, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums of all cells, without the bias."""
        raise NotImplementedError

    def _spread(self, weights: Weights, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        """Return the gradients of an input of this shape, for those of the sums."""
        raise NotImplementedError

    @property
    def can_mute(self) -> bool:
        return FUNCTIONS[self.activation].keeps_zero

    def mute(self, weights: Weights, maps: Sequence[int]) -> Weights:
        require_zero_stays(self.name, self.activation)
        muted = {name: np.array(weights[name]) for name in (self.mixing_kernel, "bias") if name in weights}
        self._by_map(muted[self.mixing_kernel])[..., list(maps)] = 0
        if "bias" in muted:
            muted["bias"][list(maps)] = 0
        return {**weights, **muted}

    def _require_channel(self, number: int, first: int, count: int) -> None:
        """Check that a map reads a channel. first, count: of those that it reads. Raises: InvalidEdit."""
        if not first <= number < first + count:
            reads = f"channel {first} alone" if count == 1 else f"channels {first} to {first + count - 1}"
            raise InvalidEdit(f"This map of “{self.name}” does not read channel {number:,}. It reads {reads}.")

    def _by_map(self, kernel: Array) -> Array:
        """Return a view of the kernel whose last axis counts the feature maps."""
        return kernel

    def describe(self) -> str:
        steps = describe_steps(self.window, "zero padding")
        rows, columns = self.dilation_rate
        gaps = "" if rows == columns == 1 else f"dilation {rows}" if rows == columns else f"dilation {rows}×{columns}"
        return _join(f"{self._size} {self.title}", self._count, steps, gaps, FUNCTIONS[self.activation].describe())

    def describe_briefly(self) -> str:
        return _join(f"{self._size} convolution", self._count, FUNCTIONS[self.activation].describe())

    @property
    def _size(self) -> str:
        return "{}×{}".format(*self.kernel_size)

    @property
    def _count(self) -> str:
        if self.kernels is None:
            return ""
        return "1 kernel" if self.kernels == 1 else f"{self.kernels} kernels"


def _read_channels(image: Maps, channels: NDArray[np.intp]) -> Array:
    """Return these channels of an image, which follow each other."""
    read: Array = image[_EVERY, _EVERY, slice(int(channels[0]), int(channels[-1]) + 1)]
    return read


def describe_steps(window: Window, padded: str) -> str:
    """Return a window's stride and padding in words."""
    rows, columns = window.strides
    stride = f"stride {rows}" if rows == columns else f"stride {rows}×{columns}"
    return f"{stride}, {padded if window.padding == 'same' else 'no padding'}"


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


class Conv2D(Convolution):
    """A kernel for each feature map over all channels, or over those of its group."""

    filters: int = setting(whole(1, UNITS))
    groups: int = setting(whole(1, UNITS), 1)

    aliases = ("Convolution2D", "AtrousConvolution2D")

    @property
    def kernels(self) -> int:
        return self.filters

    def variable_shapes(self, *inputs: Shape) -> Variables:
        _, _, channels = image_shape(*inputs)
        require(channels % self.groups == 0 and self.filters % self.groups == 0)
        return {"kernel": (*self.kernel_size, channels // self.groups, self.filters), **self._bias(self.filters)}

    def _count_weights(self, weights: Weights) -> int:
        return math.prod(weights["kernel"].shape[:3])

    def _map_kernels(
        self, weights: Weights, input_channels: int, channel: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        kernel = weights["kernel"]  # (height, width, input channels of a group, filters)
        size = kernel.shape[2]
        group = channel // (kernel.shape[3] // (input_channels // size))
        return np.arange(group * size, (group + 1) * size), kernel[:, :, :, channel].astype(np.float64)

    def kernel_place(self, number: int, channel: int) -> WeightsPlace:
        *_, size, filters = self.variables["kernel"]
        first = number // (filters // self.groups) * size
        self._require_channel(channel, first, size)
        return "kernel", (_EVERY, _EVERY, channel - first, number)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        made = graph.conv_2d(inputs[0], weights["kernel"], weights.get("bias"), self.window)
        return activate(graph, self.activation, made)

    def _convolve(self, weights: Weights, image: NDArray[np.float64]) -> NDArray[np.float64]:
        return _convolve(weights["kernel"], image, self._sweep(image.shape))

    def _spread(self, weights: Weights, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        return _spread(weights["kernel"], gradients, self._sweep(shape), shape[2])


def _convolve(kernel: Array, maps: NDArray[Any], sweep: Sweep) -> NDArray[Any]:
    """Return the sums of a convolution over (..., height, width, channels).

    kernel: (rows, columns, channels of a group, filters).
    """
    size, filters = kernel.shape[2:]
    groups = maps.shape[-1] // size
    padded = sweep.pad(maps, 0.0)
    sums = np.zeros((groups, math.prod((*maps.shape[:-3], *sweep.places)), filters // groups), maps.dtype)
    for row, column, cells in sweep.cells():
        read = padded[cells].reshape(-1, groups, size).swapaxes(0, 1)
        sums += read @ kernel[row, column].reshape(size, groups, -1).swapaxes(0, 1)
    return sums.swapaxes(0, 1).reshape(*maps.shape[:-3], *sweep.places, filters)


def _spread(kernel: Array, gradients: Gradients, sweep: Sweep, channels: int) -> Gradients:
    """Return the gradients of an input of so many channels: each goes by the kernel to all cells that were read."""
    size, filters = kernel.shape[2:]
    groups = channels // size
    flat = gradients.reshape(-1, groups, filters // groups).swapaxes(0, 1)
    padded = sweep.make_padded(len(gradients), channels=channels, dtype=gradients.dtype)
    for row, column, cells in sweep.cells():
        weights = kernel[row, column].reshape(size, groups, -1).transpose(1, 2, 0)
        padded[cells] += (flat @ weights).swapaxes(0, 1).reshape(*gradients.shape[:-1], channels)
    return sweep.crop(padded)


class _Depthwise(Convolution, abstract=True):
    """Convolutions that read each channel by itself. TensorFlow computes them with square steps only."""

    depth_multiplier: int = setting(whole(1, UNITS), 1)

    def _count_products(self, channels: int, filters: int) -> int:
        return SLOWER_BY_WINDOWS * max(channels * self.depth_multiplier, LANES)

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return count_pointers(self.window, output)

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        require(len(set(self.strides)) == len(set(self.dilation_rate)) == 1)
        return super().compute_output_shape(*inputs)


def _convolve_channels(kernel: Array, image: NDArray[np.float64], sweep: Sweep) -> NDArray[np.float64]:
    """Return the sums of a depthwise convolution. kernel: (rows, columns, channels, multiplier)."""
    padded = sweep.pad(image, 0.0)[..., None]
    sums = np.zeros((*sweep.places, *kernel.shape[2:]))
    for row, column, cells in sweep.cells():
        sums += padded[(*cells, slice(None))] * kernel[row, column]
    return sums.reshape(*sweep.places, -1)


def _spread_channels(kernel: Array, gradients: Gradients, sweep: Sweep) -> Gradients:
    """Return the gradients of the input of a depthwise convolution."""
    channels, multiplier = kernel.shape[2:]
    parts = gradients.reshape(*gradients.shape[:-1], channels, multiplier)
    padded = sweep.make_padded(len(gradients), channels=channels, dtype=gradients.dtype)
    for row, column, cells in sweep.cells():
        padded[cells] += np.einsum("...cm,cm->...c", parts, kernel[row, column])
    return sweep.crop(padded)


class DepthwiseConv2D(_Depthwise):
    """A kernel, or several, for each channel by itself."""

    aliases = ("DepthwiseConvolution2D",)
    old_variables = MappingProxyType({"depthwise_kernel": "kernel"})
    title = "depthwise convolution, a kernel for each map by itself"

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = super().compute_output_shape(*inputs)
        return height, width, (channels or 0) * self.depth_multiplier

    def variable_shapes(self, *inputs: Shape) -> Variables:
        _, _, channels = image_shape(*inputs)
        kernel = (*self.kernel_size, channels, self.depth_multiplier)
        return {"kernel": kernel, **self._bias(channels * self.depth_multiplier)}

    def _count_weights(self, weights: Weights) -> int:
        return math.prod(weights["kernel"].shape[:2])

    def _map_kernels(
        self, weights: Weights, input_channels: int, channel: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        kernel = weights["kernel"]  # (height, width, input channels, multiplier)
        source, multiple = divmod(channel, kernel.shape[3])
        return np.array([source]), kernel[:, :, [source], multiple].astype(np.float64)

    def kernel_place(self, number: int, channel: int) -> WeightsPlace:
        source, multiple = divmod(number, self.depth_multiplier)
        self._require_channel(channel, source, 1)
        return "kernel", (_EVERY, _EVERY, source, multiple)

    def _by_map(self, kernel: Array) -> Array:
        return kernel.reshape(*kernel.shape[:2], -1)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        made = graph.depthwise_conv_2d(inputs[0], weights["kernel"], weights.get("bias"), self.window)
        return activate(graph, self.activation, made)

    def _convolve(self, weights: Weights, image: NDArray[np.float64]) -> NDArray[np.float64]:
        return _convolve_channels(weights["kernel"], image, self._sweep(image.shape))

    def _spread(self, weights: Weights, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        return _spread_channels(weights["kernel"], gradients, self._sweep(shape))


class SeparableConv2D(_Depthwise):
    """A depthwise convolution, then one of single cells that mixes its channels."""

    filters: int = setting(whole(1, UNITS))

    aliases = ("SeparableConvolution2D",)
    title = "separable convolution"
    mixing_kernel = "pointwise_kernel"

    @property
    def kernels(self) -> int:
        return self.filters

    def variable_shapes(self, *inputs: Shape) -> Variables:
        _, _, channels = image_shape(*inputs)
        return {
            "depthwise_kernel": (*self.kernel_size, channels, self.depth_multiplier),
            "pointwise_kernel": (1, 1, channels * self.depth_multiplier, self.filters),
            **self._bias(self.filters),
        }

    def _count_weights(self, weights: Weights) -> int:
        return math.prod(weights["depthwise_kernel"].shape)

    def _map_kernels(
        self, weights: Weights, input_channels: int, channel: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the two steps as one: each channel's depthwise kernels times their pointwise weights."""
        depthwise = weights["depthwise_kernel"].astype(np.float64)  # (height, width, input channels, multiplier)
        pointwise = weights["pointwise_kernel"][0, 0, :, channel].astype(np.float64)
        combined = depthwise * pointwise.reshape(depthwise.shape[2:])
        return np.arange(input_channels), combined.sum(axis=3)

    def kernel_place(self, number: int, channel: int) -> WeightsPlace:
        raise InvalidEdit(
            f"The kernels of “{self.name}” are products of its depthwise_kernel and its pointwise_kernel. Set single "
            "numbers of these."
        )

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        mixed = math.prod(output) * inputs[0][2] * self.depth_multiplier
        return super().count_operations(inputs, output) + mixed

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        height, width, _ = output
        between = FLOAT_BYTES * height * width * inputs[0][2] * self.depth_multiplier
        return super().count_scratch(inputs, output) + between

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        filtered = graph.depthwise_conv_2d(inputs[0], weights["depthwise_kernel"], None, self.window)
        made = graph.conv_2d(filtered, weights["pointwise_kernel"], weights.get("bias"), Window((1, 1)))
        return activate(graph, self.activation, made)

    def _convolve(self, weights: Weights, image: NDArray[np.float64]) -> NDArray[np.float64]:
        filtered = _convolve_channels(weights["depthwise_kernel"], image, self._sweep(image.shape))
        return np.asarray(filtered @ weights["pointwise_kernel"][0, 0])

    def _spread(self, weights: Weights, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        filtered = gradients @ weights["pointwise_kernel"][0, 0].T
        return _spread_channels(weights["depthwise_kernel"], filtered, self._sweep(shape))


class Conv2DTranspose(Convolution):
    """Each input cell puts its multiple of the kernel into the output, a stride further for each cell.

    Cell i of the input reaches the cells i·s - p .. i·s - p + k - 1 of the output.
    """

    filters: int = setting(whole(1, UNITS))
    output_padding: tuple[int, int] | None = setting(optional(pair(0)), None)

    aliases = ("Deconvolution2D", "Convolution2DTranspose")
    has_partial_maps = False
    title = "transposed convolution"

    @property
    def kernels(self) -> int:
        return self.filters

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        height, width, _ = image_shape(*inputs)
        require(self.output_padding is None and self.dilation_rate == (1, 1))
        return (*self._output_size((height, width)), self.filters)

    def _output_size(self, size: Size) -> Size:
        """Return n · s, and without padding as much more as the kernel is larger than the stride."""
        height, width = (
            None if side is None else side * stride + (0 if self.padding == "same" else max(kernel - stride, 0))
            for side, kernel, stride in zip(size, self.kernel_size, self.strides, strict=True)
        )
        return height, width

    def variable_shapes(self, *inputs: Shape) -> Variables:
        _, _, channels = image_shape(*inputs)
        return {"kernel": (*self.kernel_size, self.filters, channels), **self._bias(self.filters)}

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return math.prod(inputs[0]) * math.prod(self.kernel_size) * max(self.filters, LANES)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        if self.dilation_rate != (1, 1) or self.output_padding is not None:
            raise UnsupportedLayer("a transposed convolution with dilation or output_padding")
        height, width = self._output_size((inputs[0].shape[1], inputs[0].shape[2]))
        made = graph.transpose_conv(inputs[0], weights["kernel"], weights.get("bias"), self.window, (height, width))
        return activate(graph, self.activation, made)

    def map_kernels(
        self, weights: Weights, input_channels: int, channel: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        raise NoArithmetic(self.kind)  # each cell is reached by other weights

    def kernel_place(self, number: int, channel: int) -> WeightsPlace:
        self._require_channel(channel, 0, self.variables["kernel"][3])
        return "kernel", (_EVERY, _EVERY, number, channel)

    def partial_maps(
        self, weights: Weights, image: Maps, channel: int, shape: tuple[int, int], terms: slice = slice(None)
    ) -> NDArray[np.float64] | None:
        return None

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        """Return the input cells that reach a cell of the output, and the weight of each."""
        image, (row, column, channel) = inputs[0], place
        region = self.read_region(Region(row, column, row + 1, column + 1), image.shape[:2])
        require_few(region.height * region.width * image.shape[2])
        down, across = np.arange(region.top, region.bottom), np.arange(region.left, region.right)
        patch = read_cells(image, down[:, None], across[None], 0.0)
        rows, hits_row = self._kernel_places(0, row, down)
        columns, hits_column = self._kernel_places(1, column, across)
        kernels = weights["kernel"][:, :, channel][np.ix_(rows, columns)].astype(np.float64)
        kernels *= (hits_row[:, None] & hits_column[None])[:, :, None]
        return self._cell(weights, region, np.arange(image.shape[2]), patch, kernels, channel, value)

    def _sweep(self, size: Sequence[int]) -> Sweep:
        """Return the window's places over the output, for an input of this size: they are the input's cells."""
        height, width = self._made_size((size[0], size[1]))
        return Sweep(self.window, (height, width), (size[0], size[1]))

    def _made_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the output."""
        rows, columns = self.output_shape[:2]
        own = self._output_size(size)
        return rows or own[0] or 0, columns or own[1] or 0

    def _convolve(self, weights: Weights, image: NDArray[np.float64]) -> NDArray[np.float64]:
        return _spread(weights["kernel"], image[np.newaxis], self._sweep(image.shape), self.filters)[0]

    def _spread(self, weights: Weights, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        return _convolve(weights["kernel"], gradients, self._sweep(shape))

    def _by_map(self, kernel: Array) -> Array:
        return kernel.swapaxes(2, 3)

    def _kernel_places(
        self, axis: int, cell: int, read: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return the row (axis 0) or column (axis 1) of the kernel by which each input cell reaches an output cell.

        An input cell i puts the kernel's first row at i times the stride, less the padding, and the others a dilation
        apart. Returns: the rows, and where there is one: elsewhere the cell falls into a gap.
        """
        offsets = cell + self._padding(axis) - read * self.strides[axis]
        places, gaps = np.divmod(offsets, self.dilation_rate[axis])
        return places, gaps == 0

    def read_region(self, cells: Region, size: Size) -> Region:
        (top, _), (left, _) = self._read(0, cells.top), self._read(1, cells.left)
        (_, bottom), (_, right) = self._read(0, cells.bottom - 1), self._read(1, cells.right - 1)
        return Region(top, left, bottom, right)

    def _read(self, axis: int, cell: int) -> tuple[int, int]:
        """Return the first row (axis 0) or column (axis 1) that reaches a cell, and the one after the last."""
        stride, extent, padding = self.strides[axis], self.window.extent[axis], self._padding(axis)
        return -((extent - 1 - cell - padding) // stride), (cell + padding) // stride + 1

    def _padding(self, axis: int) -> int:
        """Return how many rows (axis 0) or columns (axis 1) are cut off before the first one that is kept."""
        return max(self.window.extent[axis] - self.strides[axis], 0) // 2 if self.padding == "same" else 0
