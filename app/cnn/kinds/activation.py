"""Activation functions as layers of their own."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell, ElementwiseCell, SoftmaxCell
from ..errors import NoArithmetic, UnsupportedLayer, require_few
from ..gradients import Gradients, PassedBack
from ..types import Array, Shape, Variables, Weights
from .activation_functions import FUNCTIONS, activate, elu, function_name, leaky_relu, shifted_exponentials
from .activation_gradients import pass_activation, pass_function, pass_softmax
from .checks import axis_number, axis_numbers, between, optional, real, setting, several
from .layer import CellIndex, GraphBuilder, Layer, Tensor, known, last_size

_not_negative = between(0)


def explain_softmax(logits: NDArray[np.float64], unit: int, value: float) -> SoftmaxCell:
    """Return the arithmetic of one unit of softmax over (units,)."""
    exponentials = shifted_exponentials(logits)
    return SoftmaxCell(logits, exponentials, float(exponentials.sum()), unit, value)


class _Activation(Layer, abstract=True):
    """A function of each cell by itself."""

    ignores_leading_axes = True
    is_minor = True
    is_function = True

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        slopes = self._slopes(weights, inputs[0].astype(np.float64))
        before, left_over = pass_function(gradients, output, inputs[0].astype(np.float64), slopes)
        return PassedBack((before,), left_over=left_over)

    def _slopes(self, weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the function's derivative at each of these values; at a kink, that which TensorFlow takes."""
        raise NotImplementedError

    def _parameters(self) -> Mapping[str, float]:
        """Return the settings that differ from the plain function of its name: a slope below zero, a ceiling."""
        return {}

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        operation = self.activation or self.kind.lower()
        formula = FUNCTIONS[operation].explain("{0}") if operation in FUNCTIONS else f"{operation}({{0}})"
        return ElementwiseCell((float(inputs[0][place]),), operation, self._parameters(), value, formula)


class Activation(_Activation):
    """A function by its name."""

    activation: str = setting(function_name, "linear")

    ignores_layout = True

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.copy(inputs[0]) if self.activation == "linear" else activate(graph, self.activation, inputs[0])

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        (x,) = inputs
        before, left_over = pass_activation(self.activation, gradients, output, lambda: x, self.name)
        return PassedBack((before,), left_over=left_over)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        if self.activation != "softmax":
            return super()._explain(weights, inputs, place, value)
        return _explain_softmax(inputs[0], place, value)

    def describe(self) -> str:
        return FUNCTIONS[self.activation].describe()


class ReLU(_Activation):
    """x above a threshold, up to a ceiling; a share of what lies below."""

    max_value: float | None = setting(optional(_not_negative), None)
    negative_slope: float | None = setting(optional(_not_negative), 0.0)
    threshold: float | None = setting(optional(_not_negative), 0.0)

    ignores_layout = True

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        if self.threshold:
            raise UnsupportedLayer("a ReLU with a threshold")
        (x,) = inputs
        if self.max_value == 6 and not self.negative_slope:
            return graph.relu6(x)
        above = leaky_relu(graph, x, self.negative_slope) if self.negative_slope else graph.relu(x)
        return above if self.max_value is None else graph.minimum(above, self.max_value)

    def _slopes(self, weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
        threshold, most = self.threshold or 0.0, np.inf if self.max_value is None else self.max_value
        return np.where(x > threshold, np.where(x < most, 1.0, 0.0), self.negative_slope or 0.0)

    def _parameters(self) -> Mapping[str, float]:
        given = {
            "negative_slope": self.negative_slope,
            "max_value": self.max_value,
            "threshold": self.threshold or None,
        }
        return {name: value for name, value in given.items() if value is not None}


class LeakyReLU(_Activation):
    """x above zero, a share of x below."""

    negative_slope: float = setting(_not_negative, 0.3)

    ignores_layout = True

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return leaky_relu(graph, inputs[0], self.negative_slope)

    def _slopes(self, weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(x > 0, 1.0, self.negative_slope)

    def _parameters(self) -> Mapping[str, float]:
        return {"negative_slope": self.negative_slope}


class ELU(_Activation):
    """x above zero, alpha · (exp(x) - 1) below (Clevert, Unterthiner and Hochreiter, 2015)."""

    alpha: float = setting(real, 1.0)

    ignores_layout = True

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return elu(graph, inputs[0], self.alpha)

    def _slopes(self, weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(x > 0, 1.0, self.alpha * np.exp(np.minimum(x, 0)))

    def _parameters(self) -> Mapping[str, float]:
        return {"alpha": self.alpha}


class PReLU(_Activation):
    """x above zero, a learned share of x below (He and others, 2015)."""

    shared_axes: tuple[int, ...] | None = setting(optional(several(axis_number, most=8)), None)

    ignores_leading_axes = False

    def variable_shapes(self, *inputs: Shape) -> Variables:
        (shape,) = inputs
        shared = self.shared_axes or ()
        return {"alpha": tuple(1 if axis in shared else known(size) for axis, size in enumerate(shape, start=1))}

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.prelu(inputs[0], weights["alpha"])

    def _slopes(self, weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(x > 0, 1.0, weights["alpha"])


class Softmax(Layer):
    """exp(x) of each value over the sum of all along an axis."""

    axis: int | tuple[int, ...] = setting(axis_numbers, -1)

    @property
    def last_function(self) -> str:
        return "softmax"

    mixes_everything = True
    ignores_leading_axes = True
    is_function = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        last_size(self.axis, shape)
        return shape

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        graph.require_last_axis(self.axis, inputs[0], self.kind)
        return graph.softmax(inputs[0])

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        axes = tuple(axis - output.ndim - 1 if axis > 0 else axis for axis in np.ravel(self.axis).tolist())
        before, left_over = pass_softmax(gradients, output, inputs[0].astype(np.float64), axes)
        return PassedBack((before,), left_over=left_over)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        if self.axis not in (-1, len(place), (-1,), (len(place),)):
            raise NoArithmetic(self.kind)
        return _explain_softmax(inputs[0], place, value)


def _explain_softmax(logits: Array, place: CellIndex, value: float) -> Cell:
    *row, unit = place
    among = logits[tuple(row)]
    require_few(among.size)
    return explain_softmax(among.astype(np.float64), unit, value)
