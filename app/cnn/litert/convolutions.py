"""The layers with weights that slide or mix: convolutions of every kind, and Dense."""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from app.cnn.layers import Layer, Window
from app.cnn.litert.functions import activate
from app.cnn.litert.graph import Graph, Tensor
from app.cnn.litert.unknown import Unknown
from app.cnn.litert.windows import output_size, padding
from app.cnn.parts import Weights

Array = NDArray[np.float32]
Op = schema.BuiltinOperator


def convolution(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    """Conv2D, in groups or not: as many groups as its kernel's input channels go into its input's."""
    assert layer.window is not None
    made = _convolve(graph, inputs[0], weights["kernel"], weights.get("bias"), layer.window)
    return activate(graph, layer.activation, made)


def depthwise(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    assert layer.window is not None
    made = convolve_depthwise(graph, inputs[0], weights["kernel"], weights.get("bias"), layer.window)
    return activate(graph, layer.activation, made)


def separable(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    """A depthwise convolution, then one of single cells that mixes its channels."""
    assert layer.window is not None
    apart = convolve_depthwise(graph, inputs[0], weights["depthwise_kernel"], None, layer.window)
    made = _convolve(graph, apart, weights["pointwise_kernel"], weights.get("bias"), Window((1, 1)))
    return activate(graph, layer.activation, made)


def transposed(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    window = layer.window
    assert window is not None
    if window.dilation != (1, 1):
        raise Unknown("a transposed convolution with dilation")
    kernel = weights["kernel"]  # (height, width, filters, input channels)
    height, width = (
        size * stride + (max(extent - stride, 0) if window.padding == "valid" else 0)
        for size, stride, extent in zip(inputs[0].shape[1:3], window.strides, window.size, strict=True)
    )
    shape = (1, height, width, kernel.shape[2])
    options = schema.TransposeConvOptionsT(padding(window), window.strides[1], window.strides[0])
    read = [
        graph.constant(np.array(shape, np.int32)),
        graph.constant(kernel.transpose(2, 0, 1, 3)),
        inputs[0],
        graph.constant(_bias(weights.get("bias"), kernel.shape[2])),
    ]
    return activate(graph, layer.activation, graph.operate(Op.TRANSPOSE_CONV, read, shape, options))


def dense(graph: Graph, layer: Layer, weights: Weights, inputs: list[Tensor]) -> Tensor:
    """Over the last axis."""
    kernel = weights["kernel"]  # (inputs, units)
    read = [inputs[0], graph.constant(kernel.T), graph.constant(_bias(weights.get("bias"), kernel.shape[1]))]
    options = schema.FullyConnectedOptionsT(keepNumDims=True)
    made = graph.operate(Op.FULLY_CONNECTED, read, (*inputs[0].shape[:-1], kernel.shape[1]), options)
    return activate(graph, layer.activation, made)


def _convolve(graph: Graph, x: Tensor, kernel: Array, bias: Array | None, window: Window) -> Tensor:
    filters = kernel.shape[3]
    read = [x, graph.constant(kernel.transpose(3, 0, 1, 2)), graph.constant(_bias(bias, filters))]
    options = schema.Conv2DOptionsT(padding=padding(window))
    return graph.operate(Op.CONV_2D, read, (1, *output_size(x, window), filters), _steps(options, window))


def convolve_depthwise(graph: Graph, x: Tensor, kernel: Array, bias: Array | None, window: Window) -> Tensor:
    """kernel: (height, width, channels, multiplier)."""
    height, width, channels, multiplier = kernel.shape
    filters = channels * multiplier
    flat = kernel.reshape(1, height, width, filters)
    read = [x, graph.constant(flat), graph.constant(_bias(bias, filters))]
    options = schema.DepthwiseConv2DOptionsT(padding=padding(window), depthMultiplier=multiplier)
    return graph.operate(Op.DEPTHWISE_CONV_2D, read, (1, *output_size(x, window), filters), _steps(options, window))


def _steps(options: Any, window: Window) -> Any:
    options.strideH, options.strideW = window.strides
    options.dilationHFactor, options.dilationWFactor = window.dilation
    return options


def _bias(bias: Array | None, filters: int) -> Array:
    return np.zeros(filters, np.float32) if bias is None else bias
