"""A cell's arithmetic in words."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.cnn.cells import ConvolutionCell, DenseCell, ElementwiseCell, PoolingCell
from app.web.numbers import MINUS

MAX_UNITS = 20

_FORMULAS = {
    "linear": "no activation function",
    "relu": "ReLU: max(0, {x})",
    "sigmoid": "logistic function: 1 / (1 + exp(-({x})))",
    "tanh": "tanh({x})",
}


def shown_sum(cell: ConvolutionCell | DenseCell, value: float) -> float:
    """Return the total that the parts shown must add up to.

    If the activation function passes the sum on, that is the network's own value: the two differ by rounding only.
    """
    passes = cell.activation == "linear" or (cell.activation == "relu" and value > 0)
    return value if passes else cell.pre_activation


def activation_words(name: str, argument: str) -> str:
    """Write an activation function with its argument filled in."""
    formula = _FORMULAS.get(name, name + "({x})")
    return formula.replace("-", MINUS).format(x=argument)


def operation_words(cell: ElementwiseCell, show: Callable[[float], str]) -> str:
    """Write what an elementwise layer does to the values that it reads."""
    values = [show(value) for value in cell.inputs]
    match cell.operation:
        case "add":
            return " + ".join(values)
        case "multiply":
            return " × ".join(values)
        case "average" | "maximum" | "minimum":
            return f"{cell.operation} of {', '.join(values)}"
        case "dropout" | "spatialdropout2d" | "gaussiannoise" | "gaussiandropout" | "identity":
            return f"nothing happens to {values[0]} when the network answers"
        case "rescaling":
            return f"{values[0]} × scale + offset"
        case "batch normalisation":
            return f"({values[0]} {MINUS} mean) ÷ √(variance + epsilon) × gamma + beta"
        case name:
            return activation_words(name, values[0])


def reads_padding(cell: PoolingCell) -> bool:
    """Return whether the window reaches over the border."""
    return bool(np.isnan(cell.inputs).any())


def softmax_units(logits: NDArray[np.float64], unit: int) -> Sequence[int]:
    """Return the units to show: all of them, or if they are many, the largest ones and the chosen one, in order."""
    if logits.size <= MAX_UNITS:
        return range(logits.size)
    return sorted({unit, *np.argsort(-logits)[: MAX_UNITS - 1].tolist()})
