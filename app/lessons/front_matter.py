"""The head of a lesson's file: a few lines of `key: value` between two lines of dashes."""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import LessonError

DASHES = "---"
# What a lesson may hide, each with what it is on the page. lesson.css has the selectors.
CONTROLS: Mapping[str, str] = {
    "model": "the choice of the model",
    "upload": "the button that opens a model",
    "pooling": "the pooling switch",
    "colours": "colours, scale and what else is behind More",
    "save": "the button that saves",
    "strip": "the network at a glance",
    "tools": "the pad's tools: pen, eraser, undo, clear, picture",
    "samples": "the sample digits",
    "answer": "the network's answer and its bars",
    "microscope": "the microscope",
}
_MOST_TITLE, _MOST_SUMMARY, _LAST_ORDER = 80, 300, 9999


@dataclass(frozen=True)
class FrontMatter:
    """What a lesson's head says."""

    title: str
    summary: str
    order: int = _LAST_ORDER  # among the lessons
    hide: tuple[str, ...] = ()  # names of CONTROLS


def read_front_matter(lines: list[str]) -> tuple[FrontMatter, int]:
    """Read the head of a lesson. Returns it, and the number of its lines. Raises: LessonError."""
    if not lines or lines[0].rstrip() != DASHES:
        raise LessonError(1, f"A lesson begins with a line of three dashes, {DASHES}, and its title after that.")
    end = next((number for number, line in enumerate(lines[1:], 2) if line.rstrip() == DASHES), None)
    if end is None:
        raise LessonError(
            1, f"The head that begins here does not end: a second line of three dashes, {DASHES}, is missing."
        )
    fields: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines[1 : end - 1], 2):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, colon, value = line.partition(":")
        key = key.strip()
        if not colon or key not in _READERS:
            raise LessonError(number, f"The head has lines of “key: value”. The keys are: {', '.join(_READERS)}.")
        if key in fields:
            raise LessonError(number, f"“{key}” is there twice.")
        fields[key] = number, _unquote(value.strip())
    for key in ("title", "summary"):
        if key not in fields:
            raise LessonError(end, f"The head lacks a “{key}: …”.")
    return FrontMatter(**{key: _READERS[key](*field) for key, field in fields.items()}), end  # type: ignore[arg-type]


def _unquote(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _read_text(number: int, text: str, most: int) -> str:
    if not text:
        raise LessonError(number, "There is nothing after the colon.")
    if len(text) > most:
        raise LessonError(number, f"This is too long: {len(text)} characters of at most {most}.")
    return text


def _read_order(number: int, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:5]) <= _LAST_ORDER and len(text) <= 4):
        raise LessonError(number, f"“order” is a whole number from 0 to {_LAST_ORDER}, and not “{text[:40]}”.")
    return int(text)


def _read_hide(number: int, text: str) -> tuple[str, ...]:
    names = [each.strip() for each in text.removeprefix("[").removesuffix("]").split(",")]
    for name in names:
        if name not in CONTROLS:
            raise LessonError(number, f"“{name[:40]}” is nothing that can be hidden. That is: {', '.join(CONTROLS)}.")
    return tuple(names)


_READERS = {
    "title": lambda number, text: _read_text(number, text, _MOST_TITLE),
    "summary": lambda number, text: _read_text(number, text, _MOST_SUMMARY),
    "order": _read_order,
    "hide": _read_hide,
}
