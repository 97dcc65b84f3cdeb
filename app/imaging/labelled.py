"""Labelled drawings: digits by several hands and plain letters, to try a network of which nothing else is known."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

from .drawing import CANVAS_SIDE, PEN_WIDTH, Stroke, draw_strokes
from .encoding import encode_image

_SIDE = CANVAS_SIDE // 2  # enough for a small network's input, and four times as fast
_SLANTS = (0.0, 0.2)  # of letters: x shifts by so much of y
_SIZES = (0.45, 0.85)  # of the canvas: the longer side of a drawing, as people draw now large, now small
_SHIFT = 0.08  # of the canvas: how far from its middle


@dataclass(frozen=True, eq=False)  # each is itself
class LabelledDrawing:
    """A drawing on the page's canvas, and what it shows: a digit or a letter."""

    label: str
    strokes: tuple[Stroke, ...]

    @cached_property
    def png(self) -> bytes:
        """Its picture, black on white."""
        scale = _SIDE / CANVAS_SIDE
        scaled = [[(x * scale, y * scale) for x, y in stroke] for stroke in self.strokes]
        return encode_image(draw_strokes(scaled, _SIDE, PEN_WIDTH * scale))


def labelled_drawings(labels: Iterable[str]) -> list[LabelledDrawing]:
    """Return the drawings of these labels, each label once, then each twice, as far as there are any.

    There are five of each digit, by different hands, and two of each letter of the English alphabet. They are always
    the same ones in the same order, in which the labels are mixed.
    """
    by_label = _all_drawings()
    wanted = [by_label[label] for label in sorted(by_label.keys() & set(labels))]
    Random(len(wanted)).shuffle(wanted)
    return [drawing for each in zip_longest(*wanted) for drawing in each if drawing is not None]


@cache
def _all_drawings() -> dict[str, tuple[LabelledDrawing, ...]]:
    digits, letters = _read("pen_digits.json"), _read("letters.json")
    del digits["source"]
    slanted = {label: [_slant(strokes, by) for by in _SLANTS] for label, strokes in letters.items()}
    chance = Random(1)
    return {
        label: tuple(LabelledDrawing(label, _place(strokes, chance)) for strokes in several)
        for label, several in (digits | slanted).items()
    }


def _slant(strokes: Iterable[Stroke], by: float) -> list[Stroke]:
    return [[(x - by * y, y) for x, y in stroke] for stroke in strokes]


def _place(strokes: Sequence[Stroke], chance: Random) -> tuple[Stroke, ...]:
    """Put a drawing on the canvas in some size, somewhere near the middle."""
    columns, rows = zip(*(point for stroke in strokes for point in stroke), strict=True)
    middle = (min(columns) + max(columns)) / 2, (min(rows) + max(rows)) / 2
    longer = max(max(columns) - min(columns), max(rows) - min(rows))
    scale = CANVAS_SIDE * chance.uniform(*_SIZES) / longer
    left, top = (CANVAS_SIDE * (0.5 + chance.uniform(-_SHIFT, _SHIFT)) - each * scale for each in middle)
    return tuple([(left + x * scale, top + y * scale) for x, y in stroke] for stroke in strokes)


def _read(name: str) -> dict[str, Any]:
    strokes: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text(encoding="ascii"))
    return strokes
