"""How well a network answers on digits it was not trained on."""

from dataclasses import dataclass, field

import keras
import numpy as np

from app.cnn.pooling import PoolingMode
from app.cnn.tensorflow.pooling import trained_pooling, with_pooling
from app.training.batches import to_input
from app.training.mnist import Digits
from app.training.task import Task

_BATCH_SIZE = 500


@dataclass(frozen=True)
class Figures:
    """A card's figures. Accuracies are shares from 0 to 1; None where there is nothing to measure."""

    parameters: int
    test_accuracy: float | None = None
    test_accuracy_by_pooling: dict[PoolingMode, float] = field(default_factory=dict)
    pen_accuracy: float | None = None


def measure(network: keras.Model, task: Task, test: Digits, pen_test: Digits | None) -> Figures:
    """All figures of a network. A picture has no accuracy, so a network that draws one only has its parameters."""
    parameters = network.count_params()
    if task is Task.OUTLINE:
        return Figures(parameters)
    return Figures(
        parameters,
        accuracy(network, task, test),
        _by_pooling(network, task, test),
        None if pen_test is None else accuracy(network, task, pen_test),
    )


def accuracy(network: keras.Model, task: Task, digits: Digits) -> float:
    """The share of digits that the network answers rightly."""
    starts = range(0, len(digits), _BATCH_SIZE)
    # Called, not `predict`ed, which would compile each of the three pooling modes' networks for one use.
    outputs = [network(to_input(digits.images[at : at + _BATCH_SIZE]), training=False) for at in starts]
    return float(task.right(np.concatenate(outputs), digits.labels).mean())


def _by_pooling(network: keras.Model, task: Task, digits: Digits) -> dict[PoolingMode, float]:
    if trained_pooling(network) is None:
        return {}
    return {mode: accuracy(with_pooling(network, mode), task, digits) for mode in PoolingMode}
