"""The row above a model of a person's own: how it reads drawings, what would be better, and what nobody has said."""

from dataclasses import dataclass
from hashlib import blake2b

from ..cnn.card import Card, Fit, Ink
from ..explore.exploration import PAGE_PICTURE, draw_image
from ..explore.forward_passes import preprocess
from ..imaging.drawing import FIRST_SAMPLE, draw_sample
from ..library.models import ModelEntry
from ..library.readings import Reading, Readings, TriedReading
from .class_names import fitting_names
from .formatting import MINUS

_SOME = 0.5  # of the drawings: a reading by which a network reads fewer is not worth a word
_MOST_NAMED = 12  # of the classes
_COUNTED = "classes only counted"
_UPRIGHT = "rows and columns as they are"
_FITTED = {
    Fit.DIGIT: "ink scaled and centred as MNIST's digits",
    Fit.FIT: "the whole picture with a margin",
    Fit.FILL: "the picture's middle",
    Fit.STRETCH: "the whole picture, stretched",
    Fit.ORIGINAL: "the picture at its own size",
}
_MORE = 0.05  # of the drawings: what a reading has to read more to be offered


@dataclass(frozen=True)
class ReadingPicture:
    """A sample as the network sees it by a reading."""

    caption: str
    png: bytes
    height: int
    width: int


@dataclass(frozen=True)
class ReadingRow:
    """What there is to say of a model's reading."""

    identity: str  # changes whenever the row does
    card: Card
    readings: Readings | None
    now: TriedReading | None  # the reading in use, if it was tried and makes sense
    other: TriedReading | None  # another one that can be used: a better one, or the one before
    is_better: bool  # the other one is
    missing: dict[str, str]  # what nobody has said, by the card's field: a clause each
    tries: str | None  # what came of trying where nothing makes sense

    @property
    def usual_names(self) -> dict[str, list[str]]:
        """Names that its classes may have, by the data set, where they are only counted."""
        return fitting_names(len(self.card.classes)) if "classes" in self.missing else {}

    @property
    def pictures(self) -> list[ReadingPicture]:
        """A sample as the network sees it now, and by the other reading."""
        if self.other is None:
            return [_draw("now", self.card)]
        then = self.card.model_copy(update=dict(self.other.reading))
        return [_draw("now", self.card), _draw("then" if self.is_better else "before", then)]


def view_reading(entry: ModelEntry, card: Card) -> ReadingRow | None:
    """Return what the page says of a model's reading; None where there is nothing to say, as of a built-in one."""
    readings = entry.readings
    if entry.is_built_in or card.takes_numbers:
        return None
    now, other, is_better = _compare(card, readings) if readings else (None, None, False)
    missing = {} if now or other else _find_missing(entry, card)
    # Hashed, so that the page is told nothing of this machine.
    identity = blake2b(repr((entry.file.key, entry.card_stamp)).encode(), digest_size=12).hexdigest()
    row = ReadingRow(identity, card, readings, now, other, is_better, missing, _describe_tries(readings))
    return row if now or other or missing else None


def describe_reading(reading: Reading, unlike: Reading | None = None) -> str:
    """Say how a drawing becomes an input: values, ink, how it is fitted in. unlike: say only what differs from it."""
    known = _describe_parts(unlike) if unlike else [_UPRIGHT, _COUNTED]
    return ", ".join(part for part in _describe_parts(reading) if part not in known)


def _describe_parts(reading: Reading) -> list[str]:
    low, high = reading.value_range
    values = f"values from {low:g} to {high:g}".replace("-", MINUS)
    if reading.mean and reading.std:
        values += f" minus {_join(reading.mean)} and divided by {_join(reading.std)}"
    return [
        values,
        "bright ink on dark" if reading.ink is Ink.BRIGHT else "dark ink on bright",
        _FITTED[reading.fit],
        "rows and columns swapped" if reading.transposed else _UPRIGHT,
        _describe_classes(reading.classes),
    ]


def _describe_classes(classes: list[str]) -> str:
    if _are_counted(classes):
        return _COUNTED
    named = " ".join(classes[:_MOST_NAMED])
    return f"classes {named} … {classes[-1]}" if len(classes) > _MOST_NAMED else f"classes {named}"


def _are_counted(classes: list[str]) -> bool:
    return classes == [str(number) for number in range(len(classes))]


def _compare(card: Card, readings: Readings) -> tuple[TriedReading | None, TriedReading | None, bool]:
    """Return the tried reading that is in use, another one that is better or was before, and whether it is better."""
    told, best = readings.as_told, next(iter(readings.best), None)
    if told is None or best is None or best.right < _SOME * readings.drawings:
        return None, None, False
    in_use = Reading.of_card(card)
    now = next((each for each in (*readings.best, told) if each.reading == in_use), None)
    if best.reading == in_use:
        return now, told if told.reading != in_use else None, False
    names_classes = best.reading.classes != in_use.classes
    is_better = now is None or names_classes or best.right - now.right > _MORE * readings.drawings
    return now, best if is_better else None, is_better


def _find_missing(entry: ModelEntry, card: Card) -> dict[str, str]:
    low, high = card.value_range
    clauses = {
        "classes": "what its classes are called: they are only counted",
        "value_range": f"what black and white become: {low:g} and {high:g} are assumed".replace("-", MINUS),
        "fit": f"how a picture is fitted in: {_FITTED[card.fit]} is assumed",
    }
    if not card.classes or not _are_counted(card.classes):
        del clauses["classes"]
    return {field: clause for field, clause in clauses.items() if field not in entry.written}


def _describe_tries(readings: Readings | None) -> str | None:
    if readings is None or readings.reason is not None or not readings.tried:
        return None
    return f"Of {readings.drawings} drawn {readings.what}, it reads {readings.best[0].right} at best."


def _draw(caption: str, card: Card) -> ReadingPicture:
    image = preprocess(draw_sample(FIRST_SAMPLE), card)
    low, high = card.value_range
    caption = f"{caption}: {low:g} to {high:g}".replace("-", MINUS)
    return ReadingPicture(caption, draw_image(image, card, PAGE_PICTURE), image.shape[0], image.shape[1])


def _join(numbers: list[float]) -> str:
    different = dict.fromkeys(numbers)
    return ", ".join(f"{number:g}" for number in different) if len(different) == 1 else str(numbers).strip("[]")
