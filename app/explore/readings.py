"""How a network wants its drawings shown: labelled ones are shown in every likely way, and its answers counted."""

import math
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Answer, Card, Fit, Ink
from ..cnn.network import Network
from ..cnn.types import Array
from ..imaging.labelled import LabelledDrawing, labelled_drawings
from ..library.readings import Reading, Readings, TriedReading
from .forward_passes import find_levels, to_seen
from .prediction import softmax

SIDES = range(8, 65)  # pixels of an input that may be a lone digit's or letter's
# Of a forward pass: some hundred passes of more would hold others up.
MOST_OPERATIONS, MOST_CELLS, MOST_WEIGHTS = 16_000_000, 200_000, 5_000_000
MOST_SECONDS = 12.0  # on a very busy machine; on an idle one, such a network takes less than three

_LEAST = 1e-3  # a probability that is less counts as this one

_Scaling = tuple[tuple[float, float], list[float] | None, list[float] | None]  # value range, mean, std

_DIGITS, _CAPITALS, _SMALL = string.digits, string.ascii_uppercase, string.ascii_lowercase
_BLANK = "–"  # the first class of EMNIST's letters, which are counted from 1
# What the classes of data sets of digits and letters are, by their number.
_ALPHABETS = {
    10: [_DIGITS],
    26: [_CAPITALS, _SMALL],
    27: [_BLANK + _CAPITALS],
    36: [_DIGITS + _CAPITALS, _CAPITALS + _DIGITS],
    47: [_DIGITS + _CAPITALS + "abdefghnqrt"],  # EMNIST balanced
    52: [_CAPITALS + _SMALL],
    62: [_DIGITS + _CAPITALS + _SMALL],
}
# With so many drawings, so many of the best readings so far are tried; None is all.
_ROUNDS = ((5, None), (15, None), (30, 12), (None, 5))
_HOPE = 0.2  # of the drawings: by most readings a network reads less, and those are tried no further
_GOOD = 0.94  # of the drawings: who reads so many as its card is, is tried no further

_TOO_LONG = "Running it takes too long to try it some hundred times."


class CannotTry(ValueError):
    """A network cannot be tried on labelled drawings. The message says why."""


def try_readings(network: Network) -> Readings:
    """Show labelled drawings to a network in every likely way, and count how many it reads right.

    A few drawings are shown in every way, and all of them in those few ways in which it reads most.
    Raises: CannotTry, RunFailed, RunInterrupted.
    """
    alphabets = _find_alphabets(network.card)
    _require_small(network)
    trial = _Trial(network)
    told = Reading.of_card(network.card).model_copy(update={"classes": alphabets[0]})
    as_told = trial.score(told)
    if as_told.share >= _GOOD:
        return _describe(network.card, [as_told], as_told, tried=1)
    others = [each for each in _likely_readings(network.card, alphabets) if each != told]
    left = [told, *others]
    for shown, most in _ROUNDS:
        scores = [trial.score(each, shown) for each in left[:most]]
        scores.sort(key=lambda score: -score.merit)  # stable: among equals, the likelier one stays first
        left = [score.reading for score in scores if score.share >= _HOPE] or [scores[0].reading]
    return _describe(network.card, scores, as_told, tried=1 + len(others))


def _describe(card: Card, scores: Sequence["_Score"], as_told: "_Score", tried: int) -> Readings:
    labels = set(as_told.reading.classes)
    kinds = {"digits": labels & set(_DIGITS), "letters": labels & set(string.ascii_letters)}
    return Readings(
        tried=tried,
        drawings=as_told.shown,
        what=" and ".join(kind for kind, some in kinds.items() if some),
        as_told=TriedReading(right=as_told.right, reading=Reading.of_card(card)),
        best=[score.counted for score in scores],
    )


@dataclass(frozen=True)
class _Score:
    """How a network reads some labelled drawings by one reading."""

    reading: Reading
    shown: int
    right: int
    likelihood: float  # the mean logarithm of the right classes' probabilities: 0 is the best

    @property
    def share(self) -> float:
        return self.right / self.shown

    @property
    def merit(self) -> float:
        """How good the reading is: right answers, and to tell equals apart, how sure the network is of them.

        Many networks read as well from 0 to 255 as from 0 to 1, but are far too sure of what they then misread.
        """
        return self.share + self.likelihood * min(0.3, self.shown / 100)

    @property
    def counted(self) -> TriedReading:
        return TriedReading(right=self.right, reading=self.reading)


