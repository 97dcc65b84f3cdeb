"""Gradients on their way back through a network, and what each layer adds to a number by itself.

A layer that is locally linear makes output = J · input + bias, so that for any gradient g of its output

    g · output = (Jᵀ g) · input + g · bias.

Whatever is not linear leaves something over, g · (output - J · input - bias), a term of its own. Summed over all layers
after a cut through the network, these terms and gradient × value at the cut are the number that is explained (Srinivas
and Fleuret, "Full-Gradient Representation for Neural Network Visualization", NeurIPS 2019, proposition 1).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# (several, *shape of a layer's output or input): one gradient for each number that is explained, without a batch.
Gradients = NDArray[np.floating[Any]]
Terms = NDArray[np.float64]


class PassedBack(NamedTuple):
    """What becomes of several gradients on their way back through one layer."""

    inputs: tuple[Gradients, ...]  # one for each of the layer's inputs
    bias: Terms | None = None  # (several, biases): gradient × bias, of each bias; None without
    left_over: Terms | None = None  # (several,): of what is not linear; None where nothing is left


def dot(gradients: Gradients, values: NDArray[Any]) -> Terms:
    """Return the sum of gradient × value, added up in float64: (several,). values: (*shape)."""
    products = gradients.reshape(len(gradients), -1) * values.reshape(-1)
    return np.asarray(products.sum(axis=1, dtype=np.float64))


def close(
    gradients: Gradients,
    before: Sequence[NDArray[np.floating[Any]]],
    values: Sequence[NDArray[Any]],
    output: NDArray[Any],
    bias: Terms | None = None,
) -> PassedBack:
    """Return what was passed to each input, with whatever else of gradient × output there is left over.

    before: a gradient of each input. values: what they are. output: what the layer made of them.
    """
    passed = tuple(each.astype(gradients.dtype, copy=False) for each in before)
    left_over = dot(gradients, output) - sum(map(dot, passed, values))
    return PassedBack(passed, bias, left_over if bias is None else left_over - bias.sum(axis=1))


def channel_sums(gradients: Gradients) -> Terms:
    """Return the sum over all places of each channel: (several, channels)."""
    places = gradients.reshape(len(gradients), -1, gradients.shape[-1])
    return np.asarray(places.sum(axis=1, dtype=np.float64))


def unbroadcast(gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
    """Sum gradients over the axes along which an input of this shape was repeated."""
    repeated = tuple(
        axis
        for axis, (size, made) in enumerate(zip(shape, gradients.shape[1:], strict=True), start=1)
        if size == 1 and made > 1
    )
    return gradients.sum(axis=repeated, keepdims=True) if repeated else gradients
