"""How a gradient goes back through an activation function.

Where a function is a share of its argument, as ReLU is on both sides of zero, nothing is left over: gradient × output
is gradient × argument. Of any other, such as tanh, it leaves g · (f(z) - f'(z) · z) over, the tangent's height at zero.
The derivative of a kink is that which TensorFlow takes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NoGradient
from ..gradients import Gradients, Terms, dot
from ..types import Array

Doubles = NDArray[np.float64]
Argument = Callable[[], NDArray[np.floating]]  # what the function was given; worked out only where it is needed

_SELU_SCALE, _SELU_ALPHA = 1.05070098, 1.67326324
_LEAK = 0.2
_NORMAL = (1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530)


def _sigmoid(z: Doubles) -> Doubles:
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


def _elu_slope(z: Doubles, alpha: float = 1.0) -> Doubles:
    return np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0)))


def _silu_slope(z: Doubles) -> Doubles:
    share = _sigmoid(z)
    return share * (1 + z * (1 - share))


def _mish_slope(z: Doubles) -> Doubles:
    squashed = np.tanh(np.logaddexp(0, z))
    return squashed + z * (1 - squashed**2) * _sigmoid(z)


def _gelu_slope(z: Doubles) -> Doubles:
    """Return that of z · Φ(z), where Φ is the normal distribution's share below z."""
    return _normal_share(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _normal_share(z: Doubles) -> Doubles:
    """Return Φ, right to 1e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.2.17)."""
    t = 1 / (1 + 0.2316419 * np.abs(z))
    beyond = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * t * np.polyval(_NORMAL, t)
    return np.where(z > 0, 1 - beyond, beyond)


def _hard_silu_slope(z: Doubles) -> Doubles:
    return np.where(z <= -3, 0.0, np.where(z < 3, z / 3 + 0.5, 1.0))


def _between(low: float, high: float, slope: float = 1.0) -> Callable[[Doubles], Doubles]:
    return lambda z: np.where((z > low) & (z < high), slope, 0.0)


def _beyond(limit: float) -> Callable[[Doubles], Doubles]:
    return lambda z: np.where(np.abs(z) > limit, 1.0, 0.0)


# Of functions that are a share of their argument wherever their output says so.
_SHARES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "relu": lambda y: y > 0,
    "leaky_relu": lambda y: np.where(y > 0, np.float32(1), np.float32(_LEAK)),
}
_SLOPES: dict[str, Callable[[Doubles], Doubles]] = {
    "celu": _elu_slope,
    "elu": _elu_slope,
    "exponential": np.exp,
    "gelu": _gelu_slope,
    "hard_shrink": _beyond(0.5),
    "hard_sigmoid": _between(-3, 3, 1 / 6),
    "hard_silu": _hard_silu_slope,
    "hard_swish": _hard_silu_slope,
    "hard_tanh": _between(-1, 1),
    "log_sigmoid": lambda z: _sigmoid(-z),
    "mish": _mish_slope,
    "relu6": _between(0, 6),
    "selu": lambda z: _SELU_SCALE * _elu_slope(z, _SELU_ALPHA),
    "sigmoid": lambda z: _sigmoid(z) * (1 - _sigmoid(z)),
    "silu": _silu_slope,
    "soft_shrink": _beyond(0.5),
    "softplus": _sigmoid,
    "softsign": lambda z: 1 / (1 + np.abs(z)) ** 2,
    "sparse_plus": lambda z: np.clip((z + 1) / 2, 0, 1),
    "sparse_sigmoid": _between(-1, 1, 0.5),
    "squareplus": lambda z: 0.5 * (1 + z / np.sqrt(z**2 + 4)),
    "swish": _silu_slope,
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "tanh_shrink": lambda z: np.tanh(z) ** 2,
}


def pass_activation(
    name: str, gradients: Gradients, output: Array, argument: Argument, layer: str
) -> tuple[Gradients, Terms | None]:
    """Return the gradients before an activation function, and what it leaves over: (several,), or None for nothing.

    gradients: after it. output: what it made. layer: the name of the layer that applies it. Raises: NoGradient.
    """
    if name == "linear":
        return gradients, None
    if name in _SHARES:
        return gradients * _SHARES[name](output), None
    z = argument().astype(np.float64)
    if name == "softmax":
        return pass_softmax(gradients, output, z)
    if name not in _SLOPES:
        raise NoGradient(layer, f"the derivative of {name} is not written yet")
    return pass_function(gradients, output, z, _SLOPES[name](z))


def find_slopes(name: str, output: Doubles, argument: Doubles) -> NDArray[np.floating]:
    """Return the derivative of an activation function of each cell. output: what it made. Raises: KeyError."""
    if name == "linear":
        return np.ones_like(argument)
    return _SHARES[name](output) if name in _SHARES else _SLOPES[name](argument)


def pass_function(
    gradients: Gradients, output: Array, argument: Doubles, slopes: NDArray[np.floating]
) -> tuple[Gradients, Terms]:
    """Return the gradients before a function of each cell that has these slopes, and what it leaves over."""
    rest = output - slopes * argument
    return gradients * slopes.astype(gradients.dtype), dot(gradients, rest)


def pass_softmax(
    gradients: Gradients, output: Array, argument: Doubles, axes: int | tuple[int, ...] = -1
) -> tuple[Gradients, Terms]:
    """Return the gradients before softmax along these axes, counted from the end, and what it leaves over."""
    mean = (gradients * output).sum(axis=axes, keepdims=True)
    before = output * (gradients - mean)
    return before, dot(gradients, output) - dot(before, argument)
