"""Activation functions, and ink and paper swapped: what changes each value by itself."""

import math
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ..cnn.cells import ElementwiseCell
from ..cnn.kinds.activation_functions import FUNCTIONS
from .control import Control
from .operation import LabCell, Operation, Place
from .planes import PixelSize, Planes

_SELU_SCALE, _SELU_ALPHA = np.float32(1.05070098), np.float32(1.67326324)  # Klambauer and others, 2017
_ZERO, _ONE = np.float32(0), np.float32(1)


def _sigmoid(x: Planes) -> Planes:
    return np.asarray(_ONE / (_ONE + np.exp(-x)), np.float32)


def _softplus(x: Planes) -> Planes:
    return np.asarray(np.logaddexp(_ZERO, x), np.float32)


def _gelu(x: Planes) -> Planes:
    """Return x · Φ(x), the erf in Φ within 1.5e-7 (Abramowitz and Stegun, 1964, 7.1.26)."""
    positive = np.abs(x) * np.float32(math.sqrt(0.5))
    t = _ONE / (_ONE + np.float32(0.3275911) * positive)
    series = np.zeros_like(t)
    for coefficient in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(coefficient)) * t
    tail = np.float32(0.5) * series * np.exp(-positive * positive)
    return np.asarray(x * np.where(x > 0, _ONE - tail, tail), np.float32)


def _elu(x: Planes) -> Planes:
    return np.asarray(np.where(x > 0, x, np.expm1(np.minimum(x, _ZERO))), np.float32)


_Compute = Callable[[Planes], Planes]
_COMPUTED: dict[str, _Compute] = {  # by the names that Keras has for them
    "relu": lambda x: np.maximum(x, _ZERO),
    "leaky_relu": lambda x: np.where(x > 0, x, x * np.float32(0.2)),
    "relu6": lambda x: np.clip(x, _ZERO, np.float32(6)),
    "elu": _elu,
    "selu": lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, _ZERO))),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "softplus": _softplus,
    "softsign": lambda x: np.asarray(x / (_ONE + np.abs(x)), np.float32),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": _gelu,
}
_WORDS = {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "relu6": "ReLU 6",
    "elu": "ELU",
    "selu": "SELU",
    "sigmoid": "logistic function",
    "silu": "SiLU",
    "gelu": "GELU",
}
_FORMULAS = {
    "leaky_relu": "leaky ReLU: {0} above 0, else a fifth of it",
    "gelu": "GELU({0}): times the normal distribution's share below it",
}

FunctionName = Literal[
    "relu", "leaky_relu", "relu6", "elu", "selu", "sigmoid", "tanh", "softplus", "softsign", "silu", "gelu"
]


class Activation(Operation):
    """An activation function, of each value by itself."""

    operation: Literal["activation"] = "activation"
    function: Annotated[FunctionName, Field(description="By the name that Keras has for it.")] = "relu"

    title: ClassVar[str] = "activation function"
    keeps: ClassVar[str] = "the order of values, or of those above zero"
    loses: ClassVar[str] = "what it maps to the same value: ReLU all below zero"

    def controls(self, size: PixelSize) -> list[Control]:
        choices = tuple((name, _WORDS.get(name, name)) for name in _COMPUTED)
        return [Control("function", "function", self.function, "choice", choices=choices)]

    @np.errstate(over="ignore")
    def compute(self, planes: Planes) -> Planes:
        return np.asarray(_COMPUTED[self.function](planes), np.float32)

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        row, column, channel = place
        formula = _FORMULAS.get(self.function) or FUNCTIONS[self.function].explain("{0}")
        return ElementwiseCell((float(planes[channel, row, column]),), self.function, {}, value, formula)

    def describe(self) -> str:
        return _WORDS.get(self.function, self.function)


class Inversion(Operation):
    """Ink and paper swapped: 1 minus each value."""

    operation: Literal["swap"] = "swap"

    title: ClassVar[str] = "ink and paper swapped"
    keeps: ClassVar[str] = "everything: twice, it is as it was"
    loses: ClassVar[str] = "nothing"

    def compute(self, planes: Planes) -> Planes:
        return _ONE - planes

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        row, column, channel = place
        return ElementwiseCell((float(planes[channel, row, column]),), "swap", {}, value, "1 - {0}")
