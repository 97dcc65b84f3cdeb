"""A network's answer in the words of its card: a class with probabilities, or values."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..cnn.card import Answer, Card, Fit
from ..cnn.cells import JsonFloat
from ..cnn.definition import last_activation
from ..cnn.kinds.activation_functions import is_logistic, shifted_exponentials
from ..cnn.network import ForwardPass, Network
from ..cnn.preprocessing import to_levels
from ..cnn.types import Array, PoolingMode
from ..imaging.blots import is_blot
from ..imaging.colormap import Extremes, find_extremes
from .doubt import find_doubt, measure_confidence, measure_novelty
from .large_layers import open_maps, reading

MOST_LISTED = 2**16  # outputs: as many as a dense layer may have units; an image that is flattened has more
MOST_STEPS = 2**10  # rows of an answer
_MOST_SHARES = 2**18  # probabilities of all rows of an answer
_AT_ONCE = 2**18  # outputs that are made float64

EMPTY = "Nothing is drawn yet."
NO_SHAPE = "A dot or a blot has no shape to read."
NO_LABEL = "–"  # where the network's answer names no class


class NoClasses(ValueError):
    """The network answers with a picture, not with a class."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The model “{name}” answers with a picture, not with a class. Ask for its feature maps.")


@dataclass(frozen=True)
class ClassProbability:
    """One class's probability, from 0 to 1; NaN (null in JSON) where the network's answer is not a number."""

    label: str
    probability: JsonFloat


@dataclass(frozen=True)
class ClassValue:
    """One output of the last layer, as it is."""

    label: str
    value: JsonFloat


@dataclass(frozen=True)
class StepAnswer:
    """The answer of one row of an output of rows × classes, such as one place of a line of text."""

    label: str
    probability: JsonFloat
    probabilities: tuple[JsonFloat, ...]  # in the order of the classes

    @property
    def is_number(self) -> bool:
        return math.isfinite(self.probability)


@dataclass(frozen=True)
class Prediction:
    """A network's answer: the likeliest class and all probabilities, or values."""

    model: str
    pooling: PoolingMode | None
    label: Annotated[
        str,
        Field(
            description="The likeliest class. Of a lone value, its number. “–” where there are several values, and "
            "where the answer is not a number."
        ),
    ]
    probability: Annotated[float | None, Field(description="Of that class; null where the label is no class.")]
    probabilities: Annotated[
        tuple[ClassProbability, ...],
        Field(description="In the order of the classes, the first 65,536 of more; empty where the answer is values."),
    ]
    answer: Annotated[
        Answer, Field(description="What the last layer gives; the probabilities of logits are their softmax.")
    ]
    is_exclusive: Annotated[bool, Field(description="The probabilities sum to 1; otherwise each stands by itself.")]
    values: Annotated[
        tuple[ClassValue, ...],
        Field(
            description="The last layer's outputs as they are, in the order of the classes; a lone neuron's is that "
            "of the second class. The first 65,536 of more."
        ),
    ]
    steps: Annotated[
        tuple[StepAnswer, ...],
        Field(
            description="Where the last layer gives rows of classes: the answer of each row, in order. Then the label "
            "is theirs, one after the other, and the fields about one class are empty."
        ),
    ]
    regions: Annotated[
        tuple[tuple[int, int, int, int], ...],
        Field(
            description="Left, top, right and bottom of each digit in the picture, from left to right, if it holds "
            "several: the first is read. The request's `region` chooses another. Empty for one digit."
        ),
    ]
    note: Annotated[str | None, Field(description="What is odd about the answer: a sentence.")]
    no_digit: Annotated[
        str | None,
        Field(
            description="Why there is nothing to read in the drawing of a model with fit digit: a dot or a blot has no "
            "shape, an empty sheet no ink. Label and probabilities are the network's own all the same. Else null."
        ),
    ]
    doubt: Annotated[
        str | None,
        Field(
            description="Why the answer is not to be trusted, in a sentence: there is nothing to read in the drawing "
            "(as in no_digit), the network reads few digits in this pooling mode, the drawing is unlike all that it "
            "was trained on (novelty is above 0), or it is not sure (confidence is below 0.75). null where nothing "
            "speaks against it."
        ),
    ]
    confidence: Annotated[
        JsonFloat | None,
        Field(
            description="How often answers like this one are right, from 0 to 1: the label's probability where all "
            "logits are divided by the card's temperature. null in a pooling mode that the network was not trained "
            "with, and where the probabilities do not sum to 1."
        ),
    ]
    novelty: Annotated[
        float | None,
        Field(
            description="How unlike all digits that it was trained on the drawing is to the network: at most 0 for 98 "
            "of 100 digits, above 0 for what is hardly one. null where the model has no detector for the pooling mode."
        ),
    ]
    # A lone neuron's answer is the probability of the second of two classes.
    is_binary: Annotated[bool, Field(exclude=True)]
    outputs: Annotated[int, Field(exclude=True)]  # of the last layer, those included that are not listed

    @cached_property
    def is_number(self) -> bool:
        """True if every output is finite."""
        return all(math.isfinite(each.value) for each in self.values)

    @cached_property
    def ranked(self) -> list[ClassProbability]:
        """The classes, the most likely one first."""
        return sorted(self.probabilities, key=lambda each: -each.probability)

    def top(self, count: int) -> list[ClassProbability]:
        """Return the `count` most likely classes."""
        return self.ranked[:count]


