"""The temperature that makes a network's confidence right (Guo et al. 2017, arXiv:1706.04599)."""

import numpy as np
from numpy.typing import NDArray

from ..cnn.types import Array

_LOWEST, _HIGHEST = 0.05, 20.0
_STEPS, _ROUNDS = 33, 4
_SMALLEST = 1e-30  # a probability that float32 has rounded to 0


def fit_temperature(outputs: Array, targets: NDArray[np.intp]) -> float:
    """Return the temperature with the lowest cross-entropy, from 0.05 to 20, to three decimal places.

    outputs: (n, classes) probabilities that sum to 1, or (n, 1) of the second of two classes. targets: (n,), the index
    of the right class. Each round of the search looks closer at the neighbourhood of the best one so far.
    """
    logits = to_logits(outputs)
    low, high = np.log(_LOWEST), np.log(_HIGHEST)
    for _ in range(_ROUNDS):
        tried = np.linspace(low, high, _STEPS)
        losses = [cross_entropy(logits / np.exp(each), targets) for each in tried]
        best = int(np.argmin(losses))
        low, high = tried[max(0, best - 1)], tried[min(_STEPS - 1, best + 1)]
    return round(float(np.exp((low + high) / 2)), 3)


def to_logits(outputs: Array) -> NDArray[np.float64]:
    """Return the logarithms of probabilities, (n, classes), or those of both classes of a lone neuron's, (n, 1)."""
    shares = outputs.astype(np.float64)
    if shares.shape[1] == 1:
        shares = np.concatenate([1 - shares, shares], axis=1)
    return np.asarray(np.log(np.maximum(shares, _SMALLEST)))


def cross_entropy(logits: NDArray[np.float64], targets: NDArray[np.intp]) -> float:
    """Return the mean negative logarithm of the right class's probability, which is the softmax of its logit."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    right = shifted[np.arange(len(targets)), targets]
    return float((np.log(np.exp(shifted).sum(axis=1)) - right).mean())
