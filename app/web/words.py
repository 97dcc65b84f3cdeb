"""Words of the page: for a card's choices, and for a cell's arithmetic."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.cnn.card import Answer, Fit
from app.cnn.cells import ConvolutionCell, DenseCell, ElementwiseCell, PoolingCell
from app.cnn.kinds.activation_functions import FUNCTIONS
from app.web.numbers import MINUS

MAX_UNITS = 20

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


def shown_sum(cell: ConvolutionCell | DenseCell, value: float) -> float:
    """Return the total that the parts shown must add up to.

    If the activation function passes the sum on, that is the network's own value: the two differ by rounding only.
    """
    passes = cell.activation == "linear" or (cell.activation == "relu" and value > 0)
    return value if passes else cell.pre_activation


def activation_words(name: str, argument: str) -> str:
    """Write an activation function with its argument filled in."""
    return FUNCTIONS[name].explain("{0}").replace("-", MINUS).format(argument)


def operation_words(cell: ElementwiseCell, show: Callable[[float], str]) -> str:
    """Write what an elementwise layer does to the values that it reads."""
    return cell.formula.replace("-", MINUS).format(*map(show, cell.inputs))


def reads_padding(cell: PoolingCell) -> bool:
    """Return whether the window reaches over the border."""
    return bool(np.isnan(cell.inputs).any())


def softmax_units(logits: NDArray[np.float64], unit: int) -> Sequence[int]:
    """Return the units to show: all of them, or if they are many, the largest ones and the chosen one, in order."""
    if logits.size <= MAX_UNITS:
        return range(logits.size)
    return sorted({unit, *np.argsort(-logits)[: MAX_UNITS - 1].tolist()})
