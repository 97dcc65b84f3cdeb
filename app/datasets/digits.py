"""Part of MNIST: all test digits, and some that the built-in models were trained on. LICENSE.md names its makers."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 28  # pixels

_FOLDER = Path(__file__).parent


class DigitSet(StrEnum):
    """Which of the digits that come with Layerglass."""

    TEST = "test"
    TRAINING = "training"

    def load(self) -> "Digits":
        """Return all of its digits."""
        return load_test_digits() if self is DigitSet.TEST else load_training_digits()


@dataclass(frozen=True)
class Digits:
    """Images and their labels."""

    images: NDArray[np.uint8]  # (n, 28, 28), 0 is paper, 255 the strongest ink
    labels: NDArray[np.uint8]  # (n,), 0 to 9

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: slice | NDArray[Any]) -> "Digits":
        """Return some of them. chosen: what NumPy takes as an index: a slice, indices, or a mask, (n,)."""
        return Digits(self.images[chosen], self.labels[chosen])


@cache
def load_test_digits() -> Digits:
    """Return MNIST's 10,000 test digits. No built-in model has seen them in training."""
    return _load("mnist-test")


@cache
def load_training_digits() -> Digits:
    """Return the first 6,000 of MNIST's training digits."""
    return _load("mnist-training")


def _load(name: str) -> Digits:
    with Image.open(_FOLDER / f"{name}.png") as sheet:
        pixels = np.asarray(sheet)
    rows, columns = pixels.shape[0] // SIDE, pixels.shape[1] // SIDE
    images = pixels.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
    text = (_FOLDER / f"{name}.txt").read_text(encoding="ascii")
    labels = np.array([int(digit) for digit in text if digit != "\n"], np.uint8)
    for array in (images, labels):
        array.flags.writeable = False  # everyone shares them
    return Digits(images, labels)
