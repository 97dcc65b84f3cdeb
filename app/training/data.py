"""The data of a training run: MNIST and pen digits, split into training, validation and test sets."""

from dataclasses import dataclass

import numpy as np

from ..datasets.digits import Digits
from .mnist import Mnist
from .pen import PenDigit, WriterSplit, split_by_writer
from .rendering import draw_as_written, draw_varied

# One in twelve of MNIST's training digits (5,000) is for validation.
_MNIST_VALIDATION = 12

# An epoch has each of MNIST's digits three times, and each pen digit twelve times, varied each time: with few variants
# a network learns the writers, and with few of MNIST's digits it forgets their hands.
MNIST_REPEATS = 3
VARIANTS = 12

# Pen widths for validation, in pixels of the page's canvas: fine, the page's own, and nearly its broadest.
_VALIDATION_PENS = (8, 18, 26)


@dataclass(frozen=True)
class TrainingData:
    """Training, validation and test sets, with no digit and no writer in two of them."""

    train: Digits
    validation: Digits
    mnist_test: Digits
    pen_test: Digits | None  # None without pen strokes
    sources: str  # a sentence for the card


def gather(mnist: Mnist, pen_digits: list[PenDigit] | None, seed: int) -> TrainingData:
    """Split MNIST, and draw the pen digits if there are any, split by writer.

    Raises: BadInput if a set has no writer.
    """
    kept = len(mnist.train) * (_MNIST_VALIDATION - 1) // _MNIST_VALIDATION
    train = [Digits(mnist.train.images[:kept], mnist.train.labels[:kept])] * MNIST_REPEATS
    validation = [Digits(mnist.train.images[kept:], mnist.train.labels[kept:])]
    if pen_digits is None:
        return TrainingData(join(train), validation[0], mnist.test, None, "MNIST's training digits.")
    split = split_by_writer(pen_digits)
    train += [draw_varied(split.train, seed + number) for number in range(VARIANTS)]
    validation += [draw_as_written(split.validation, pen) for pen in _VALIDATION_PENS]
    test = draw_as_written(split.test)
    return TrainingData(join(train), join(validation), mnist.test, test, _sources(split))


def join(sets: list[Digits]) -> Digits:
    """Concatenate several sets."""
    return Digits(np.concatenate([one.images for one in sets]), np.concatenate([one.labels for one in sets]))


def _sources(split: WriterSplit) -> str:
    train, validation, test = (len({digit.writer for digit in part}) for part in split)
    return (
        f"MNIST's training digits, and {len(split.train):,} digits that {train} people wrote with a pen on a tablet, "
        f"each drawn {VARIANTS} times in varied ways. {validation} other writers served for validation, {test} for "
        "the test."
    )
