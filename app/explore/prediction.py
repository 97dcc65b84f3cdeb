"""The service: what a network's answer says, in the words of its card."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.cnn.answer import is_logistic, last_activation, logistic, softmax
from app.cnn.card import Answer
from app.cnn.network import ForwardPass, Network
from app.cnn.pooling import PoolingMode
from app.cnn.types import Array

NO_LABEL = "–"  # where the network's answer names no class


class NoClasses(ValueError):
    """The network answers with a picture, not with a class."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The model “{name}” answers with a picture, not with a class. Ask for its feature maps.")


@dataclass(frozen=True)
class ClassProbability:
    """How likely one class is, from 0 to 1; NaN where the network's answer is not a number."""

    label: str
    probability: float


@dataclass(frozen=True)
class ClassValue:
    """What the network's last layer gives for one class, as it is."""

    label: str
    value: float


@dataclass(frozen=True)
class Prediction:
    """What the network says: which class it is, or what values it has."""

    model: str
    pooling: PoolingMode | None
    answer: Answer  # what the last layer's outputs are
    label: str  # the likeliest class; of a lone value its number; NO_LABEL where neither is told
    probability: float | None  # of that class; None for values, and where the answer is not a number
    probabilities: tuple[ClassProbability, ...]  # in the order of the classes; empty for values
    values: tuple[ClassValue, ...]  # the outputs as they are: probabilities, logits or values
    is_binary: bool  # one neuron's answer: the probability of the second of two classes
    is_exclusive: bool  # the probabilities sum to 1; otherwise each stands by itself
    note: str | None = None  # what is odd about the answer: a sentence

    @cached_property
    def is_number(self) -> bool:
        """Every output is finite."""
        return all(math.isfinite(each.value) for each in self.values)

    @cached_property
    def ranked(self) -> list[ClassProbability]:
        """The most likely class first."""
        return sorted(self.probabilities, key=lambda each: -each.probability)

    def top(self, count: int) -> list[ClassProbability]:
        """The most likely classes, so many of them."""
        return self.ranked[:count]


def predict(network: Network, forward: ForwardPass) -> Prediction:
    """The network's answer, read from its last layer. Raises: NoClasses."""
    if network.answers_with_picture:
        raise NoClasses(network.name)
    output, answer = forward.output.ravel(), network.card.answer
    is_binary = output.size == 1 and answer is not Answer.VALUES
    labels, note = _labels(network.card.classes, 2 if is_binary else output.size)
    if not np.isfinite(output).all():
        note = "The network's answer is not a number: its arithmetic overflowed, or its weights are broken."
    probabilities = _probabilities(output, answer)
    label, probability = _verdict(labels, probabilities, output)
    return Prediction(
        model=network.name,
        pooling=forward.pooling,
        answer=answer,
        label=label,
        probability=probability,
        probabilities=tuple(map(ClassProbability, labels, probabilities)),
        values=tuple(map(ClassValue, labels[-output.size :], output.tolist())),
        is_binary=is_binary,
        is_exclusive=answer is Answer.LOGITS or is_binary or not is_logistic(last_activation(network.layers)),
        note=note,
    )


def _labels(classes: list[str], count: int) -> tuple[list[str], str | None]:
    """The names of so many classes: the card's, or numbers where it names more or fewer, and a sentence on that."""
    if len(classes) == count:
        return classes, None
    numbers = [str(number) for number in range(count)]
    if not classes:
        return numbers, None
    return numbers, (
        f"The model's card names {len(classes):,} classes, and its answer has {count:,}: they are numbered here. "
        "Correct the card's classes."
    )


def _probabilities(output: Array, answer: Answer) -> list[float]:
    """How likely each class is; NaN for all of them where the output is not a number, none for values."""
    if answer is Answer.VALUES:
        return []
    if not np.isfinite(output).all():
        return [float("nan")] * max(2, output.size)
    if output.size == 1:
        second = logistic(float(output[0])) if answer is Answer.LOGITS else np.float32(output[0])
        return [float(1 - second), float(second)]
    probabilities: list[float] = (softmax(output) if answer is Answer.LOGITS else output).tolist()
    return probabilities


def _verdict(labels: list[str], probabilities: list[float], output: Array) -> tuple[str, float | None]:
    """The label to say, and its probability."""
    if not np.isfinite(output).all():
        return NO_LABEL, None
    if probabilities:
        best = int(np.argmax(probabilities))
        return labels[best], probabilities[best]
    return (f"{output[0]:.4g}" if output.size == 1 else NO_LABEL), None
