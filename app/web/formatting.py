"""Text on the page: rounded numbers that add up, a card's choices, a cell's arithmetic."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Answer, Fit
from ..cnn.cells import ConvolutionCell, DenseCell, ElementwiseCell
from ..cnn.kinds.activation_functions import FUNCTIONS

DECIMALS = 4
MINUS = "\N{MINUS SIGN}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FULL_DIGITS = 9  # enough to distinguish all float32 values


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


def fixed(value: float, decimals: int = DECIMALS) -> str:
    """Format a value with this many decimals and a true minus sign, never as minus zero."""
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def full(value: float) -> str:
    """Format a value with all the digits of a float32."""
    return typeset(f"{value:.{FULL_DIGITS}g}")


def typeset(text: str) -> str:
    """Write a number of Python's as in print: with a true minus sign, and e-07 as a power of ten."""
    mantissa, _, exponent = text.partition("e")
    power = f"·10{str(int(exponent)).translate(_SUPERSCRIPTS)}" if exponent else ""
    return mantissa.replace("-", MINUS) + power


def add_up(parts: Sequence[float], total: float, decimals: int = DECIMALS) -> list[float]:
    """Round the parts to this many decimals so that they add up to the rounded total exactly.

    Rounded one by one, they miss it by a few units of the last digit. By the largest remainder method, these units go
    to the parts whose rounding error was largest in that direction, at most one each if there are enough parts.
    The parts must add up to the total to about as many decimals. If a value is not finite, the parts stay as they are.
    """
    if not all(math.isfinite(each) for each in (*parts, total)):
        return list(parts)
    unit = Decimal(1).scaleb(-decimals)
    exact = [Decimal(part) for part in parts]
    rounded = [part.quantize(unit) for part in exact]
    missing = int((Decimal(total).quantize(unit) - sum(rounded, Decimal(0))) / unit)
    step = unit if missing > 0 else -unit
    by_error = sorted(range(len(parts)), key=lambda index: (rounded[index] - exact[index]) * (1 if missing > 0 else -1))
    for turn in range(abs(missing)):
        rounded[by_error[turn % len(parts)]] += step
    return [float(part) for part in rounded]


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


def softmax_at(logits: NDArray[np.float32], temperature: float, unit: int) -> float:
    """Return a unit's share of the softmax of logits, (units,), divided by a temperature."""
    scaled = (logits.astype(np.float64) - logits.max()) / temperature
    return float(np.exp(scaled[unit]) / np.exp(scaled).sum())


def softmax_units(logits: NDArray[np.float64], unit: int) -> Sequence[int]:
    """Return the units to show: all of them, or if they are many, the largest ones and the chosen one, in order."""
    if logits.size <= MAX_UNITS:
        return range(logits.size)
    return sorted({unit, *np.argsort(-logits)[: MAX_UNITS - 1].tolist()})


def group_by_kind(sentences: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Return the first of each kind of sentence, with all others that differ from it in names and numbers alone."""
    groups: dict[str, list[str]] = {}
    for sentence in sentences:
        groups.setdefault(re.sub(r"“[^”]*”|\d+", "", sentence), []).append(sentence)
    return [(first, others) for first, *others in groups.values()]


_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def name_place(number: int, count: int) -> str:
    """Name one of several digits in a row, counted from 0: the left one of two, the middle one of three."""
    few = {2: ("left", "right"), 3: ("left", "middle", "right")}
    return few[count][number] if count in few else _PLACES[number] if number < len(_PLACES) else f"{number + 1}th"


def say_several(count: int) -> str:
    """Say how many digits a picture holds."""
    return f"This looks like {_COUNTS[count] if count < len(_COUNTS) else count} digits"
