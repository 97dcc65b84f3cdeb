"""The pictures of one training run: to train with, to choose the best epoch by, and to test with once."""

from dataclasses import dataclass

import numpy as np

from app.training.mnist import Digits, Mnist
from app.training.pen import PenDigit, WriterSplit, split_by_writer
from app.training.rendering import draw_as_written, draw_varied

# Of MNIST's training digits, one in twelve (5,000) is kept for validation.
_MNIST_VALIDATION = 12

# Every pen digit is drawn this often, each time otherwise: one picture for every two that MNIST brings.
VARIANTS = 5

# Pens for validation, in pixels of the page's canvas: fine, the page's own, and almost as broad as the page offers.
_VALIDATION_PENS = (8, 18, 26)


@dataclass(frozen=True)
class TrainingData:
    """Three sets without a picture or a known writer in common."""

    train: Digits
    validation: Digits
    mnist_test: Digits
    pen_test: Digits | None  # None where no pen strokes were given
    sources: str  # a sentence


def gather(mnist: Mnist, pen_digits: list[PenDigit] | None, seed: int) -> TrainingData:
    """MNIST, and where there are pen digits, those drawn at many pen widths and split by writer."""
    kept = len(mnist.train) * (_MNIST_VALIDATION - 1) // _MNIST_VALIDATION
    train = [Digits(mnist.train.images[:kept], mnist.train.labels[:kept])]
    validation = [Digits(mnist.train.images[kept:], mnist.train.labels[kept:])]
    if pen_digits is None:
        return TrainingData(train[0], validation[0], mnist.test, None, "MNIST's training digits.")
    split = split_by_writer(pen_digits)
    train += [draw_varied(split.train, seed + number) for number in range(VARIANTS)]
    validation += [draw_as_written(split.validation, pen) for pen in _VALIDATION_PENS]
    test = draw_as_written(split.test)
    return TrainingData(join(train), join(validation), mnist.test, test, _sources(split))


def join(sets: list[Digits]) -> Digits:
    """All pictures of several sets, in their order."""
    return Digits(np.concatenate([one.images for one in sets]), np.concatenate([one.labels for one in sets]))


def _sources(split: WriterSplit) -> str:
    train, validation, test = (len({digit.writer for digit in part}) for part in split)
    return (
        f"MNIST's training digits, and {len(split.train):,} digits that {train} people wrote with a pen on a tablet, "
        f"each drawn {VARIANTS} times in varied ways. {validation} other writers served for validation, {test} for "
        "the test."
    )
