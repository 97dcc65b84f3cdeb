"""Where one value comes from: the arithmetic of a single cell, part by part.

Everything here is plain NumPy in float64 over the float32 values that the network computed, so that the parts add up
to more digits than the network itself keeps. Convolution is what deep learning calls by that name, a cross-correlation
(Goodfellow, Bengio and Courville, Deep Learning, 2016, section 9.1).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.cnn.cells import (
    Cell,
    Contribution,
    ConvolutionCell,
    DenseCell,
    ElementwiseCell,
    MovedCell,
    PoolingCell,
    SoftmaxCell,
    Term,
)
from app.cnn.layers import Layer, Window
from app.cnn.parts import Weights
from app.cnn.pooling import PoolingMode
from app.cnn.receptive_field import Region, read_transposed, read_window, transposed_padding

Array = NDArray[np.float32]


class NoArithmetic(NotImplementedError):
    """There is no arithmetic for this kind of layer yet."""

    def __init__(self, layer: Layer) -> None:
        super().__init__(f"The arithmetic of {layer.kind} layers is not shown yet; its maps and their values are.")


_CONVOLUTIONS = {"Conv2D", "DepthwiseConv2D", "SeparableConv2D"}
_COMBINATIONS: dict[str, Callable[[NDArray[np.float64]], np.float64]] = {
    "Add": np.sum,
    "Average": np.mean,
    "Multiply": np.prod,
    "Maximum": np.max,
    "Minimum": np.min,
}
_ACTIVATION_LAYERS = {"Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "PReLU"}
_MOVING = {"ZeroPadding2D", "Cropping2D", "UpSampling2D", "Concatenate"}
_UNCHANGED = {"Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "Identity"}


# What a broken network makes is not finite, and shall be shown so.
@np.errstate(invalid="ignore", over="ignore")
def explain_cell(
    layer: Layer,
    weights: Weights,
    inputs: tuple[Array, ...],
    output: Array,
    place: tuple[int, ...],
    mode: PoolingMode | None = None,
) -> Cell:
    """The arithmetic of one cell of a layer's output.

    inputs: what the layer read, without the batch; output: what it made of them, the same way. place: where the
    cell is in the output, (row, column, channel) or (unit,). mode: the pooling mode that the network ran in, None for
    each layer's own.
    Raises: NoArithmetic.
    """
    value = float(output[place])
    if layer.pooling is not None:
        return _explain_pooling(layer, inputs[0], place, mode or layer.pooling, value)
    if layer.kind in _CONVOLUTIONS:
        return _explain_convolution(layer, weights, inputs[0], place, value)
    if layer.kind == "Dense" and inputs[0].ndim == 1:
        return _explain_dense(layer, weights, inputs[0], place[0], value)
    if layer.kind == "Flatten":
        row, column, channel = np.unravel_index(place[0], inputs[0].shape) if inputs[0].ndim == 3 else (0, *place, 0)
        return MovedCell(0, (int(row), int(column), int(channel)), value)
    if layer.kind in _MOVING and len(place) == 3:
        return _explain_moved(layer, inputs, place, value)
    if layer.kind == "Conv2DTranspose":
        return _explain_transposed(layer, weights, inputs[0], place, value)
    return _explain_elementwise(layer, weights, inputs, place, value)


@np.errstate(invalid="ignore", over="ignore")
def convolve_channels(
    layer: Layer, weights: Weights, image: Array, channel: int, shape: tuple[int, int]
) -> NDArray[np.float64]:
    """What each input channel gives to one whole feature map: the partial results before they are summed.

    image: (height, width, channels), what the layer read. shape: the feature map's height and width.
    Returns: (height, width, terms) float64; the terms are those of the layer's cells, in order.
    Raises: NoArithmetic.
    """
    if layer.window is None or layer.kind not in _CONVOLUTIONS:
        raise NoArithmetic(layer)
    channels, kernels = feature_map_kernels(layer, weights, image.shape[2], channel)
    window = layer.window
    top, left = (read_window(window, axis, 0, image.shape[axis])[0] for axis in (0, 1))
    rows = np.arange(shape[0])[:, None] * window.strides[0] + top
    columns = np.arange(shape[1])[:, None] * window.strides[1] + left
    rows = rows + np.arange(window.size[0]) * window.dilation[0]  # (height, kernel height)
    columns = columns + np.arange(window.size[1]) * window.dilation[1]  # (width, kernel width)
    patches = _read(image[:, :, channels], rows[:, :, None, None], columns[None, None], 0.0)
    return np.einsum("hkwlc,klc->hwc", patches, kernels)


def feature_map_kernels(
    layer: Layer, weights: Weights, input_channels: int, channel: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Which input channels one feature map reads, and the kernel for each: (height, width, channels read).

    A separable convolution's two steps are one: its depthwise kernels times their pointwise weights.
    Raises: NoArithmetic for a layer that is no convolution of these kinds.
    """
    if layer.kind not in _CONVOLUTIONS:
        raise NoArithmetic(layer)
    if layer.kind == "DepthwiseConv2D":
        kernel = weights["kernel"]  # (height, width, input channels, multiplier)
        source, multiple = divmod(channel, kernel.shape[3])
        return np.array([source]), kernel[:, :, [source], multiple].astype(np.float64)
    if layer.kind == "SeparableConv2D":
        depthwise = weights["depthwise_kernel"].astype(np.float64)  # (height, width, input channels, multiplier)
        pointwise = weights["pointwise_kernel"][0, 0, :, channel].astype(np.float64)
        combined = depthwise * pointwise.reshape(depthwise.shape[2:])
        return np.arange(input_channels), combined.sum(axis=3)
    kernel = weights["kernel"]  # (height, width, input channels of a group, filters)
    size = kernel.shape[2]
    group = channel // (kernel.shape[3] // (input_channels // size))
    return np.arange(group * size, (group + 1) * size), kernel[:, :, :, channel].astype(np.float64)


