"""Convolutions: what all of them share, and Conv2D.

Convolution is what deep learning calls by that name, a cross-correlation (Goodfellow, Bengio and Courville, Deep
Learning, 2016, section 9.1).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell, ConvolutionCell, Term
from ..errors import InvalidEdit, require_few
from ..gradients import Gradients, PassedBack, channel_sums
from ..sweep import Sweep
from ..types import Array, Maps, Shape, Variables, Weights
from ..windows import Region, Size, Window
from .activation_functions import FUNCTIONS, activate, function_name, require_zero_stays
from .activation_gradients import pass_activation
from .checks import UNITS, flag, one_of, optional, pair, setting, whole
from .convolution_sums import convolve, spread
from .layer import (
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
EVERY = slice(None)


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
    read: Array = image[EVERY, EVERY, slice(int(channels[0]), int(channels[-1]) + 1)]
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
        return "kernel", (EVERY, EVERY, channel - first, number)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        made = graph.conv_2d(inputs[0], weights["kernel"], weights.get("bias"), self.window)
        return activate(graph, self.activation, made)

    def _convolve(self, weights: Weights, image: NDArray[np.float64]) -> NDArray[np.float64]:
        return convolve(weights["kernel"], image, self._sweep(image.shape))

    def _spread(self, weights: Weights, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        return spread(weights["kernel"], gradients, self._sweep(shape), shape[2])
