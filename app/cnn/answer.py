"""What the numbers are that a network's last layer gives."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.cnn.layers import Layer

_LOGISTIC = {"sigmoid", "hard_sigmoid"}
# Layers that leave each number what it was: a probability stays one.
_MOVING = {"Flatten", "Reshape", "Permute", "Dropout", "GlobalAveragePooling2D", "GlobalMaxPooling2D"}


def last_activation(layers: Sequence[Layer]) -> str | None:
    """The activation function that made a network's outputs; None where its last layer has none."""
    for layer in reversed(layers):
        if layer.kind == "Softmax":
            return "softmax"
        if layer.activation is not None or layer.kind not in _MOVING:
            return layer.activation
    return None


def is_logistic(activation: str | None) -> bool:
    """Each output lies between 0 and 1 by itself."""
    return activation in _LOGISTIC


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scores, (units,), as shares of 1."""
    exponentials = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(exponentials / exponentials.sum())


def logistic(score: float) -> float:
    """A score as a probability, from 0 to 1."""
    # The exponent is never positive: no score is large enough to overflow.
    small = float(np.exp(-abs(score)))
    return 1 / (1 + small) if score >= 0 else small / (1 + small)
