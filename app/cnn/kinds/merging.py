"""Layers that combine several inputs."""

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any, ClassVar

import numpy as np

from ..cells import Cell, Contribution, DenseCell, ElementwiseCell
from ..errors import NoArithmetic, require_few
from ..gradients import Gradients, PassedBack, dot, unbroadcast
from ..types import Array, Shape, Weights
from .checks import axis_number, axis_numbers, flag, setting
from .layer import FLOAT_BYTES, CellIndex, GraphBuilder, Layer, LayerSettings, Sizes, Tensor, require
from .normalization import turn_axis
from .reshaping import Moving

_LEAST_LENGTH = 1e-7  # by which a vector is divided that is normalised: Keras' epsilon


class _Merge(Layer, abstract=True):
    """A layer that combines the cells of one place. Sizes of one are repeated, as NumPy does it."""

    ignores_leading_axes = True
    ignores_layout = True
    verb: ClassVar[str]  # before the names of its inputs
    sign: ClassVar[str | None] = None  # between its inputs in a formula
    combine: ClassVar[str]  # the operation of a graph that combines two inputs

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        require(len(inputs) > 1)
        return tuple(_common(set(sizes)) for sizes in zip(*inputs, strict=True))

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        graph.require(len({len(each.shape) for each in inputs}) == 1, "inputs of different ranks")
        made = inputs[0]
        for each in inputs[1:]:
            made = getattr(graph, self.combine)(made, each)
        return made

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return the bytes of what each but the last of its operations makes."""
        return FLOAT_BYTES * math.prod(output) * min(len(inputs) - 1, 2)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        if any(each.ndim != len(place) for each in inputs):
            raise NoArithmetic(self.kind)
        # What has one row, column or channel is repeated.
        values = tuple(float(each[tuple(np.minimum(place, np.array(each.shape) - 1))]) for each in inputs)
        operation = self.kind.lower()
        places = [f"{{{index}}}" for index in range(len(values))]
        formula = self.sign.join(places) if self.sign else f"{operation} of {', '.join(places)}"
        return ElementwiseCell(values, operation, {}, value, formula)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        parts = self._split(gradients, inputs, output)
        return PassedBack(tuple(map(unbroadcast, parts, (each.shape for each in inputs))))

    def _split(self, gradients: Gradients, inputs: Sequence[Array], output: Array) -> list[Gradients]:
        """Return the gradients of each input as if none were repeated."""
        raise NotImplementedError

    def describe(self) -> str:
        return describe_inputs(self, self.verb)


def describe_inputs(layer: Layer, verb: str) -> str:
    """Return what a layer does to those that it reads: "adds a, b and c"."""
    *names, last = ("the image" if source is None else source for source in layer.sources)
    return f"{verb} {', '.join(names)} and {last}" if len(set(layer.sources)) > 1 else layer.kind


def _common(sizes: set[int | None]) -> int | None:
    if len(sizes) == 2 and 1 in sizes and None not in sizes:
        sizes = sizes - {1}
    (size,) = sizes
    return size


class Add(_Merge):
    """The sum."""

    verb = "adds"
    sign = " + "
    combine = "add"

    def _split(self, gradients: Gradients, inputs: Sequence[Array], output: Array) -> list[Gradients]:
        return [gradients] * len(inputs)


class Subtract(_Merge):
    """The first input less the second."""

    verb = "subtracts the second from the first of"
    sign = " - "
    combine = "subtract"

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        require(len(inputs) == 2)
        return super().compute_output_shape(*inputs)

    def _split(self, gradients: Gradients, inputs: Sequence[Array], output: Array) -> list[Gradients]:
        return [gradients, -gradients]


class Multiply(_Merge):
    """The product."""

    verb = "multiplies"
    sign = " × "
    combine = "multiply"

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Give each factor the product of the others: each has all of the output, so all but one are left over."""
        passed = super().backward(weights, inputs, output, gradients)
        return passed._replace(left_over=(1 - len(inputs)) * dot(gradients, output))

    def _split(self, gradients: Gradients, inputs: Sequence[Array], output: Array) -> list[Gradients]:
        others = ([each for at, each in enumerate(inputs) if at != own] for own in range(len(inputs)))
        return [gradients * reduce(np.multiply, factors) for factors in others]


class Divide(_Merge):
    """The first input over the second."""

    verb = "divides the first by the second of"
    sign = " ÷ "
    combine = "divide"
    is_operation = True

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """The dividend's part is the output, and the divisor's as much below zero, which is left over."""
        passed = super().backward(weights, inputs, output, gradients)
        return passed._replace(left_over=dot(gradients, output))

    def _split(self, gradients: Gradients, inputs: Sequence[Array], output: Array) -> list[Gradients]:
        return [gradients / inputs[1], -gradients * output / inputs[1]]

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        require(len(inputs) == 2)
        return super().compute_output_shape(*inputs)

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        return ops.divide(*inputs)


