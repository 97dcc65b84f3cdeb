"""The numbers that a network's last layer gives."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.cnn.kinds import Layer
from app.cnn.kinds.functions import FUNCTIONS


def last_activation(layers: Sequence[Layer]) -> str | None:
    """Return the activation function that made a network's outputs; None where its last layer has none."""
    for layer in reversed(layers):
        if layer.last_function is not None or not layer.keeps_probabilities:
            return layer.last_function
    return None


def is_logistic(activation: str | None) -> bool:
    """Each output lies between 0 and 1 by itself."""
    return activation is not None and FUNCTIONS[activation].is_logistic


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return scores, (units,), as shares of 1."""
    exponentials = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(exponentials / exponentials.sum())


def logistic(score: float) -> float:
    """Return a score as a probability, from 0 to 1."""
    # The exponent is never positive: no score is large enough to overflow.
    small = float(np.exp(-abs(score)))
    return 1 / (1 + small) if score >= 0 else small / (1 + small)
