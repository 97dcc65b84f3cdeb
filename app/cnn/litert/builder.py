"""A builder of LiteRT graphs: each method adds the operators that compute one operation of layers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from ..errors import UnsupportedLayer
from ..types import Array, PoolingMode
from ..windows import Window
from .graph import Graph, Tensor

Op = schema.BuiltinOperator

_REDUCTIONS = {PoolingMode.MAX: Op.REDUCE_MAX, PoolingMode.AVERAGE: Op.MEAN, PoolingMode.MIN: Op.REDUCE_MIN}
# Those of LiteRT are TensorFlow's.
_PADDINGS = {"same": schema.Padding.SAME, "valid": schema.Padding.VALID}


def _unary(code: int, options: Any = None) -> "Callable[[GraphBuilder, Tensor], Tensor]":
    """Make a method that adds an operator on one value of each place."""
    return lambda graph, x: graph.operate(code, [x], x.shape, options)


def _binary(code: int) -> "Callable[[GraphBuilder, Tensor, Tensor | float], Tensor]":
    """Make a method that adds an operator on two values of each place; sizes of one are repeated."""

    def method(graph: "GraphBuilder", x: Tensor, y: Tensor | float) -> Tensor:
        other = y if isinstance(y, Tensor) else graph.constant(np.array([y], np.float32))
        return graph.operate(code, [x, other], np.broadcast_shapes(x.shape, other.shape))

    return method


def _reduce_by(code: int) -> "Callable[[GraphBuilder, Tensor, bool, tuple[int, ...]], Tensor]":
    """Make a method that keeps one number of all values along these axes, the batch's being 0."""

    def method(graph: "GraphBuilder", x: Tensor, keepdims: bool, axes: tuple[int, ...]) -> Tensor:
        shape = [1 if axis in axes else size for axis, size in enumerate(x.shape) if keepdims or axis not in axes]
        read = [x, graph._integers(axes)]
        return graph.operate(code, read, shape, schema.ReducerOptionsT(keepDims=keepdims))

    return method


