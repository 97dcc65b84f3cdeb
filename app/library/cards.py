"""What a user wrote of a model: its card, as a file beside it or on the page, and the names of its classes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..cnn.card import Card
from ..model_files.config.lambdas import parse_lambdas, write_lambdas
from ..model_files.errors import ModelError, shown
from ..model_files.infer_card import complete_card
from ..model_files.labels import LabelsFile, name_classes
from ..model_files.limits import LABELS_BYTES
from ..model_files.regular_files import read_regular
from .files import ModelFile, Stamp, stamp_of
from .state import StateFolder

_MAX_BYTES = 2**20
_ENDING = ".card.json"

WrittenCard = dict[str, Any]  # some or all of a card's fields


class CardStore:
    """Reads the cards beside model files, and keeps those that were written on the page in a folder of its own."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state
        self._lambdas: dict[str, tuple[object, str]] = {}  # by file, with the stamp of the card that says them

    def stamp(self, file: ModelFile) -> tuple[Stamp | None, Stamp | None]:
        """Return a value that changes whenever the model's written card does."""
        return file.card_stamp, stamp_of(self._path(file))

    def read(self, file: ModelFile) -> WrittenCard | None:
        """Return the card written on the page, else the one beside the file, else None. Raises: ModelError."""
        beside, on_page = self.stamp(file)
        if on_page:
            return _read(self._path(file))
        return _read(file.card_path) if beside else None

    def lambdas(self, file: ModelFile) -> str:
        """Return what the model's Lambda layers compute, as its written card says, in JSON. Raises: ModelError."""
        stamp = self.stamp(file)
        if stamp == (None, None):
            return ""
        known = self._lambdas.get(file.version_key)
        if known is None or known[0] != stamp:
            written = self.read(file) or {}
            known = self._lambdas[file.version_key] = (stamp, write_lambdas(parse_lambdas(written.get("lambdas"))))
        return known[1]

    def declare(self, file: ModelFile) -> None:
        """Keep what the Lambda layers of an upload compute, until the file changes. Raises: ModelError, OSError."""
        if file.lambdas:
            self.write(file, {"lambdas": json.loads(file.lambdas)})

    def name_classes(self, file: ModelFile, inferred: Card) -> Card:
        """Return an inferred card with the names in the file of labels beside the model, if there is one."""
        if file.labels_path is None:
            return inferred
        try:
            data = read_regular(file.labels_path, LABELS_BYTES)
        except OSError:  # it has just gone
            return inferred
        return name_classes(inferred, LabelsFile(file.labels_path.name, data[:LABELS_BYTES], file.path.name))

    def write(self, file: ModelFile, written: WrittenCard) -> None:
        """Keep a card that was written on the page, until the file changes. Raises: ModelError, OSError."""
        text = json.dumps(written).encode()
        if len(text) > _MAX_BYTES:
            raise ModelError(f"The card has {len(text):,} bytes; at most {_MAX_BYTES:,} are kept. Write less.")
        self._state.keep(_version(file), _ENDING, text)

    def delete(self, file: ModelFile) -> None:
        """Delete the card that was written on the page. Raises: OSError."""
        self.forget(file)
        self._state.forget(_version(file), _ENDING)

    def forget(self, file: ModelFile) -> None:
        """Drop what is known of a file's card from memory."""
        self._lambdas.pop(file.version_key, None)

    def _path(self, file: ModelFile) -> Path:
        return self._state.path / (_version(file).key + _ENDING)


def _version(file: ModelFile) -> ModelFile:
    """Return the file without what its Lambda layers compute, which its card says."""
    return replace(file, lambdas="")


def merge_cards(written: WrittenCard | None, inferred: Card | None) -> Card | None:
    """Return a model's card: the written one, completed by the one inferred from its layers.

    None if too little is known yet. Raises: ModelError for a written card that contradicts the model.
    """
    if written is None:
        return inferred
    if inferred is not None:
        return complete_card(written, inferred)
    try:
        return Card.model_validate_json(json.dumps(written))
    except ValueError:  # incomplete or wrong: which of them is known once the model has been opened
        return None


def _read(path: Path) -> WrittenCard:
    try:
        text = read_regular(path, _MAX_BYTES)
        if len(text) > _MAX_BYTES:
            raise ModelError(f"Its card {shown(path.name)} has more than {_MAX_BYTES:,} bytes, which no card needs.")
        written = json.loads(text, parse_constant=_refuse)
    except OSError as error:
        raise ModelError(f"Its card {shown(path.name)} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ModelError(
            f"Its card {shown(path.name)} is not valid JSON{where}. Correct it, or take it away to do without."
        ) from error
    if not isinstance(written, dict):
        raise ModelError(f"Its card {shown(path.name)} is JSON, but no object with a card's fields.")
    return written


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON.")
