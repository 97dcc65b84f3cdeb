"""Convolutions that read each channel by itself: depthwise, and separable, which then mixes the channels."""

import math
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidEdit
from ..gradients import Gradients
from ..types import Array, Shape, Variables, Weights
from ..windows import Window
from .activation_functions import activate
from .checks import UNITS, setting, whole
from .convolution import EVERY, LANES, SLOWER_BY_WINDOWS, Convolution, count_pointers
from .convolution_sums import convolve_channels, spread_channels
from .layer import (
    FLOAT_BYTES,
    GraphBuilder,
    Sizes,
    Tensor,
    WeightsPlace,
    image_shape,
    require,
)


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
        return "kernel", (EVERY, EVERY, source, multiple)

    def _by_map(self, kernel: Array) -> Array:
        return kernel.reshape(*kernel.shape[:2], -1)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        made = graph.depthwise_conv_2d(inputs[0], weights["kernel"], weights.get("bias"), self.window)
        return activate(graph, self.activation, made)

    def _convolve(self, weights: Weights, image: NDArray[np.float64]) -> NDArray[np.float64]:
        return convolve_channels(weights["kernel"], image, self._sweep(image.shape))

    def _spread(self, weights: Weights, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        return spread_channels(weights["kernel"], gradients, self._sweep(shape))


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
        filtered = convolve_channels(weights["depthwise_kernel"], image, self._sweep(image.shape))
        return np.asarray(filtered @ weights["pointwise_kernel"][0, 0])

    def _spread(self, weights: Weights, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        filtered = gradients @ weights["pointwise_kernel"][0, 0].T
        return spread_channels(weights["depthwise_kernel"], filtered, self._sweep(shape))
