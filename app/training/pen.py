"""Digits that people wrote with a pen on a tablet, as strokes, read from a file and split by writer."""

import gzip
import json
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .mnist import BadInput

TABLET_SIDE = 500

StrokePoints = NDArray[np.float64]  # (points, 2): x to the right and y DOWN, both from 0 to 1


@dataclass(frozen=True)
class PenDigit:
    """One digit by one writer, on a sheet of side 1."""

    label: int
    writer: int
    strokes: tuple[StrokePoints, ...]


class WriterSplit(NamedTuple):
    """Training, validation and test digits. No writer is in more than one of them."""

    train: list[PenDigit]
    validation: list[PenDigit]
    test: list[PenDigit]


def split_by_writer(digits: Iterable[PenDigit]) -> WriterSplit:
    """Split digits by writer: 10, 20, 30, ... for the test, 5, 15, 25, ... for validation, the rest for training.

    Raises: BadInput if one of the three has no writer.
    """
    split = WriterSplit([], [], [])
    by_last_figure = {0: split.test, 5: split.validation}
    for digit in digits:
        by_last_figure.get(digit.writer % 10, split.train).append(digit)
    if not all(split):
        raise BadInput(
            "The strokes must be by more writers: those whose number ends in 0 are for the test, in 5 for validation, "
            "the others for training, and one of the three has none."
        )
    return split


def read_pen_digits(path: Path) -> list[PenDigit]:
    """Read digits from a file of JSON lines, gzipped or not.

    A line is {"label": 8, "writer": 12, "strokes": [[[267, 333], [267, 336]], ...]}; x runs to the right and y runs UP,
    both from 0 to 500.
    Raises: BadInput, which names the file and the line.
    """
    digits = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            digits.append(_parse(json.loads(line)))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BadInput(
                f"{path}, line {number}, is not a digit: {_complaint(error)}. Expected: "
                '{"label": 0 to 9, "writer": a number, "strokes": [[[x, y], ...], ...]}.'
            ) from error
    if not digits:
        raise BadInput(f"{path} holds no digits: it is empty.")
    return digits


def _lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            yield from file
    except FileNotFoundError as error:
        raise BadInput(f"There is no file {path}. --strokes takes JSON lines: .jsonl or .jsonl.gz.") from error
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read, or it is cut short: {error}.") from error


def _parse(row: Any) -> PenDigit:
    label, writer = row["label"], row["writer"]
    if type(label) is not int or not 0 <= label <= 9:
        raise ValueError(f"its label is {label!r}")
    if type(writer) is not int:
        raise ValueError(f"its writer is {writer!r}")
    strokes = tuple(_parse_stroke(stroke) for stroke in row["strokes"])
    if not strokes:
        raise ValueError("it has no strokes")
    return PenDigit(label, writer, strokes)


def _parse_stroke(stroke: Any) -> StrokePoints:
    points = np.array([(float(x), float(y)) for x, y in stroke])
    if points.size == 0:
        raise ValueError("it has a stroke without points")
    if not all(math.isfinite(v) and 0 <= v <= TABLET_SIDE for v in points.flat):
        raise ValueError(f"it has a point outside the tablet's {TABLET_SIDE} by {TABLET_SIDE}")
    return np.array([0.0, 1.0]) + points * (1 / TABLET_SIDE, -1 / TABLET_SIDE)


def _complaint(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return "it is not JSON"
        case KeyError():
            return f"it has no {error.args[0]}"
        case _:
            return str(error)