def _explain_convolution(
    layer: Layer, weights: Weights, image: Array, place: tuple[int, ...], value: float
) -> ConvolutionCell:
    assert layer.window is not None
    row, column, channel = place
    channels, kernels = feature_map_kernels(layer, weights, image.shape[2], channel)
    window = _window_region(layer.window, image, row, column)
    patches = _patch(layer.window, image, row, column, padding=0.0)[:, :, channels]
    terms = tuple(
        Term(
            int(source),
            patches[:, :, index],
            kernels[:, :, index],
            float((patches[..., index] * kernels[..., index]).sum()),
        )
        for index, source in enumerate(channels)
    )
    bias = float(weights["bias"][channel]) if "bias" in weights else 0.0
    pre_activation = sum(term.partial_sum for term in terms) + bias
    return ConvolutionCell(window, terms, bias, pre_activation, layer.activation or "linear", value)


def _explain_transposed(
    layer: Layer, weights: Weights, image: Array, place: tuple[int, ...], value: float
) -> ConvolutionCell:
    """A transposed convolution seen from its output: the input cells that reach it, and the weight of each."""
    assert layer.window is not None
    row, column, channel = place
    top, bottom = read_transposed(layer.window, 0, row)
    left, right = read_transposed(layer.window, 1, column)
    patches = _read(image, np.arange(top, bottom)[:, None], np.arange(left, right)[None], 0.0)
    # An input cell i puts the kernel's first row at i times the stride, less the padding.
    down, across = layer.window.strides
    rows = row + transposed_padding(layer.window, 0) - np.arange(top, bottom) * down
    columns = column + transposed_padding(layer.window, 1) - np.arange(left, right) * across
    kernels = weights["kernel"][np.ix_(rows, columns)][:, :, channel].astype(np.float64)  # (rows, columns, channels)
    partials = (patches * kernels).sum(axis=(0, 1)).tolist()
    terms = tuple(Term(at, patches[:, :, at], kernels[:, :, at], partial) for at, partial in enumerate(partials))
    bias = float(weights["bias"][channel]) if "bias" in weights else 0.0
    window = Region(top, left, bottom, right)
    return ConvolutionCell(window, terms, bias, sum(partials) + bias, layer.activation or "linear", value)


def _explain_moved(layer: Layer, inputs: tuple[Array, ...], place: tuple[int, ...], value: float) -> MovedCell:
    row, column, channel = place
    source = 0
    if layer.kind == "Concatenate":  # of channels: the inputs follow one another
        while channel >= inputs[source].shape[2]:
            channel -= inputs[source].shape[2]
            source += 1
    row, column = (row - layer.offset[0]) // layer.factor[0], (column - layer.offset[1]) // layer.factor[1]
    height, width, _ = inputs[source].shape
    inside = 0 <= row < height and 0 <= column < width
    return MovedCell(source, (row, column, channel) if inside else None, value)


def _explain_pooling(
    layer: Layer, image: Array, place: tuple[int, ...], mode: PoolingMode, value: float
) -> PoolingCell:
    if layer.window is None:  # global pooling: the window is the whole map, and the place is its channel alone
        window, patch = Region(0, 0, *image.shape[:2]), image[:, :, place[-1]].astype(np.float64)
    else:
        row, column, channel = place
        window = _window_region(layer.window, image, row, column)
        patch = _patch(layer.window, image, row, column, padding=np.nan)[:, :, channel]
    counted = patch[~np.isnan(patch)]
    if counted.size == 0:  # no padding: a network whose values are not numbers
        return PoolingCell(window, patch, np.nan, np.nan, np.nan, mode, value)
    return PoolingCell(window, patch, float(counted.max()), float(counted.mean()), float(counted.min()), mode, value)


