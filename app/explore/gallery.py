"""Real digits to look at, chosen by what they are and by what a network makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ..datasets.digits import Digits, DigitSet
from ..imaging.encoding import encode_levels
from .evaluation import Evaluation

PAGE_TILES = 180  # divisible by most numbers of columns


class UnknownDigit(LookupError):
    """The set has no digit of this number."""


class NoSuchPage(LookupError):
    """The gallery ends before this page."""


class NotEvaluated(ValueError):
    """What is asked for depends on a network's answers, and there are none."""


class Found(StrEnum):
    """What a network makes of a digit."""

    ALL = "all"
    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"  # right or wrong, with less confidence than a threshold


class Order(StrEnum):
    """The order of the digits."""

    NUMBER = "number"  # as MNIST has them
    CONFIDENCE = "confidence"  # the least sure first


@dataclass(frozen=True)
class Choice:
    """Which digits are shown."""

    found: Found = Found.ALL
    label: str | None = None  # what they are: a digit, or a class such as "even"
    read: str | None = None  # the class that they are read as
    threshold: float = 0.8  # of confidence, below which an answer is unsure
    order: Order = Order.NUMBER

    @property
    def needs_answers(self) -> bool:
        """It depends on what a network makes of the digits."""
        return self.found is not Found.ALL or self.read is not None or self.order is Order.CONFIDENCE


@dataclass(frozen=True)
class Tile:
    """One digit, and what a network makes of it."""

    number: int  # in its set
    label: int  # 0 to 9
    png: bytes
    read: str | None = None  # None without an evaluation
    confidence: float = 1.0
    is_right: bool = True
    is_unsure: bool = False


@dataclass(frozen=True)
class GalleryPage:
    """Some of the digits that were chosen."""

    tiles: list[Tile]
    total: int  # of all pages
    number: int  # from 1
    pages: int

    @property
    def first(self) -> int:
        """The place of the first tile among all, from 1; 0 where there is none."""
        return min(self.total, (self.number - 1) * PAGE_TILES + 1)

    @property
    def last(self) -> int:
        return min(self.total, self.number * PAGE_TILES)


def choose(digits: Digits, choice: Choice, evaluation: Evaluation | None = None) -> NDArray[np.intp]:
    """Return the places of the digits that are chosen, in their order.

    evaluation: of these very digits. Raises: NotEvaluated.
    """
    if evaluation is None:
        if choice.needs_answers:
            raise NotEvaluated("Run the model over the digits first: this is about its answers.")
        keeps = np.ones(len(digits), bool) if choice.label is None else digits.labels.astype(str) == choice.label
        return np.flatnonzero(keeps)
    classes = np.array(evaluation.classes)
    keeps = np.ones(len(digits), bool)
    if choice.label is not None:
        keeps &= (digits.labels.astype(str) == choice.label) | (classes[evaluation.expected] == choice.label)
    if choice.read is not None:
        keeps &= classes[evaluation.answers] == choice.read
    match choice.found:
        case Found.RIGHT:
            keeps &= evaluation.is_right
        case Found.WRONG:
            keeps &= ~evaluation.is_right
        case Found.UNSURE:
            keeps &= evaluation.confidences < choice.threshold
    places = np.flatnonzero(keeps)
    if choice.order is Order.CONFIDENCE:
        places = places[np.argsort(evaluation.confidences[places], kind="stable")]
    return places


def show_page(
    digits: Digits, indices: NDArray[np.intp], choice: Choice, evaluation: Evaluation | None, number: int = 1
) -> GalleryPage:
    """Draw one page of the digits that are chosen. indices: of these digits in their set. number: the page's, from 1.

    Raises: NotEvaluated, NoSuchPage.
    """
    places = choose(digits, choice, evaluation)
    pages = max(1, -(-len(places) // PAGE_TILES))
    if not 1 <= number <= pages:
        raise NoSuchPage(f"There are pages 1 to {pages:,} of these digits. Received: {number:,}.")
    shown = places[(number - 1) * PAGE_TILES : number * PAGE_TILES]
    tiles = [_make_tile(digits, place, int(indices[place]), choice, evaluation) for place in shown.tolist()]
    return GalleryPage(tiles, len(places), number, pages)


def _make_tile(digits: Digits, place: int, number: int, choice: Choice, evaluation: Evaluation | None) -> Tile:
    tile = Tile(number, int(digits.labels[place]), _draw(digits.images[place]))
    if evaluation is None:
        return tile
    confidence = float(evaluation.confidences[place])
    read = evaluation.classes[evaluation.answers[place]]
    is_right = bool(evaluation.is_right[place])
    return Tile(tile.number, tile.label, tile.png, read, confidence, is_right, confidence < choice.threshold)


def draw_digit(digit_set: DigitSet, number: int) -> bytes:
    """Draw a digit as a PNG, black on white, of 28×28 pixels. Raises: UnknownDigit."""
    images = digit_set.load().images
    if not 0 <= number < len(images):
        raise UnknownDigit(f"The {digit_set} set has the digits 0 to {len(images) - 1:,}. Received: {number:,}.")
    return _draw(images[number])


def _draw(image: NDArray[np.uint8]) -> bytes:
    return encode_levels(255 - image)


@dataclass(frozen=True)
class ClassRow:
    """The digits of one class, of which there are some, and as what they are read."""

    label: str
    count: int
    right: int
    read_as: tuple[int, ...]  # how many, for each column of the matrix

    @property
    def wrong(self) -> int:
        return self.count - self.right

    @property
    def accuracy(self) -> float:
        """The share that is right, from 0 to 1."""
        return self.right / self.count

    @property
    def share_wrong(self) -> float:
        return self.wrong / self.count


@dataclass(frozen=True)
class ConfusionMatrix:
    """Rows for what the digits are, columns for what they are read as. Classes without any digit have no row."""

    columns: tuple[str, ...]
    rows: tuple[ClassRow, ...]


def make_matrix(evaluation: Evaluation) -> ConfusionMatrix:
    """Make the confusion matrix of the classes that occur."""
    confusion, classes = evaluation.confusion, evaluation.classes
    counts, answered = confusion.sum(axis=1), confusion.sum(axis=0)
    rows, columns = np.flatnonzero(counts), np.flatnonzero(counts + answered)
    return ConfusionMatrix(
        _pick(classes, columns),
        tuple(
            ClassRow(classes[row], int(counts[row]), int(confusion[row, row]), tuple(confusion[row, columns].tolist()))
            for row in rows.tolist()
        ),
    )


def _pick(names: Sequence[str], places: NDArray[np.intp]) -> tuple[str, ...]:
    return tuple(names[place] for place in places.tolist())
