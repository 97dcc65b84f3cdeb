"""How a gradient goes back through layers that divide values by what they themselves have as mean and spread.

None of them is linear: what gradient × value and the shift leave over is a term of its own.
"""

import numpy as np
from numpy.typing import NDArray

from ..gradients import Gradients, PassedBack, channel_sums, close
from ..types import Array

Doubles = NDArray[np.float64]
Axes = tuple[int, ...]  # counted from the end


def pass_normalised(
    gradients: Gradients,
    values: Array,
    output: Array,
    axes: Axes,
    epsilon: float,
    gamma: Doubles | float = 1.0,
    beta: Doubles | None = None,
    groups: int = 1,
) -> PassedBack:
    """Pass (x - mean) / √(variance + epsilon) · gamma + beta, with mean and variance along these axes.

    groups: of the last axis, each with a mean and variance of its own.
    """
    shape = (*values.shape[:-1], groups, values.shape[-1] // groups) if groups > 1 else values.shape
    x = values.astype(np.float64).reshape(shape)
    scaled = (gradients * gamma).astype(np.float64).reshape(-1, *shape)
    centred = x - x.mean(axis=axes, keepdims=True)
    inverse = 1 / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + epsilon)
    unit = centred * inverse
    along = (scaled * unit).mean(axis=axes, keepdims=True)
    before = inverse * (scaled - scaled.mean(axis=axes, keepdims=True) - unit * along)
    bias = None if beta is None else channel_sums(gradients) * beta
    return close(gradients, [before.reshape(gradients.shape)], [values], output, bias)


def pass_rms(
    gradients: Gradients, values: Array, output: Array, axes: Axes, epsilon: float, scale: Doubles
) -> PassedBack:
    """Pass x / √(mean square + epsilon) · scale."""
    x, scaled = values.astype(np.float64), (gradients * scale).astype(np.float64)
    inverse = 1 / np.sqrt(np.square(x).mean(axis=axes, keepdims=True) + epsilon)
    along = (scaled * x).mean(axis=axes, keepdims=True)
    return close(gradients, [inverse * (scaled - x * inverse**2 * along)], [values], output)


def pass_unit(gradients: Gradients, values: Array, output: Array, axes: Axes) -> PassedBack:
    """Pass x / |x|."""
    x = values.astype(np.float64)
    length = np.sqrt(np.maximum(np.square(x).sum(axis=axes, keepdims=True), 1e-12))
    unit, given = x / length, gradients.astype(np.float64)
    along = (given * unit).sum(axis=axes, keepdims=True)
    return close(gradients, [(given - unit * along) / length], [values], output)


def from_end(axis: int | Axes, rank: int) -> Axes:
    """Return axes that are counted with the batch in front, counted from the end. rank: without the batch."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(each - rank - 1 if each > 0 else each for each in axes)