class _Trial:
    """One network's trial. It shows no drawing twice in the same way, and gives up after MOST_SECONDS."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._levels: dict[tuple[Fit, Ink, LabelledDrawing], NDArray[Any]] = {}
        self._answers: dict[tuple[str, LabelledDrawing], Array] = {}
        self._end: float | None = None  # set by the first pass: until then, its process starts

    def score(self, reading: Reading, most: int | None = None) -> _Score:
        """Show drawings of its classes to the network, so many or all. Raises: CannotTry, RunFailed."""
        shown = labelled_drawings(reading.classes)[:most]
        right, likelihood = 0, 0.0
        for drawing in shown:
            probabilities = self._answer(reading, drawing)
            best = reading.classes[int(probabilities.argmax())]
            right += best.casefold() == drawing.label.casefold()  # a small o and a capital one look the same
            likelihood += math.log(max(_LEAST, probabilities[reading.classes.index(drawing.label)]))
        return _Score(reading, len(shown), right, likelihood / len(shown))

    def _answer(self, reading: Reading, drawing: LabelledDrawing) -> Array:
        key = reading.model_copy(update={"classes": []}).model_dump_json(), drawing
        if key not in self._answers:
            self._answers[key] = self._run(reading, drawing)
        return self._answers[key]

    def _run(self, reading: Reading, drawing: LabelledDrawing) -> Array:
        if self._end is not None and perf_counter() > self._end:
            raise CannotTry(_TOO_LONG)
        card = self._network.card.model_copy(update=dict(reading))
        place = reading.fit, reading.ink, drawing
        if place not in self._levels:
            self._levels[place] = find_levels(drawing.png, card).levels
        output = self._network.run(to_seen(self._levels[place], card)).output.ravel()
        self._end = self._end or perf_counter() + MOST_SECONDS
        if card.answer is Answer.PROBABILITIES:
            return output
        with np.errstate(invalid="ignore"):  # a network may answer with what is no number
            return softmax(output).astype(np.float32)


def _find_alphabets(card: Card) -> list[list[str]]:
    """Return what the classes may be: what the card calls them, or where it only counts them, digits and letters.

    Raises: CannotTry.
    """
    count = len(card.classes)
    if card.classes == [str(number) for number in range(count)]:
        alphabets = [list(each) for each in _ALPHABETS.get(count, [])]
    else:
        drawn = {drawing.label for drawing in labelled_drawings(card.classes)}
        alphabets = [card.classes] if len(drawn) > count / 2 else []
    if not alphabets:
        raise CannotTry("Its classes are neither digits nor letters, of which there are labelled drawings.")
    return alphabets


def _require_small(network: Network) -> None:
    """Raises: CannotTry, for a network that sees no small square, or takes long to run."""
    height, width, channels = network.card.input_shape
    if height is None or height != width or height not in SIDES or channels not in {1, 3}:
        raise CannotTry("It sees no small square of grey or colours, as networks for digits and letters do.")
    if network.held_inputs:
        raise CannotTry("It takes other inputs beside a drawing, and nobody has said what they should hold.")
    if network.layers[-1].output_shape != (len(network.card.classes),):
        raise CannotTry("Its answer is no list of classes.")
    cost = network.cost((height, width, channels))
    if cost.operations > MOST_OPERATIONS or cost.cells > MOST_CELLS or cost.weights > MOST_WEIGHTS:
        raise CannotTry(_TOO_LONG)


def _likely_readings(card: Card, alphabets: Sequence[list[str]]) -> Iterator[Reading]:
    """Yield readings, the likeliest ones first."""
    ways = product((False, True), (Fit.DIGIT, Fit.FIT), (Ink.BRIGHT, Ink.DARK), _scalings(card.input_shape), alphabets)
    for transposed, fit, ink, (value_range, mean, std), classes in ways:
        yield Reading(
            value_range=value_range, mean=mean, std=std, fit=fit, ink=ink, transposed=transposed, classes=classes
        )


def _scalings(shape: tuple[int | None, int | None, int]) -> list[_Scaling]:
    """Return what may have become of levels from 0 to 255."""
    height, _, channels = shape
    scalings: list[_Scaling] = [
        ((0, 1), None, None),
        ((0, 255), None, None),
        ((-1, 1), None, None),
        ((0, 1), [0.1307] * channels, [0.3081] * channels),  # MNIST's mean and standard deviation
        ((-0.5, 0.5), None, None),
    ]
    if channels == 3:  # ImageNet's
        scalings.append(((0, 1), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    if height == 8:  # scikit-learn's digits
        scalings.append(((0, 16), None, None))
    return scalings
