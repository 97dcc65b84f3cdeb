"""Every kind of layer that the fast way knows, and what writes it into a graph."""

from collections.abc import Callable, Mapping

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from app.cnn.layers import Layer, Window
from app.cnn.litert import convolutions
from app.cnn.litert.functions import activate, elu, leaky_relu, softmax
from app.cnn.litert.graph import Graph, Tensor
from app.cnn.litert.unknown import Unknown
from app.cnn.litert.windows import output_size, padding
from app.cnn.parts import Weights
from app.cnn.pooling import PoolingMode

Op = schema.BuiltinOperator
Write = Callable[[Graph, Layer, Weights, list[Tensor]], Tensor]


def write_layer(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    """A layer's output in the graph. Raises: Unknown."""
    if layer.undescribed:
        raise Unknown(f"the {', '.join(layer.undescribed)} of {layer.name}")
    if layer.kind not in WRITERS:
        raise Unknown(f"{layer.kind} layers")
    return WRITERS[layer.kind](graph, layer, weights, inputs)


def _copy(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    """What changes nothing once a model is trained."""
    return _reshaped(graph, inputs[0], inputs[0].shape)


def _flatten(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    return _reshaped(graph, inputs[0], (1, int(np.prod(inputs[0].shape))))


def _reshape(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    if None in layer.output_shape:
        raise Unknown("a new shape of any size")
    return _reshaped(graph, inputs[0], (1, *(size or 0 for size in layer.output_shape)))


def _permute(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    order = (0, *layer.axes)
    shape = [inputs[0].shape[axis] for axis in order]
    return graph.operate(Op.TRANSPOSE, [inputs[0], graph.constant(np.array(order, np.int32))], shape)


def _pad(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    margins = np.array([(0, 0), *layer.margins, (0, 0)], np.int32)
    shape = np.array(inputs[0].shape) + margins.sum(axis=1)
    return graph.operate(Op.PAD, [inputs[0], graph.constant(margins)], shape)


def _crop(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    margins = -np.array([(0, 0), *layer.margins, (0, 0)], np.int32)
    shape = np.array(inputs[0].shape, np.int32) - margins.sum(axis=1, dtype=np.int32)
    if shape.min() < 1:
        raise Unknown("cropping all there is")
    begin = np.ascontiguousarray(margins[:, 0])
    return graph.operate(Op.SLICE, [inputs[0], graph.constant(begin), graph.constant(shape)], shape)


def _enlarge(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    height, width = (size * factor for size, factor in zip(inputs[0].shape[1:3], layer.factor, strict=True))
    return _resized(graph, layer, inputs[0], height, width)


def _resize(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    height, width, _ = layer.output_shape
    return _resized(graph, layer, inputs[0], height or 0, width or 0)


def _pool(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    window, x = layer.window, inputs[0]
    assert window is not None
    shape = (1, *output_size(x, window), x.shape[3])
    options = schema.Pool2DOptionsT(padding(window), *reversed(window.strides), *reversed(window.size))
    if layer.pooling is PoolingMode.AVERAGE:
        return graph.operate(Op.AVERAGE_POOL_2D, [x], shape, options)
    if layer.pooling is PoolingMode.MAX:
        return graph.operate(Op.MAX_POOL_2D, [x], shape, options)
    return graph.unary(Op.NEG, graph.operate(Op.MAX_POOL_2D, [graph.unary(Op.NEG, x)], shape, options))


def _pool_globally(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    assert layer.pooling is not None
    x, keep = inputs[0], len(layer.output_shape) == 3
    shape = (1, 1, 1, x.shape[3]) if keep else (1, x.shape[3])
    axes = graph.constant(np.array([1, 2], np.int32))
    return graph.operate(_REDUCTIONS[layer.pooling], [x, axes], shape, schema.ReducerOptionsT(keepDims=keep))


def _normalise_batch(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta (Ioffe and Szegedy, 2015), at inference."""
    _check_last_axis(layer, inputs[0])
    exact = {name: weight.astype(np.float64) for name, weight in weights.items()}
    scale = exact.get("gamma", 1.0) / np.sqrt(exact["moving_variance"] + layer.option("epsilon"))
    return _scaled(graph, inputs[0], scale, exact.get("beta", 0.0) - exact["moving_mean"] * scale)


def _normalise(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    """(x - mean) / sqrt(variance), which Keras keeps from vanishing with its own epsilon."""
    _check_last_axis(layer, inputs[0])
    exact = {name: weights[name].astype(np.float64) for name in ("mean", "variance")}
    scale = 1 / np.maximum(np.sqrt(exact["variance"]), _KERAS_EPSILON)
    return _scaled(graph, inputs[0], scale, -exact["mean"] * scale)


def _rescale(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    return _scaled(graph, inputs[0], np.array([layer.option("scale")]), np.array([layer.option("offset")]))


def _activation(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    x = inputs[0]
    return (
        _copy(graph, layer, weights, inputs) if layer.activation == "linear" else activate(graph, layer.activation, x)
    )


def _relu(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    """x above zero up to a ceiling, a share of x below."""
    if layer.option("threshold"):
        raise Unknown("a ReLU with a threshold")
    x, slope, ceiling = inputs[0], layer.option("negative_slope"), layer.option("max_value", np.inf)
    if ceiling == 6 and not slope:
        return graph.unary(Op.RELU6, x)
    above = leaky_relu(graph, x, slope) if slope else graph.unary(Op.RELU, x)
    return above if ceiling == np.inf else graph.binary(Op.MINIMUM, above, ceiling)


def _leaky_relu(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    return leaky_relu(graph, inputs[0], layer.option("negative_slope"))


def _elu(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    return elu(graph, inputs[0], layer.option("alpha"))


def _prelu(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    return graph.operate(Op.PRELU, [inputs[0], graph.constant(weights["alpha"])], inputs[0].shape)


def _softmax(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    _check_last_axis(layer, inputs[0])
    return softmax(graph, inputs[0])


def _concatenate(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    axis = layer.axes[0] % len(inputs[0].shape)
    shape = list(inputs[0].shape)
    shape[axis] = sum(tensor.shape[axis] for tensor in inputs)
    return graph.operate(Op.CONCATENATION, inputs, shape, schema.ConcatenationOptionsT(axis=axis))


def _combine(code: int) -> Write:
    """One operator over all inputs, two at a time."""

    def write(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
        if len({len(tensor.shape) for tensor in inputs}) > 1:
            raise Unknown("inputs of different ranks")
        made = inputs[0]
        for tensor in inputs[1:]:
            made = graph.binary(code, made, tensor)
        return made

    return write


def _average(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    return graph.binary(Op.MUL, _combine(Op.ADD)(graph, layer, weights, inputs), 1 / len(inputs))


def _reshaped(graph: Graph, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return graph.operate(Op.RESHAPE, [x, graph.constant(np.array(shape, np.int32))], shape)


def _resized(graph: Graph, layer: Layer, x: Tensor, height: int, width: int) -> Tensor:
    size = graph.constant(np.array([height, width], np.int32))
    shape = (1, height, width, x.shape[3])
    if layer.interpolation == "nearest":
        options = schema.ResizeNearestNeighborOptionsT(halfPixelCenters=True)
        return graph.operate(Op.RESIZE_NEAREST_NEIGHBOR, [x, size], shape, options)
    if layer.interpolation == "bilinear":
        options = schema.ResizeBilinearOptionsT(halfPixelCenters=True)
        return graph.operate(Op.RESIZE_BILINEAR, [x, size], shape, options)
    raise Unknown(f"the interpolation {layer.interpolation}")


def _scaled(graph: Graph, x: Tensor, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> Tensor:
    """x * scale + shift, a number of each for a channel or one for all."""
    times, plus = (values.astype(np.float32) for values in (scale, shift))
    if len(x.shape) == 4 and times.size == x.shape[3]:  # a convolution of single cells is one pass instead of two
        return convolutions.convolve_depthwise(graph, x, times.reshape(1, 1, -1, 1), plus, Window((1, 1)))
    return graph.binary(Op.ADD, graph.operate(Op.MUL, [x, graph.constant(times)], x.shape), graph.constant(plus))


def _check_last_axis(layer: Layer, x: Tensor) -> None:
    if layer.axes not in {(-1,), (len(x.shape) - 1,)}:
        raise Unknown(f"{layer.kind} along another axis than the last")


_KERAS_EPSILON = 1e-7  # keras.config.epsilon()
_REDUCTIONS = {PoolingMode.MAX: Op.REDUCE_MAX, PoolingMode.AVERAGE: Op.MEAN, PoolingMode.MIN: Op.REDUCE_MIN}

WRITERS: Mapping[str, Write] = {
    "Activation": _activation,
    "ActivityRegularization": _copy,
    "Add": _combine(Op.ADD),
    "AlphaDropout": _copy,
    "Average": _average,
    "AveragePooling2D": _pool,
    "BatchNormalization": _normalise_batch,
    "Concatenate": _concatenate,
    "Conv2D": convolutions.convolution,
    "Conv2DTranspose": convolutions.transposed,
    "Cropping2D": _crop,
    "Dense": convolutions.dense,
    "DepthwiseConv2D": convolutions.depthwise,
    "Dropout": _copy,
    "ELU": _elu,
    "Flatten": _flatten,
    "GaussianDropout": _copy,
    "GaussianNoise": _copy,
    "GlobalAveragePooling2D": _pool_globally,
    "GlobalMaxPooling2D": _pool_globally,
    "GlobalMinPooling2D": _pool_globally,
    "Identity": _copy,
    "LeakyReLU": _leaky_relu,
    "MaxPooling2D": _pool,
    "Maximum": _combine(Op.MAXIMUM),
    "MinPooling2D": _pool,
    "Minimum": _combine(Op.MINIMUM),
    "Multiply": _combine(Op.MUL),
    "Normalization": _normalise,
    "PReLU": _prelu,
    "Permute": _permute,
    "ReLU": _relu,
    "Rescaling": _rescale,
    "Reshape": _reshape,
    "Resizing": _resize,
    "SeparableConv2D": convolutions.separable,
    "Softmax": _softmax,
    "SpatialDropout2D": _copy,
    "Subtract": _combine(Op.SUB),
    "UpSampling2D": _enlarge,
    "ZeroPadding2D": _pad,
}
