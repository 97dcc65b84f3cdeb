"""Operations between layers that Keras has functions for and no layers: each cell's own arithmetic, and reductions."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell, ElementwiseCell
from ..errors import NoArithmetic
from ..gradients import Gradients, PassedBack, close
from ..types import Array, Shape, Weights
from ..windows import Region, Size
from .activation_gradients import pass_function
from .checks import axis_numbers, flag, optional, real, setting
from .layer import CellIndex, GraphBuilder, Layer, Sizes, Tensor, require

Doubles = NDArray[np.float64]
_MOST_SHOWN = 128  # values of a reduced cell


class _Function(Layer, abstract=True):
    """A function of each cell by itself."""

    is_minor = True
    ignores_leading_axes = True
    ignores_layout = True
    is_operation = True

    function: ClassVar[str]  # its name in keras.ops and in a graph
    formula: ClassVar[str]  # with {0} for the cell's input

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        return getattr(ops, self.function)(inputs[0])

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        made: Tensor = getattr(graph, self.function)(inputs[0])
        return made

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        x = inputs[0].astype(np.float64)
        before, left_over = pass_function(gradients, output, x, self._slopes(x))
        return PassedBack((before,), left_over=left_over)

    def _slopes(self, x: Doubles) -> Doubles:
        """Return the derivative at each of these values; at a kink, that which TensorFlow takes."""
        raise NotImplementedError

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        return ElementwiseCell((float(inputs[0][place]),), self.kind.lower(), self._parameters(), value, self.formula)

    def _parameters(self) -> dict[str, float]:
        return {}


class Square(_Function):
    """x²."""

    function = "square"
    phrase = "each value squared"
    formula = "{0}²"

    def _slopes(self, x: Doubles) -> Doubles:
        return 2 * x


class Sqrt(_Function):
    """The square root."""

    function = "sqrt"
    phrase = "the square root of each value"
    formula = "√({0})"

    def _slopes(self, x: Doubles) -> Doubles:
        return 0.5 / np.sqrt(x)


class Rsqrt(_Function):
    """One over the square root."""

    function = "rsqrt"
    phrase = "1 over the square root of each value"
    formula = "1 ÷ √({0})"

    def _slopes(self, x: Doubles) -> Doubles:
        return -0.5 * x**-1.5


class Exp(_Function):
    """The exponential."""

    function = "exp"
    phrase = "exp of each value"
    formula = "exp({0})"

    def _slopes(self, x: Doubles) -> Doubles:
        return np.exp(x)


class Log(_Function):
    """The natural logarithm."""

    function = "log"
    phrase = "the logarithm of each value"
    formula = "log({0})"

    def _slopes(self, x: Doubles) -> Doubles:
        return 1 / x


class Absolute(_Function):
    """The absolute value."""

    function = "absolute"
    phrase = "the size of each value, without its sign"
    formula = "|{0}|"

    def _slopes(self, x: Doubles) -> Doubles:
        return np.sign(x)


class Reciprocal(_Function):
    """One over x."""

    function = "reciprocal"
    phrase = "1 over each value"
    formula = "1 ÷ {0}"

    def _slopes(self, x: Doubles) -> Doubles:
        return -1 / x**2


class Power(_Function):
    """x to a fixed power."""

    exponent: float = setting(real)

    formula = "{0} to the power of exponent"

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        return ops.power(inputs[0], self.exponent)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.power(inputs[0], self.exponent)

    def _slopes(self, x: Doubles) -> Doubles:
        return self.exponent * x ** (self.exponent - 1)

    def _parameters(self) -> dict[str, float]:
        return {"exponent": self.exponent}

    def describe(self) -> str:
        return f"each value to the power of {self.exponent:g}"


class Clip(_Function):
    """x, but no less than a minimum and no more than a maximum."""

    minimum: float | None = setting(optional(real), None)
    maximum: float | None = setting(optional(real), None)

    formula = "{0}, kept between minimum and maximum"

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        (made,) = inputs
        made = made if self.minimum is None else ops.maximum(made, self.minimum)
        return made if self.maximum is None else ops.minimum(made, self.maximum)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        (made,) = inputs
        if self.minimum is None and self.maximum is None:
            return graph.copy(made)
        made = made if self.minimum is None else graph.maximum(made, self.minimum)
        return made if self.maximum is None else graph.minimum(made, self.maximum)

    def _slopes(self, x: Doubles) -> Doubles:
        low = -np.inf if self.minimum is None else self.minimum
        high = np.inf if self.maximum is None else self.maximum
        return np.where((x >= low) & (x <= high), 1.0, 0.0)

    def _parameters(self) -> dict[str, float]:
        ends = {"minimum": self.minimum, "maximum": self.maximum}
        return {name: value for name, value in ends.items() if value is not None}

    def describe(self) -> str:
        ends = " and ".join(f"{name} {value:g}" for name, value in self._parameters().items())
        return f"each value kept within its bounds: {ends}" if ends else "each value as it is"


class _Reduction(Layer, abstract=True):
    """One number of all values along some axes."""

    axis: int | tuple[int, ...] = setting(axis_numbers)
    keepdims: bool = setting(flag, False)

    is_operation = True
    leaves_over: ClassVar[bool] = False  # it is no share of its values: see app.cnn.gradients
    function: ClassVar[str]  # its name in keras.ops, and in a graph behind reduce_
    words: ClassVar[str]  # of what is kept

    def _axes(self, rank: int) -> tuple[int, ...]:
        """Return the axes of an input of this rank, counted from 0 without the batch. Raises: ValueError."""
        given = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        axes = tuple(sorted({axis - 1 if axis > 0 else axis + rank for axis in given}))
        require(bool(axes) and 0 not in given and all(0 <= axis < rank for axis in axes))
        return axes

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (shape,) = inputs
        axes = self._axes(len(shape))
        require(self.keepdims or len(axes) < len(shape))
        return tuple(1 if at in axes else size for at, size in enumerate(shape) if self.keepdims or at not in axes)

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        return getattr(ops, self.function)(inputs[0], axis=self.axis, keepdims=self.keepdims)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        axes = tuple(axis + 1 for axis in self._axes(len(inputs[0].shape) - 1))
        made: Tensor = getattr(graph, f"reduce_{self.function}")(inputs[0], self.keepdims, axes)
        return made

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Spread each gradient over the values that its number was made of."""
        axes = self._axes(inputs[0].ndim)
        x, made = inputs[0].astype(np.float64), output
        if not self.keepdims:
            made = np.expand_dims(output, axes)
            gradients_there = np.expand_dims(gradients, tuple(axis + 1 for axis in axes))
        else:
            gradients_there = gradients
        shares = self._shares(x, made.astype(np.float64), axes)
        passed = close(gradients.reshape(len(gradients), *output.shape), [gradients_there * shares], inputs, output)
        return passed if self.leaves_over else passed._replace(left_over=None)

    def _shares(self, x: Doubles, made: Doubles, axes: tuple[int, ...]) -> Doubles:
        """Return the derivative for each value. made: the numbers, with all axes."""
        raise NotImplementedError

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return super().count_scratch(inputs, inputs[0])

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        values = self._read(inputs[0], place)
        if values.size > _MOST_SHOWN:
            raise NoArithmetic(self.kind)
        formula = f"{self.words} of {values.size} values"
        return ElementwiseCell(tuple(values.ravel().tolist()), self.kind.lower(), {}, value, formula)

    def _read(self, image: Array, place: CellIndex) -> Array:
        """Return the values that a cell is made of."""
        axes, others = self._axes(image.ndim), iter(place)
        index: list[Any] = []
        for axis in range(image.ndim):
            own = next(others) if self.keepdims or axis not in axes else None
            index.append(slice(None) if axis in axes else own)
        return image[tuple(index)]

    def read_region(self, cells: Region, size: Size) -> Region:
        """Return the same places where channels alone are reduced, else all of the input."""
        rank = len(self.output_shape) + (0 if self.keepdims else self._count())
        is_over_channels = rank == 3 and self._axes(rank) == (2,)
        return cells if is_over_channels else Region(0, 0, size[0] or 0, size[1] or 0)

    def _count(self) -> int:
        return len(set(self.axis)) if isinstance(self.axis, tuple) else 1

    def describe(self) -> str:
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return f"{self.words} along axis {' and '.join(map(str, axes))}"


