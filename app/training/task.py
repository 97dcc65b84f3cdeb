"""The tasks that networks are trained for: the digit, its parity, or its outline."""

from enum import StrEnum
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

_LABEL_SMOOTHING = 0.05


class Task(StrEnum):
    """A task, with its classes, loss and targets."""

    DIGIT = "digit"
    PARITY = "parity"
    OUTLINE = "outline"

    @property
    def classes(self) -> list[str]:
        """The class of each output; for a lone logistic neuron, those of 0 and 1; none for an image."""
        return {Task.DIGIT: [str(digit) for digit in range(10)], Task.PARITY: ["even", "odd"], Task.OUTLINE: []}[self]

    @property
    def loss(self) -> keras.Loss:
        """Cross-entropy: categorical for ten classes, else binary."""
        if self is Task.DIGIT:
            return keras.losses.CategoricalCrossentropy(label_smoothing=_LABEL_SMOOTHING)
        return keras.losses.BinaryCrossentropy()

    def targets(self, labels: Any) -> Any:
        """Return the target outputs. labels: (n,), 0 to 9. Returns: (n, 10) or (n, 1) float32."""
        if self is Task.DIGIT:
            return ops.one_hot(labels, 10, dtype="float32")
        return ops.cast(labels[:, None] % 2, "float32")

    def is_correct(self, outputs: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Compare outputs with labels. outputs: (n, 10) probabilities or (n, 1) of being odd. Returns: (n,)."""
        if self is Task.DIGIT:
            return np.asarray(outputs.argmax(axis=1) == labels)
        return np.asarray((outputs[:, 0] > 0.5) == labels % 2)
