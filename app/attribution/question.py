"""What is asked: why a network answers with one class, or with one class and not with another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Answer
from ..cnn.network import Network
from ..explore.prediction import NoClasses, class_labels

_MOST_NAMED = 20  # classes in a sentence
Doubles = NDArray[np.float64]


class InvalidQuestion(ValueError):
    """There is no such class to ask about."""


@dataclass(frozen=True)
class Question:
    """Why one class, or why it and not another.

    The number that answers it is the class's logit, or by how much its logit is above the other's. A lone neuron's
    logit is how far the second of two classes is above the first, so that of the first is as much below zero.
    """

    labels: tuple[str, ...]  # of all classes
    target: int  # the number of the class that is explained
    against: int | None = None  # that of the class that it is compared with

    @property
    def target_label(self) -> str:
        return self.labels[self.target]

    @property
    def against_label(self) -> str | None:
        return None if self.against is None else self.labels[self.against]

    def seeds(self, outputs: int) -> NDArray[np.float32]:
        """Return the weight of each logit in the number: (1, outputs)."""
        weights = np.zeros((1, outputs), np.float32)
        if outputs < len(self.labels):  # a lone neuron
            weights[0, 0] = 1 if self.target else -1
            return weights
        weights[0, self.target] = 1
        if self.against is not None:
            weights[0, self.against] = -1
        return weights


def read_question(network: Network, logits: Doubles, target: str | None = None, against: str | None = None) -> Question:
    """Return the question about these classes, each by its name, or by its number from 0.

    logits: of the network's answer, (outputs,). target: None is the class with the highest logit. against: None asks
    for the logit itself. Raises: InvalidQuestion, NoClasses.
    """
    require_classes(network)
    labels = _labels(network, logits.size)
    number = _likeliest(logits, labels) if target is None else _find(labels, target)
    other = None if against is None else _find(labels, against)
    if number == other:
        raise InvalidQuestion(f"“{labels[number]}” cannot be compared with itself: name two classes.")
    return Question(labels, number, other)


def require_classes(network: Network) -> None:
    """Check that a network's answer is one row of classes or values. Raises: NoClasses, InvalidQuestion."""
    if network.answers_with_picture:
        raise NoClasses(network.name)
    shape = network.layers[-1].output_shape
    if len(shape) == 2 and shape[0] != 1:
        raise InvalidQuestion(
            f"The model “{network.name}” answers row by row, with a class for each. Only a single answer is explained."
        )


def _labels(network: Network, outputs: int) -> tuple[str, ...]:
    is_binary = outputs == 1 and network.card.answer is not Answer.VALUES
    labels, _ = class_labels(network.card.classes, 2 if is_binary else outputs)
    return tuple(labels)


def _likeliest(logits: Doubles, labels: tuple[str, ...]) -> int:
    if logits.size < len(labels) == 2:  # a lone neuron
        return int(logits[0] > 0)
    return int(np.argmax(logits[: len(labels)]))


def _find(labels: tuple[str, ...], name: str) -> int:
    """Return the number of a class. Raises: InvalidQuestion."""
    if name in labels:
        return labels.index(name)
    if name.isdecimal() and name.isascii() and len(name) < 8 and int(name) < len(labels):
        return int(name)
    named = ", ".join(labels[:_MOST_NAMED])
    more = f" and {len(labels) - _MOST_NAMED:,} more" if len(labels) > _MOST_NAMED else ""
    raise InvalidQuestion(f"There is no class “{name}”. The model has: {named}{more}.")