class ReduceMax(_Reduction):
    """The largest value."""

    function = "max"
    words = "the largest value"

    def _shares(self, x: Doubles, made: Doubles, axes: tuple[int, ...]) -> Doubles:
        """Give it to the values that were kept, evenly to equal ones, as TensorFlow does."""
        is_kept = x == made
        return is_kept / is_kept.sum(axis=axes, keepdims=True)


class ReduceMin(_Reduction):
    """The smallest value."""

    function = "min"
    words = "the smallest value"

    def _shares(self, x: Doubles, made: Doubles, axes: tuple[int, ...]) -> Doubles:
        """Give it to the values that were kept, evenly to equal ones, as TensorFlow does."""
        is_kept = x == made
        return is_kept / is_kept.sum(axis=axes, keepdims=True)


class ReduceMean(_Reduction):
    """The mean."""

    function = "mean"
    words = "the mean"
    keeps_probabilities = True

    def _shares(self, x: Doubles, made: Doubles, axes: tuple[int, ...]) -> Doubles:
        return np.full(x.shape, made.size / x.size)


class ReduceSum(_Reduction):
    """The sum."""

    function = "sum"
    words = "the sum"

    def _shares(self, x: Doubles, made: Doubles, axes: tuple[int, ...]) -> Doubles:
        return np.ones(x.shape)


class ReduceVariance(_Reduction):
    """The variance."""

    function = "var"
    words = "the variance"
    leaves_over = True

    def _shares(self, x: Doubles, made: Doubles, axes: tuple[int, ...]) -> Doubles:
        return 2 * (x - x.mean(axis=axes, keepdims=True)) * (made.size / x.size)


class ReduceDeviation(_Reduction):
    """The standard deviation."""

    function = "std"
    words = "the standard deviation"

    def _shares(self, x: Doubles, made: Doubles, axes: tuple[int, ...]) -> Doubles:
        return (x - x.mean(axis=axes, keepdims=True)) * (made.size / x.size) / made
