"""Layers in words."""

from collections.abc import Sequence

from app.cnn.card import Answer, Fit
from app.cnn.layers import Layer
from app.cnn.pooling import PoolingMode

_ACTIVATIONS = {"relu": "ReLU", "softmax": "softmax", "sigmoid": "logistic function", "tanh": "tanh", "linear": None}
FITS = {
    Fit.DIGIT: "its ink, scaled and centred as MNIST's digits",
    Fit.FIT: "all of it, with a margin",
    Fit.FILL: "its middle",
    Fit.STRETCH: "all of it, stretched",
    Fit.ORIGINAL: "at its own size",
}
ANSWERS = {
    Answer.PROBABILITIES: "probabilities",
    Answer.LOGITS: "scores (logits), shown as their softmax",
    Answer.VALUES: "numbers as they are",
}

_CONVOLUTIONS = {
    "SeparableConv2D": "separable convolution",
    "DepthwiseConv2D": "depthwise convolution, a kernel for each map by itself",
    "Conv2DTranspose": "transposed convolution",
}
_KINDS = {
    "Flatten": "all maps laid out as one row of numbers",
    "BatchNormalization": "batch normalisation: each map shifted and scaled",
    "Normalization": "each channel shifted and scaled",
    "Rescaling": "every value scaled and shifted",
    "ZeroPadding2D": "a border of zeros",
    "Cropping2D": "the border cut away",
    "UpSampling2D": "each cell repeated",
    "Resizing": "resized",
    "Reshape": "the same numbers in another shape",
}
_COUNTS = {4: "four", 9: "nine"}
_COMBINES = {
    "Add": "adds",
    "Subtract": "subtracts the second from the first of",
    "Multiply": "multiplies",
    "Average": "the average of",
    "Maximum": "the larger values of",
    "Minimum": "the smaller values of",
    "Concatenate": "all maps of",
}
_KEEPS = {PoolingMode.MAX: "the maximum", PoolingMode.AVERAGE: "the average", PoolingMode.MIN: "the minimum"}


def describe(layer: Layer, pooling: PoolingMode | None = None) -> str:
    """Describe a layer, such as "3×3 convolution, 16 kernels, stride 1, no padding, ReLU".

    pooling: the mode in effect, if it is not the one that the layer was trained with.
    """
    if layer.pooling is not None:
        return _describe_pooling(layer, pooling or layer.pooling)
    parts = [_describe_kind(layer), _activation(layer)]
    return ", ".join(part for part in parts if part)


def describe_briefly(layer: Layer) -> str:
    """Describe a layer in a few words, such as "3×3 convolution, 16 kernels, ReLU": no stride, no padding."""
    if layer.window is not None:
        height, width = layer.window.size
        size = f"{height}×{width}"
        if layer.pooling is not None:
            return f"{size} {layer.pooling} pooling"
        if layer.is_convolution:
            return ", ".join(part for part in (f"{size} convolution", _kernels(layer), _activation(layer)) if part)
    return "flatten" if layer.kind == "Flatten" else describe(layer)


def describe_unmoded(layer: Layer) -> str:
    """Describe a layer in words that hold in every pooling mode, such as "2×2 pooling, stride 2, no padding"."""
    if layer.pooling is None:
        return describe(layer)
    if layer.window is None:
        return "pooling of each whole map"
    height, width = layer.window.size
    return f"{height}×{width} pooling, {_steps(layer)}"


def _describe_pooling(layer: Layer, mode: PoolingMode) -> str:
    if layer.window is None:
        return f"{mode} pooling of each whole map"
    height, width = layer.window.size
    cells = _COUNTS.get(height * width, str(height * width))
    return f"{height}×{width} {mode} pooling, {_steps(layer)}: {_KEEPS[mode]} of {cells} cells"


def _describe_kind(layer: Layer) -> str:
    if layer.is_convolution and layer.window is not None:
        height, width = layer.window.size
        convolution = f"{height}×{width} {_CONVOLUTIONS.get(layer.kind, 'convolution')}"
        return ", ".join(part for part in (convolution, _kernels(layer), _steps(layer), _gaps(layer)) if part)
    match layer.kind:
        case "Dense":
            return f"fully connected, {layer.filters} {'neuron' if layer.filters == 1 else 'neurons'}"
        case "Dropout":
            return f"dropout of {(layer.rate or 0):.0%} while training; nothing happens here when the network answers"
        case kind if len(layer.inputs) > 1:
            return _COMBINES.get(kind, f"{kind} of") + " " + _and(layer.inputs)
        case "Activation" | "ReLU" | "Softmax":
            return "" if layer.activation else layer.kind
        case kind:
            return _KINDS.get(kind, kind)


def _and(names: Sequence[str]) -> str:
    """Join names: a, b and c."""
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _kernels(layer: Layer) -> str:
    if layer.filters is None:
        return ""
    return "1 kernel" if layer.filters == 1 else f"{layer.filters} kernels"


def _steps(layer: Layer) -> str:
    assert layer.window is not None
    rows, columns = layer.window.strides
    stride = f"stride {rows}" if rows == columns else f"stride {rows}×{columns}"
    padded = layer.window.padding == "same"
    return f"{stride}, {'zero padding' if padded and not layer.is_pooling else 'padded' if padded else 'no padding'}"


def _gaps(layer: Layer) -> str:
    """Describe the dilation, if there is any."""
    assert layer.window is not None
    rows, columns = layer.window.dilation
    return "" if rows == columns == 1 else f"dilation {rows}" if rows == columns else f"dilation {rows}×{columns}"


def _activation(layer: Layer) -> str | None:
    return _ACTIVATIONS.get(layer.activation, layer.activation) if layer.activation else None
