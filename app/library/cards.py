"""The card that a person wrote for a model: beside its file, or on the page."""

import json
from pathlib import Path
from typing import Any

from app.cnn.card import Card
from app.library.files import ModelFile, Stamp, stamp_of
from app.library.writing import write_atomically
from app.model_files.cards import complete_card
from app.model_files.errors import ModelError, shown

_MAX_BYTES = 2**20

Told = dict[str, Any]


class Cards:
    """Reads the cards beside model files, and keeps those that were written on the page in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def stamp(self, file: ModelFile) -> tuple[Stamp | None, Stamp | None]:
        """Changes with whatever a person says of the model."""
        return file.card_stamp, stamp_of(self._path(file))

    def told(self, file: ModelFile) -> Told | None:
        """What a person says of the model, perhaps in part; None without a word. Raises: ModelError."""
        beside, written = self.stamp(file)
        if written:
            return _read(self._path(file))
        return _read(file.card_path) if beside else None

    def write(self, file: ModelFile, card: Card) -> None:
        """Keep a card that was written on the page, for the file as it stands. Raises: ModelError, OSError."""
        text = card.model_dump_json().encode()
        if len(text) > _MAX_BYTES:
            raise ModelError(f"The card has {len(text):,} bytes; at most {_MAX_BYTES:,} are kept. Write less.")
        write_atomically(self._path(file), text)

    def forget(self, file: ModelFile) -> None:
        """Take away what was written on the page."""
        self._path(file).unlink(missing_ok=True)

    def _path(self, file: ModelFile) -> Path:
        return self._folder / f"{file.key}.card.json"


def card_of(told: Told | None, guessed: Card | None) -> Card | None:
    """The card of a model: what a person says of it, completed by what its layers tell.

    None where too little is known yet. Raises: ModelError for a card that contradicts the model.
    """
    if told is None or guessed is not None:
        return guessed if told is None or guessed is None else complete_card(told, guessed)
    try:
        return Card.model_validate_json(json.dumps(told))
    except ValueError:  # it is only a part of a card, or wrong: the model will tell
        return None


def _read(path: Path) -> Told:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ModelError(f"Its card {shown(path.name)} has more than {_MAX_BYTES:,} bytes, which no card needs.")
        told = json.loads(path.read_bytes(), parse_constant=_refuse)
    except OSError as error:
        raise ModelError(f"Its card {shown(path.name)} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ModelError(
            f"Its card {shown(path.name)} is not valid JSON{where}. Correct it, or take it away to do without."
        ) from error
    if not isinstance(told, dict):
        raise ModelError(f"Its card {shown(path.name)} is JSON, but no object with a card's fields.")
    return told


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON.")
