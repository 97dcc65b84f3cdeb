"""What a network is asked: which digit, odd or even, or where the outline runs."""

from enum import StrEnum
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

_LABEL_SMOOTHING = 0.05


class Task(StrEnum):
    """The question that a network answers."""

    DIGIT = "digit"
    PARITY = "parity"
    OUTLINE = "outline"

    @property
    def classes(self) -> list[str]:
        """What each output means; for a lone logistic neuron, what 0 and what 1 mean; empty for a picture."""
        return {
            Task.DIGIT: [str(digit) for digit in range(10)],
            Task.PARITY: ["even", "odd"],
            Task.OUTLINE: [],
        }[self]

    @property
    def loss(self) -> keras.Loss:
        """Cross-entropy over ten classes, or over one."""
        if self is Task.DIGIT:
            return keras.losses.CategoricalCrossentropy(label_smoothing=_LABEL_SMOOTHING)
        return keras.losses.BinaryCrossentropy()

    def targets(self, labels: Any) -> Any:
        """What the network should answer. labels: (n,), 0 to 9. Returns: (n, 10) or (n, 1) float32."""
        if self is Task.DIGIT:
            return ops.one_hot(labels, 10, dtype="float32")
        return ops.cast(labels[:, None] % 2, "float32")

    def right(self, outputs: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which answers are right. outputs: (n, 10) probabilities or (n, 1) of being odd. Returns: (n,)."""
        if self is Task.DIGIT:
            return np.asarray(outputs.argmax(axis=1) == labels)
        return np.asarray((outputs[:, 0] > 0.5) == labels % 2)