class Average(_Merge):
    """The mean."""

    verb = "the average of"
    combine = "add"

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.multiply(super().write(graph, weights, inputs), 1 / len(inputs))

    def _split(self, gradients: Gradients, inputs: Sequence[Array], output: Array) -> list[Gradients]:
        return [gradients / len(inputs)] * len(inputs)


class Maximum(_Merge):
    """The largest value."""

    verb = "the larger values of"
    combine = "maximum"

    def _split(self, gradients: Gradients, inputs: Sequence[Array], output: Array) -> list[Gradients]:
        return _give_to_first(gradients, inputs, output)


class Minimum(_Merge):
    """The smallest value."""

    verb = "the smaller values of"
    combine = "minimum"

    def _split(self, gradients: Gradients, inputs: Sequence[Array], output: Array) -> list[Gradients]:
        return _give_to_first(gradients, inputs, output)


def _give_to_first(gradients: Gradients, inputs: Sequence[Array], output: Array) -> list[Gradients]:
    """Return the gradients of each input, where the first one that is equal to the output has all of it."""
    is_open, parts = np.ones(output.shape, np.bool_), []
    for each in inputs:
        is_kept = (each == output) & is_open
        is_open &= ~is_kept
        parts.append(gradients * is_kept)
    return parts


class Dot(Layer):
    """The dot product of two vectors; the cosine of their angle where they are normalised."""

    axes: int | tuple[int, ...] = setting(axis_numbers)
    normalize: bool = setting(flag, False)

    mixes_everything = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        first, second = inputs
        axes = set(self.axes if isinstance(self.axes, tuple) else [self.axes])
        require(len(first) == 1 and first == second and axes <= {1, -1})
        return (1,)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        graph.require(all(len(each.shape) == 2 for each in inputs), "a dot product of more than vectors")
        first, second = (self._normalise(graph, each) if self.normalize else each for each in inputs)
        return graph.reduce_sum(graph.multiply(first, second), True, (1,))

    @staticmethod
    def _normalise(graph: GraphBuilder, x: Tensor) -> Tensor:
        squares = graph.reduce_sum(graph.multiply(x, x), True, (1,))
        return graph.divide(x, graph.maximum(graph.sqrt(squares), _LEAST_LENGTH))

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Give each vector the other. Of a product all but one share is left over; a cosine has none to give."""
        first, second = (each.astype(np.float64) for each in inputs)
        if not self.normalize:
            passed = tuple((gradients * each).astype(gradients.dtype) for each in (second, first))
            return PassedBack(passed, left_over=-dot(gradients, output))
        lengths = [max(float(np.sqrt(each @ each)), _LEAST_LENGTH) for each in (first, second)]
        one, other = first / lengths[0], second / lengths[1]
        cosine = one @ other
        slopes = (other - cosine * one) / lengths[0], (one - cosine * other) / lengths[1]
        passed = tuple((gradients * each).astype(gradients.dtype) for each in slopes)
        return PassedBack(passed, left_over=dot(gradients, output))

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        if inputs[0].ndim != 1:
            raise NoArithmetic(self.kind)
        require_few(inputs[0].size)
        first, second = (each.astype(np.float64) for each in inputs)
        if self.normalize:
            first, second = (each / max(float(np.sqrt(each @ each)), _LEAST_LENGTH) for each in (first, second))
        products = first * second
        parts = zip(first.tolist(), second.tolist(), products.tolist(), strict=True)
        contributions = tuple(Contribution(index, *part) for index, part in enumerate(parts))
        return DenseCell(contributions, 0.0, float(products.sum()), "linear", value, None)

    def describe(self) -> str:
        return describe_inputs(self, "the cosine of the angle of" if self.normalize else "the dot product of")


class Concatenate(Moving):
    """All inputs one after the other along an axis."""

    axis: int = setting(axis_number, -1)

    ignores_leading_axes = True

    @classmethod
    def turn_channels_last(cls, settings: LayerSettings) -> LayerSettings | None:
        return turn_axis(settings)

    def _position(self, rank: int) -> int:
        """Return the axis of an input of this rank, counted from 0 without the batch. Raises: ValueError."""
        position = self.axis - 1 if self.axis > 0 else self.axis + rank
        require(0 <= position < rank)
        return position

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        require(len(inputs) > 1)
        position = self._position(len(inputs[0]))
        sizes = [list(each) for each in zip(*inputs, strict=True)]
        joined = sizes.pop(position)
        require(all(len(set(each)) == 1 for each in sizes))
        shape: list[int | None] = [each[0] for each in sizes]
        shape.insert(position, None if None in joined else sum(size or 0 for size in joined))
        return tuple(shape)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.concatenate(inputs, self.axis % len(inputs[0].shape))

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        position = self._position(output.ndim)
        ends = np.cumsum([each.shape[position] for each in inputs])
        return PassedBack(tuple(np.split(gradients, ends[:-1], position + 1)))

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        position, origin, source = self._position(len(place)), list(place), 0
        while origin[position] >= (inputs[source][position] or 0):
            origin[position] -= inputs[source][position] or 0
            source += 1
        return source, tuple(origin)

    def describe(self) -> str:
        return describe_inputs(self, "all maps of")
