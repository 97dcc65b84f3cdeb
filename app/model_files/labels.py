"""The names of a model's classes, in a file that people keep beside it: labels.txt, class_names.json and the like."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..cnn.card import Card
from .errors import ModelError, printable, shown
from .limits import CLASSES, NESTING
from .teachable_machine import MODEL_FILE, take_pictures

# In the order in which they are looked for. The last one, Teachable Machine's, may as well hold something else.
FILE_NAMES = (
    *("labels.txt", "classes.txt", "class_names.txt"),
    *("labels.json", "classes.json", "class_names.json", "class_indices.json"),
    "metadata.json",
)
_LINE = 200  # characters of a name, as many as a card may have
_NUMBERED = re.compile(r"(\d{1,6})[\s:,.)]+(\S.*)")  # "0 cat", as Teachable Machine writes it
_KEYS = ("labels", "classes", "class_names", "id2label")  # that hold the names in a larger object


@dataclass(frozen=True)
class LabelsFile:
    """A file of names, unread."""

    name: str
    data: bytes
    model: str  # the name of the file of the model that it was found with

    @property
    def is_of_teachable_machine(self) -> bool:
        return self.model.lower() == MODEL_FILE and self.name.lower() in {"labels.txt", "metadata.json"}


def find_labels(files: Iterable[str], model: str, alone: bool) -> str | None:
    """Return which of these files names a model's classes; None where none does.

    model: the name of its file. pets.labels.txt goes with pets.keras, and labels.txt with a model that is alone.
    """
    stem = model.rpartition(".")[0]
    by_name = {file.lower(): file for file in files if file != f"{stem}.json"}  # which is its card
    for usual in FILE_NAMES:
        wanted = [f"{stem}{sign}{usual}".lower() for sign in "._-"] + [usual] * alone
        if found := next((name for name in wanted if name in by_name), None):
            return by_name[found]
    return None


def name_classes(card: Card, file: LabelsFile | None) -> Card:
    """Return an inferred card with the classes' names, or with a note why they cannot be used.

    Teachable Machine's files also tell how the model takes a picture.
    """
    if file is None or not card.classes:
        return card
    try:
        names = _read(file)
        classes = _complete(names, card.classes, file)
    except ModelError as error:
        notes = [] if file.name.lower() == FILE_NAMES[-1] else [str(error)]
        return card.model_copy(update={"mends": [*card.mends, *notes]})
    if len(names) < len(classes):
        note = f"{shown(file.name)} names {len(names):,} of the {len(classes):,} classes; the others have numbers."
        card = card.model_copy(update={"mends": [*card.mends, note]})
    description = f"This model came without a card. Its classes are named by {shown(file.name)}."
    card = card.model_copy(update={"classes": classes, "description": description})
    return take_pictures(card) if file.is_of_teachable_machine else card


def _complete(names: Sequence[str], numbers: Sequence[str], file: LabelsFile) -> list[str]:
    """Return a name for each class, no two alike: a class without one keeps its number. Raises: ModelError."""
    if len(names) > len(numbers):
        raise ModelError(
            f"{shown(file.name)} names {len(names):,} classes, and the model answers with {len(numbers):,}, so the "
            "names are not used."
        )
    return _differing([*names, *numbers[len(names) :]])


def _differing(names: Sequence[str]) -> list[str]:
    """Return names of which none is twice there: the second cat is cat (2)."""
    taken, seen, different = set(names), Counter[str](), []
    for name in names:
        seen[name] += 1
        new = name
        while seen[name] > 1 and (new := f"{name[: _LINE - 10]} ({seen[name]})") in taken:
            seen[name] += 1
        taken.add(new)
        different.append(new)
    return different


def _read(file: LabelsFile) -> list[str]:
    """Return the names in the order of the outputs. Raises: ModelError."""
    text = _decode(file)
    names = _of_json(text, file) if file.name.lower().endswith(".json") else _of_lines(text.splitlines())
    if not names:
        raise ModelError(f"{shown(file.name)} names no classes.")
    return [_clean(name, number) for number, name in enumerate(names)]


def _decode(file: LabelsFile) -> str:
    """Return the text, as editors on any system save it. Raises: ModelError."""
    if file.data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return file.data.decode("utf-16", "replace")
    if b"\0" in file.data:
        raise ModelError(f"{shown(file.name)} is no text, so the classes are not named by it.")
    try:
        return file.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return file.data.decode("cp1252", "replace")


def _clean(name: str, number: int) -> str:
    return printable(" ".join(name.split()))[:_LINE] or str(number)


def _of_lines(lines: Iterable[str]) -> list[str]:
    """Return a name for each line that has one, without the numbers where the lines are numbered."""
    names = [line.strip() for line in lines if line.strip()]
    numbered = [_NUMBERED.fullmatch(name) for name in names]
    for first in (0, 1):
        if all(match and int(match[1]) == number for number, match in enumerate(numbered, first)):
            return [match[2] for match in numbered if match]
    return names


def _of_json(text: str, file: LabelsFile) -> list[str]:
    """Return the names in a list, in {index: name}, in {name: index}, or in an object with one of these."""
    try:
        written = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{shown(file.name)} is not valid JSON, so the classes are not named by it.") from error
    for _ in range(NESTING):
        if not isinstance(written, dict) or not (key := next((key for key in _KEYS if key in written), None)):
            break
        written = written[key]
    names = _ordered(written)
    if names is None:
        raise ModelError(f"{shown(file.name)} names no classes: expected a list of names, or one number for each name.")
    return names


def _ordered(written: Any) -> list[str] | None:
    """Return the names by their numbers, which must be 0 to the last one; None where they are written otherwise."""
    if isinstance(written, list):
        return [str(name) for name in written] if all(isinstance(name, str | int) for name in written) else None
    if not isinstance(written, dict) or len(written) > CLASSES:
        return None
    pairs = [_pair(key, value) for key, value in written.items()]
    found = dict(pair for pair in pairs if pair is not None)
    if len(found) != len(written) or sorted(found) != list(range(len(found))):
        return None
    return [found[number] for number in range(len(found))]


def _pair(key: str, value: Any) -> tuple[int, str] | None:
    """Return a number and a name of "cat": 0, "0": "cat", or "0": ["n02123045", "cat"], as ImageNet's are written."""
    if isinstance(value, list) and value and isinstance(value[-1], str):
        value = value[-1]
    if isinstance(value, int) and not isinstance(value, bool):
        return value, key
    if not isinstance(value, str):
        return None
    if key.isdecimal() and len(key) < 7:
        return int(key), value
    return (int(value), key) if value.isdecimal() and len(value) < 7 else None