def predict(network: Network, forward: ForwardPass) -> Prediction:
    """Read the network's answer from its last layer. Raises: NoClasses."""
    if network.answers_with_picture:
        raise NoClasses(network.name)
    with reading(forward.output.size, forward):
        return _predict(network, forward)


def _predict(network: Network, forward: ForwardPass) -> Prediction:
    if forward.output.ndim == 2 and len(forward.output) > 1:
        return _predict_rows(network, forward)
    output, answer = _Output(forward), network.card.answer
    is_binary = output.size == 1 and answer is not Answer.VALUES
    labels, note = class_labels(network.card.classes, 2 if is_binary else output.size)
    if output.size > MOST_LISTED:
        note = f"The network's answer has {output.size:,} values. The first {MOST_LISTED:,} are listed."
    if not output.is_finite:
        note = "The network's answer is not a number: its arithmetic overflowed, or its weights are broken."
    probabilities = _probabilities(output, answer)
    label, probability = _verdict(labels, probabilities, output, answer)
    is_exclusive = answer is Answer.LOGITS or is_binary or not is_logistic(last_activation(network.layers))
    no_digit = _find_no_digit(network.card, forward.image)
    trust = _weigh(network, forward, output, labels, probabilities if is_exclusive else [])
    return Prediction(
        model=network.name,
        pooling=forward.pooling,
        label=label,
        probability=probability,
        probabilities=tuple(map(ClassProbability, labels, probabilities)),
        answer=answer,
        is_exclusive=is_exclusive,
        values=tuple(map(ClassValue, labels[-output.size :], output.listed.tolist())),
        regions=forward.regions,
        note=note,
        no_digit=no_digit,
        doubt=no_digit or trust.doubt,
        confidence=trust.confidence,
        novelty=trust.novelty,
        steps=(),
        is_binary=is_binary,
        outputs=output.size,
    )


class _Trust(NamedTuple):
    """How far an answer is to be trusted: fields of a Prediction."""

    doubt: str | None = None
    confidence: float | None = None
    novelty: float | None = None


def _weigh(
    network: Network, forward: ForwardPass, output: "_Output", labels: list[str], probabilities: list[float]
) -> _Trust:
    """Return how far an answer of classes is to be trusted. probabilities: of exclusive classes; else none."""
    card = network.card
    if not output.is_finite or network.is_edited:  # what was measured holds for the model as trained
        return _Trust()
    is_listed = bool(probabilities) and output.size <= MOST_LISTED
    share = measure_confidence(output.listed, card) if is_listed else None
    novelty = measure_novelty(network, forward)
    likeliest: list[str] = []
    if 1 < len(probabilities) == len(labels):
        likeliest = sorted(labels, key=dict(zip(labels, probabilities, strict=True)).__getitem__, reverse=True)[:2]
    doubt = find_doubt(card, forward.pooling, novelty, share, likeliest)
    return _Trust(doubt, share if forward.pooling == card.pooling else None, novelty)


class _Output:
    """The last layer's values, of which there may be millions in mapped memory."""

    def __init__(self, forward: ForwardPass) -> None:
        values = forward.output.ravel()
        self.size = values.size
        self.listed = values[:MOST_LISTED]
        self._values = open_maps(values.reshape(-1, 1, 1), forward)

    @cached_property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self._extremes.lowest) and np.isfinite(self._extremes.highest))

    @cached_property
    def highest(self) -> np.float32:
        return self._extremes.highest

    @cached_property
    def _extremes(self) -> Extremes:
        return find_extremes(self._values)  # a NaN is both

    def find_best(self) -> int:
        """Return the first of the highest values."""
        parts = enumerate(self._parts())
        return next(number * _AT_ONCE + int(part.argmax()) for number, part in parts if part.max() == self.highest)

    def sum_exponentials(self) -> float:
        """Return the sum of exp(value - the highest one)."""
        return sum(float(np.exp(part.astype(np.float64) - self.highest).sum()) for part in self._parts())

    def _parts(self) -> Iterator[Array]:
        for start in range(0, self.size, _AT_ONCE):
            yield self._values[slice(start, start + _AT_ONCE), slice(0, 1), slice(0, 1)].ravel()


