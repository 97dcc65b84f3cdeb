"""What a cell's arithmetic is, in words."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.cnn.cells import Cell, ConvolutionCell, DenseCell, ElementwiseCell, MovedCell, PoolingCell, SoftmaxCell
from app.cnn.kinds.functions import FUNCTIONS
from app.web.numbers import MINUS

MAX_UNITS = 20

_KINDS: dict[type, str] = {
    ConvolutionCell: "convolution",
    PoolingCell: "pooling",
    DenseCell: "dense",
    SoftmaxCell: "softmax",
    ElementwiseCell: "elementwise",
    MovedCell: "moved",
}


def cell_kind(cell: Cell | None) -> str | None:
    """Which of the panel's layouts shows a cell; None where it has no arithmetic yet."""
    return _KINDS[type(cell)] if cell is not None else None


def shown_sum(cell: ConvolutionCell | DenseCell, value: float) -> float:
    """What the parts that are shown shall add up to.

    Where the activation function passes the sum on, that is the network's own value; the two differ by rounding only.
    """
    passes = cell.activation == "linear" or (cell.activation == "relu" and value > 0)
    return value if passes else cell.pre_activation


def activation_words(name: str, argument: str) -> str:
    """An activation function with its argument written in."""
    return FUNCTIONS[name].explain(argument).replace("-", MINUS) if name in FUNCTIONS else f"{name}({argument})"


def operation_words(cell: ElementwiseCell, show: Callable[[float], str]) -> str:
    """What an elementwise layer does to the values that it reads."""
    values = [show(value) for value in cell.inputs]
    match cell.operation:
        case "add":
            return " + ".join(values)
        case "multiply":
            return " × ".join(values)
        case "average" | "maximum" | "minimum":
            return f"{cell.operation} of {', '.join(values)}"
        case "dropout" | "spatialdropout2d" | "alphadropout" | "gaussiannoise" | "gaussiandropout" | "identity":
            return f"nothing happens to {values[0]} when the network answers"
        case "rescaling":
            return f"{values[0]} × scale + offset"
        case "batch normalisation":
            return f"({values[0]} {MINUS} mean) ÷ √(variance + epsilon) × gamma + beta"
        case name:
            return activation_words(name, values[0])


def reads_padding(cell: PoolingCell) -> bool:
    """The window reaches over the border."""
    return bool(np.isnan(cell.inputs).any())


def softmax_units(logits: NDArray[np.float64], unit: int) -> Sequence[int]:
    """The units to show: all of them, or of many the largest and the chosen one, in order."""
    if logits.size <= MAX_UNITS:
        return range(logits.size)
    return sorted({unit, *np.argsort(-logits)[: MAX_UNITS - 1].tolist()})