def _explain_dense(layer: Layer, weights: Weights, values: Array, unit: int, value: float) -> DenseCell:
    kernel = weights["kernel"].astype(np.float64)  # (inputs, units)
    biases = weights["bias"].astype(np.float64) if "bias" in weights else np.zeros(kernel.shape[1])
    products = values * kernel[:, unit]
    parts = zip(values.tolist(), kernel[:, unit].tolist(), products.tolist(), strict=True)
    contributions = tuple(Contribution(index, *part) for index, part in enumerate(parts))
    logits = values @ kernel + biases
    shares = _explain_softmax(logits, unit, value) if layer.activation == "softmax" else None
    pre_activation = float(products.sum() + biases[unit])
    return DenseCell(contributions, float(biases[unit]), pre_activation, layer.activation or "linear", value, shares)


def _explain_softmax(logits: NDArray[np.float64], unit: int, value: float) -> SoftmaxCell:
    shifted = np.exp(logits - logits.max())
    return SoftmaxCell(logits, shifted, float(shifted.sum()), unit, value)


def _explain_elementwise(
    layer: Layer, weights: Weights, inputs: tuple[Array, ...], place: tuple[int, ...], value: float
) -> Cell:
    softmax_layer = layer.kind == "Softmax" or layer.activation == "softmax"
    if softmax_layer and inputs[0].ndim == 1:
        return _explain_softmax(inputs[0].astype(np.float64), place[0], value)
    if layer.kind in _ACTIVATION_LAYERS | _UNCHANGED and not softmax_layer:
        operation = layer.activation or layer.kind.lower()
        return ElementwiseCell((float(inputs[0][place]),), operation, _slopes(layer), value)
    if layer.kind == "Rescaling" and not layer.undescribed:
        parameters = {name: layer.option(name) for name in ("scale", "offset")}
        return ElementwiseCell((float(inputs[0][place]),), "rescaling", parameters, value)
    if layer.kind in _COMBINATIONS and all(each.shape == inputs[0].shape for each in inputs):
        return ElementwiseCell(tuple(float(each[place]) for each in inputs), layer.kind.lower(), {}, value)
    if layer.kind == "BatchNormalization":
        return ElementwiseCell(
            (float(inputs[0][place]),), "batch normalisation", _normalising(layer, weights, place), value
        )
    raise NoArithmetic(layer)


def _slopes(layer: Layer) -> dict[str, float]:
    """What sets an activation layer apart from the plain function of its name: a slope below zero, a ceiling."""
    names = {"negative_slope", "max_value", "threshold", "alpha"}
    return {name: number for name, number in layer.options if name in names and (number or name != "threshold")}


def _normalising(layer: Layer, weights: Weights, place: tuple[int, ...]) -> dict[str, float]:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta (Ioffe and Szegedy, 2015), at inference."""
    names = {"mean": "moving_mean", "variance": "moving_variance", "gamma": "gamma", "beta": "beta"}
    missing = {"gamma": 1.0, "beta": 0.0}
    found = {
        name: float(weights[stored][place[-1]]) if stored in weights else missing[name]
        for name, stored in names.items()
    }
    return found | {"epsilon": layer.option("epsilon")}


def _window_region(window: Window, image: Array, row: int, column: int) -> Region:
    top, bottom = read_window(window, 0, row, image.shape[0])
    left, right = read_window(window, 1, column, image.shape[1])
    return Region(top, left, bottom, right)


def _patch(window: Window, image: Array, row: int, column: int, padding: float) -> NDArray[np.float64]:
    """What a cell reads: (window height, window width, channels)."""
    region = _window_region(window, image, row, column)
    rows = np.arange(region.top, region.bottom, window.dilation[0])
    columns = np.arange(region.left, region.right, window.dilation[1])
    return _read(image, rows[:, None], columns[None], padding)


def _read(image: Array, rows: NDArray[np.intp], columns: NDArray[np.intp], padding: float) -> NDArray[np.float64]:
    """The image at these places, the last axis its channels; padding where a place lies outside."""
    height, width = image.shape[:2]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    values = image[rows.clip(0, height - 1), columns.clip(0, width - 1)].astype(np.float64)
    return np.where(inside[..., None], values, padding)
