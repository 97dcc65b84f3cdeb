"""The ways of showing drawings to a network that were tried, as they are kept until its file changes."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from ..cnn.card import Card, Fit, Ink
from .files import ModelFile, Stamp, stamp_of
from .state import StateFolder

_KEPT = ConfigDict(frozen=True, extra="forbid")
_ENDING = ".readings.json"


class Reading(BaseModel):
    """One way in which a drawing becomes a network's input: fields of its card."""

    model_config = _KEPT

    value_range: tuple[FiniteFloat, FiniteFloat]
    mean: list[FiniteFloat] | None = None
    std: list[FiniteFloat] | None = None
    fit: Fit
    ink: Ink
    transposed: bool = False
    classes: list[str]

    @classmethod
    def of_card(cls, card: Card) -> "Reading":
        """Return what a card says of it."""
        return cls.model_validate({name: getattr(card, name) for name in cls.model_fields})

    @property
    def fields(self) -> dict[str, Any]:
        """What a card says for it, as JSON."""
        return self.model_dump(mode="json")


class TriedReading(BaseModel):
    """A reading, and how many of the labelled drawings the network reads right by it."""

    model_config = _KEPT

    right: int = Field(ge=0, description="How many of the drawings the network reads right.")
    reading: Reading = Field(description="The fields of a card by which it does.")


class Readings(BaseModel):
    """What trying a network on labelled drawings has shown."""

    model_config = _KEPT

    tried: int = Field(ge=0, description="How many readings were tried, most of them with a part of the drawings.")
    drawings: int = Field(ge=0, description="How many labelled drawings there are: digits, letters, or both.")
    what: str = Field(description="What they show: digits, letters, or digits and letters.")
    as_told: TriedReading | None = Field(description="The reading that the model's file tells of, or its card.")
    best: list[TriedReading] = Field(description="The readings that were tried with every drawing, the best one first.")
    is_used: bool = Field(
        default=False, description="The best one was taken into the model's card, since it reads so many more."
    )
    reason: str | None = Field(default=None, description="Why nothing was tried.")

    @classmethod
    def none(cls, reason: str) -> "Readings":
        """Return that nothing was tried, and why."""
        return cls(tried=0, drawings=0, what="", as_told=None, best=[], reason=reason)


def describe_reading(card: Card, readings: Readings) -> str:
    """Return a card's description with what was tried, where one of the tried readings is the card's."""
    tried = [*readings.best, *([readings.as_told] if readings.as_told else [])]
    for each in tried:
        if each.reading == Reading.of_card(card):
            reads = f"Now it reads {each.right} of {readings.drawings} drawn {readings.what}."
            return f"{card.description} {reads}"
    return card.description


class ReadingStore:
    """Keeps what was tried, in the folder of the server's state."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state

    def stamp(self, file: ModelFile) -> Stamp | None:
        """Return a value that changes whenever what is kept does."""
        return stamp_of(self._path(file))

    def get(self, file: ModelFile) -> Readings | None:
        """Return what was tried; None if nothing was yet."""
        try:
            return Readings.model_validate_json(self._path(file).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, file: ModelFile, readings: Readings) -> None:
        """Keep what was tried. Raises: OSError."""
        self._state.keep(file, _ENDING, readings.model_dump_json().encode())

    def delete(self, file: ModelFile) -> None:
        """Forget it. Raises: OSError."""
        self._state.forget(file, _ENDING)

    def _path(self, file: ModelFile) -> Path:
        return self._state.path / (file.key + _ENDING)