class GraphBuilder(Graph):
    """Images are (1, height, width, channels); weights are laid out as Keras has them."""

    @staticmethod
    def require(is_so: bool, what: str) -> None:
        """Raise UnsupportedLayer, naming what LiteRT is not given, unless this is so."""
        if not is_so:
            raise UnsupportedLayer(what)

    @staticmethod
    def require_last_axis(axis: int | tuple[int, ...] | None, x: Tensor, kind: str) -> None:
        """Raise UnsupportedLayer, where a layer of this kind works along another axis than the last."""
        last = len(x.shape) - 1
        GraphBuilder.require(axis in (-1, last, (-1,), (last,)), f"{kind} along another axis than the last")

    # -- convolutions, products of matrices, pooling -------------------------------------------------------------------

    def conv_2d(self, x: Tensor, kernel: Array, bias: Array | None, window: Window) -> Tensor:
        """kernel: (height, width, input channels of a group, filters); there are as many groups as go into x."""
        filters = kernel.shape[3]
        read = [x, self.constant(kernel.transpose(3, 0, 1, 2)), self._bias(bias, filters)]
        options = _set_steps(schema.Conv2DOptionsT(padding=_PADDINGS[window.padding]), window)
        return self.operate(Op.CONV_2D, read, (1, *_output_size(x, window), filters), options)

    def depthwise_conv_2d(self, x: Tensor, kernel: Array, bias: Array | None, window: Window) -> Tensor:
        """kernel: (height, width, channels, multiplier)."""
        height, width, channels, multiplier = kernel.shape
        filters = channels * multiplier
        read = [x, self.constant(kernel.reshape(1, height, width, filters)), self._bias(bias, filters)]
        options = schema.DepthwiseConv2DOptionsT(padding=_PADDINGS[window.padding], depthMultiplier=multiplier)
        shape = (1, *_output_size(x, window), filters)
        return self.operate(Op.DEPTHWISE_CONV_2D, read, shape, _set_steps(options, window))

    def transpose_conv(
        self, x: Tensor, kernel: Array, bias: Array | None, window: Window, size: tuple[Any, Any]
    ) -> Tensor:
        """kernel: (height, width, filters, input channels). size: height and width of the output."""
        filters = kernel.shape[2]
        shape = (1, *size, filters)
        options = schema.TransposeConvOptionsT(_PADDINGS[window.padding], window.strides[1], window.strides[0])
        read = [self._integers(shape), self.constant(kernel.transpose(2, 0, 1, 3)), x, self._bias(bias, filters)]
        return self.operate(Op.TRANSPOSE_CONV, read, shape, options)

    def fully_connected(self, x: Tensor, kernel: Array, bias: Array | None) -> Tensor:
        """kernel: (inputs, units), over the last axis."""
        units = kernel.shape[1]
        read = [x, self.constant(kernel.T), self._bias(bias, units)]
        options = schema.FullyConnectedOptionsT(keepNumDims=True)
        return self.operate(Op.FULLY_CONNECTED, read, (*x.shape[:-1], units), options)

    def batch_matmul(self, x: Tensor, y: Tensor, turned: bool = False) -> Tensor:
        """Multiply the matrices in the last two axes. turned: the second one's rows are taken as its columns."""
        shape = (*x.shape[:-1], y.shape[-2 if turned else -1])
        return self.operate(Op.BATCH_MATMUL, [x, y], shape, schema.BatchMatMulOptionsT(adjY=turned))

    def pool_2d(self, x: Tensor, window: Window, mode: PoolingMode) -> Tensor:
        """Pool each window. LiteRT has no minimum: -max(-x) is exact, and padding never wins it."""
        if mode is PoolingMode.MIN:
            return self.negative(self.pool_2d(self.negative(x), window, PoolingMode.MAX))
        code = Op.AVERAGE_POOL_2D if mode is PoolingMode.AVERAGE else Op.MAX_POOL_2D
        options = schema.Pool2DOptionsT(_PADDINGS[window.padding], *reversed(window.strides), *reversed(window.size))
        return self.operate(code, [x], (1, *_output_size(x, window), x.shape[3]), options)

    def reduce(self, x: Tensor, mode: PoolingMode, keepdims: bool, axes: tuple[int, ...] = (1, 2)) -> Tensor:
        """Pool along whole axes; by default height and width."""
        return _reduce_by(_REDUCTIONS[mode])(self, x, keepdims, axes)

    reduce_max = _reduce_by(Op.REDUCE_MAX)
    reduce_min = _reduce_by(Op.REDUCE_MIN)
    reduce_mean = _reduce_by(Op.MEAN)
    reduce_sum = _reduce_by(Op.SUM)

    def reduce_var(self, x: Tensor, keepdims: bool, axes: tuple[int, ...]) -> Tensor:
        """Write the mean of the squared distances from the mean."""
        return self.reduce_mean(self.square(self.subtract(x, self.reduce_mean(x, True, axes))), keepdims, axes)

    def reduce_std(self, x: Tensor, keepdims: bool, axes: tuple[int, ...]) -> Tensor:
        return self.sqrt(self.reduce_var(x, keepdims, axes))

    # -- shapes ------------------------------------------------------------------------------------------------------

    def copy(self, x: Tensor) -> Tensor:
        return self.reshape(x, x.shape)

    def reshape(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        return self.operate(Op.RESHAPE, [x, self._integers(shape)], shape)

    def transpose(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        return self.operate(Op.TRANSPOSE, [x, self._integers(axes)], [x.shape[axis] for axis in axes])

    def pad(self, x: Tensor, margins: Sequence[tuple[int, int]]) -> Tensor:
        """Add zeros before and after along each axis but the batch's; those that are not named stay as they are."""
        unnamed = len(x.shape) - 1 - len(margins)
        all_margins = np.array([(0, 0), *margins, *[(0, 0)] * unnamed], np.int32)
        return self.operate(Op.PAD, [x, self.constant(all_margins)], np.array(x.shape) + all_margins.sum(axis=1))

    def crop(self, x: Tensor, margins: Sequence[tuple[int, int]]) -> Tensor:
        """Take rows above and below, columns left and right away."""
        all_margins = np.array([(0, 0), *margins, (0, 0)], np.int32)
        shape = np.array(x.shape, np.int32) - all_margins.sum(axis=1, dtype=np.int32)
        self.require(shape.min() >= 1, "cropping all there is")
        begin = self.constant(np.ascontiguousarray(all_margins[:, 0]))
        return self.operate(Op.SLICE, [x, begin, self.constant(shape)], shape)

    def strided_slice(self, x: Tensor, parts: Sequence[tuple[int, int, int]]) -> Tensor:
        """Take cells along every axis but the batch's: from the first, up to an end that is not taken, by steps."""
        columns = zip(*parts, strict=True)
        begin, end, step = (self._integers([first, *each]) for first, each in zip((0, 1, 1), columns, strict=True))
        shape = [1, *(len(range(*part)) for part in parts)]
        self.require(min(shape) >= 1, "a slice of nothing")
        return self.operate(Op.STRIDED_SLICE, [x, begin, end, step], shape, schema.StridedSliceOptionsT())

    def depth_to_space(self, x: Tensor, block: int) -> Tensor:
        """Make a square of block × block cells of the channels of each cell."""
        _, height, width, channels = x.shape
        shape = (1, height * block, width * block, channels // block**2)
        return self.operate(Op.DEPTH_TO_SPACE, [x], shape, schema.DepthToSpaceOptionsT(blockSize=block))

    def space_to_depth(self, x: Tensor, block: int) -> Tensor:
        """Make channels of one cell of each square of block × block cells."""
        _, height, width, channels = x.shape
        shape = (1, height // block, width // block, channels * block**2)
        return self.operate(Op.SPACE_TO_DEPTH, [x], shape, schema.SpaceToDepthOptionsT(blockSize=block))

    def resize(self, x: Tensor, height: int, width: int, interpolation: str) -> Tensor:
        """Resize as Keras does, whose pixels are centred at halves."""
        read, shape = [x, self._integers((height, width))], (1, height, width, x.shape[3])
        if interpolation == "nearest":
            options = schema.ResizeNearestNeighborOptionsT(halfPixelCenters=True)
            return self.operate(Op.RESIZE_NEAREST_NEIGHBOR, read, shape, options)
        self.require(interpolation == "bilinear", f"the interpolation {interpolation}")
        return self.operate(Op.RESIZE_BILINEAR, read, shape, schema.ResizeBilinearOptionsT(halfPixelCenters=True))

    def concatenate(self, inputs: Sequence[Tensor], axis: int) -> Tensor:
        shape = list(inputs[0].shape)
        shape[axis] = sum(tensor.shape[axis] for tensor in inputs)
        return self.operate(Op.CONCATENATION, inputs, shape, schema.ConcatenationOptionsT(axis=axis))

    # -- elementwise -------------------------------------------------------------------------------------------------

    add = _binary(Op.ADD)
    subtract = _binary(Op.SUB)
    multiply = _binary(Op.MUL)
    divide = _binary(Op.DIV)
    maximum = _binary(Op.MAXIMUM)
    minimum = _binary(Op.MINIMUM)
    absolute = _unary(Op.ABS)
    negative = _unary(Op.NEG)
    exp = _unary(Op.EXP)
    power = _binary(Op.POW)
    rsqrt = _unary(Op.RSQRT)
    sqrt = _unary(Op.SQRT)
    square = _unary(Op.SQUARE)
    log = _unary(Op.LOG)
    tanh = _unary(Op.TANH)
    logistic = _unary(Op.LOGISTIC)
    relu = _unary(Op.RELU)
    relu6 = _unary(Op.RELU6)
    elu = _unary(Op.ELU)
    gelu = _unary(Op.GELU, schema.GeluOptionsT(approximate=False))
    softmax = _unary(Op.SOFTMAX, schema.SoftmaxOptionsT(beta=1.0))  # over the last axis

    def scale_and_shift(self, x: Tensor, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> Tensor:
        """Write x · scale + shift, a number of each for a channel or one for all."""
        channels = x.shape[-1]
        if len(x.shape) == 4 and channels in (scale.size, shift.size):
            # A convolution of single cells is one pass instead of two.
            times, plus = (np.broadcast_to(each, channels).astype(np.float32) for each in (scale, shift))
            return self.depthwise_conv_2d(x, times.reshape(1, 1, -1, 1), plus, Window((1, 1)))
        times, plus = (each.astype(np.float32) for each in (scale, shift))
        return self.add(self.operate(Op.MUL, [x, self.constant(times)], x.shape), self.constant(plus))

    def scale_and_shift_each(self, x: Tensor, scale: Array, shift: Array) -> Tensor:
        """Write x · scale + shift, a number of each for every value of x: both have its shape, without the batch."""
        return self.add(self.multiply(x, self.constant(scale[np.newaxis])), self.constant(shift[np.newaxis]))

    def reciprocal(self, x: Tensor) -> Tensor:
        return self.divide(self.constant(np.ones((1,) * len(x.shape), np.float32)), x)

    def leaky_relu(self, x: Tensor, slope: float) -> Tensor:
        return self.operate(Op.LEAKY_RELU, [x], x.shape, schema.LeakyReluOptionsT(alpha=slope))

    def prelu(self, x: Tensor, alpha: Array) -> Tensor:
        """alpha: (height, width, channels), sizes of one repeated."""
        return self.operate(Op.PRELU, [x, self.constant(alpha)], x.shape)

    def _integers(self, values: Sequence[int]) -> Tensor:
        return self.constant(np.array(values, np.int32))

    def _bias(self, bias: Array | None, size: int) -> Tensor:
        return self.constant(np.zeros(size, np.float32) if bias is None else bias)


def _output_size(x: Tensor, window: Window) -> tuple[int, int]:
    height, width = window.output_size((x.shape[1], x.shape[2]))
    GraphBuilder.require(min(height or 0, width or 0) >= 1, "a window larger than what it reads")
    return height or 0, width or 0


def _set_steps(options: Any, window: Window) -> Any:
    options.strideH, options.strideW = window.strides
    options.dilationHFactor, options.dilationWFactor = window.dilation
    return options