def _find_no_digit(card: Card, image: Array) -> str | None:
    """Return why an input, (height, width, channels), shows no digit; None where it may, or need not, show one."""
    if card.fit is not Fit.DIGIT:
        return None
    levels = to_levels(image, card)[..., 0]
    if levels.min() == levels.max():
        return EMPTY
    return NO_SHAPE if is_blot(levels) else None


def _predict_rows(network: Network, forward: ForwardPass) -> Prediction:
    """Read an answer of rows × classes, a class for each row; of values, only how many there are."""
    count, classes = forward.output.shape
    most = min(MOST_STEPS, max(1, _MOST_SHARES // classes))
    rows, answer = forward.output[:most], network.card.answer
    labels, note = class_labels(network.card.classes, classes)
    if count > most:
        note = f"The network's answer has {count:,} rows. The first {most:,} are listed."
    is_listed = answer is not Answer.VALUES and 2 <= classes <= _MOST_SHARES
    if is_listed and not _is_finite(rows):
        note = "The network's answer is not a number: its arithmetic overflowed, or its weights are broken."
    steps = [_step(labels, row, answer) for row in rows] if is_listed else []
    no_digit = _find_no_digit(network.card, forward.image)
    between = "" if all(len(each.label) == 1 for each in steps) else " "
    return Prediction(
        model=network.name,
        pooling=forward.pooling,
        label=between.join(each.label for each in steps) or NO_LABEL,
        probability=None,
        probabilities=(),
        answer=answer,
        is_exclusive=answer is Answer.LOGITS or not is_logistic(last_activation(network.layers)),
        values=(),
        steps=tuple(steps),
        regions=forward.regions,
        note=note,
        no_digit=no_digit,
        doubt=no_digit,
        confidence=None,
        novelty=None,
        is_binary=False,
        outputs=forward.output.size,
    )


def _step(labels: list[str], row: Array, answer: Answer) -> StepAnswer:
    if not _is_finite(row):
        return StepAnswer(NO_LABEL, float("nan"), (float("nan"),) * len(labels))
    shares: list[float] = (softmax(row) if answer is Answer.LOGITS else row).tolist()
    best = int(np.argmax(shares))
    return StepAnswer(labels[best], shares[best], tuple(shares))


def _is_finite(output: Array) -> bool:
    return bool(np.isfinite(output.min()) and np.isfinite(output.max()))  # a NaN is both; no copy of the output


def class_labels(classes: list[str], count: int) -> tuple[list[str], str | None]:
    """Return the card's class names; if their count is another, numbers and a sentence that says so."""
    if len(classes) == count:
        return classes, None
    numbers = [str(number) for number in range(min(count, MOST_LISTED))]
    if not classes:
        return numbers, None
    return numbers, (
        f"The model's card names {len(classes):,} classes, and its answer has {count:,}: they are numbered here. "
        "Correct the card's classes."
    )


def _probabilities(output: _Output, answer: Answer) -> list[float]:
    """Return the probability of each class listed: all NaN where the output is not a number, none for values."""
    if answer is Answer.VALUES:
        return []
    if not output.is_finite:
        return [float("nan")] * max(2, min(output.size, MOST_LISTED))
    if output.size == 1:
        second = logistic(float(output.highest)) if answer is Answer.LOGITS else output.highest
        return [float(1 - second), float(second)]
    probabilities: list[float] = (_softmax(output) if answer is Answer.LOGITS else output.listed).tolist()
    return probabilities


def _verdict(
    labels: list[str], probabilities: list[float], output: _Output, answer: Answer
) -> tuple[str, float | None]:
    """Return the label to show, and its probability."""
    if not output.is_finite:
        return NO_LABEL, None
    if output.size > len(probabilities) > 2:
        return _verdict_on_many(output, answer)
    if probabilities:
        best = int(np.argmax(probabilities))
        return labels[best], probabilities[best]
    return (f"{output.highest:.4g}" if output.size == 1 else NO_LABEL), None


def _verdict_on_many(output: _Output, answer: Answer) -> tuple[str, float]:
    """Return the number of the likeliest class of more than are listed, and its probability."""
    share = 1 / output.sum_exponentials() if answer is Answer.LOGITS else float(output.highest)
    return str(output.find_best()), share


def _softmax(logits: _Output) -> NDArray[np.float64]:
    """Return the scores listed as shares of 1."""
    if logits.size <= MOST_LISTED:
        return softmax(logits.listed)
    return np.asarray(np.exp(logits.listed.astype(np.float64) - logits.highest) / logits.sum_exponentials())


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return scores, (units,), as shares of 1."""
    exponentials = shifted_exponentials(logits.astype(np.float64))
    return np.asarray(exponentials / exponentials.sum())


def logistic(score: float) -> float:
    """Return a score as a probability, from 0 to 1."""
    # The exponent is never positive: no score is large enough to overflow.
    small = float(np.exp(-abs(score)))
    return 1 / (1 + small) if score >= 0 else small / (1 + small)
