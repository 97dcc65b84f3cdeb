"""Pen digits drawn as the page draws them and normalised by the code that the app uses."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.imaging.ink import find_ink, normalise
from app.imaging.strokes import CANVAS_SIDE, PEN_WIDTH, draw_strokes
from app.training.habits import with_habits
from app.training.mnist import Digits
from app.training.pen import Path2D, PenDigit

# A digit has 20 of 28 pixels in the end: half of the page's canvas draws four times as fast and gives the same.
_VARIED_SIDE = CANVAS_SIDE // 2

# Shares of the canvas' side.
PEN_WIDTHS = (6 / CANVAS_SIDE, 32 / CANVAS_SIDE)
SIZES = (0.2, 0.9)
# A pen thicker than this share of the digit closes every loop: no one could read the digit.
_THICKEST = 0.35

_SLANT = 0.45  # x moves by this much of y
_TURN = np.radians(14)
_STRETCH = 0.3  # width over height changes by at most e to this power
_SHAKE = 0.025  # of the digit's size


def draw_as_written(digits: Iterable[PenDigit], pen_width: float = PEN_WIDTH) -> Digits:
    """Each digit once, as large and as placed as it was written, the tablet laid onto the page's canvas.

    pen_width: in pixels of the page's canvas.
    """
    digits = list(digits)
    images = [_draw([s * CANVAS_SIDE for s in digit.strokes], CANVAS_SIDE, pen_width) for digit in digits]
    return _gather(images, digits)


def draw_varied(digits: Iterable[PenDigit], seed: int) -> Digits:
    """Each digit once, with its slant, turn, proportions, size, pen, steadiness and national habits varied."""
    digits = list(digits)
    rng = np.random.default_rng(seed)
    return _gather([_draw_one_varied(digit, rng) for digit in digits], digits)


def _gather(images: list[NDArray[np.uint8]], digits: Sequence[PenDigit]) -> Digits:
    labels = np.array([digit.label for digit in digits], dtype=np.uint8)
    return Digits(np.stack(images), labels)


def _draw(strokes: Iterable[Path2D], side: int, pen_width: float) -> NDArray[np.uint8]:
    paths = [[(x, y) for x, y in stroke.tolist()] for stroke in strokes]
    return normalise(find_ink(draw_strokes(paths, side, pen_width)))


def _draw_one_varied(digit: PenDigit, rng: np.random.Generator) -> NDArray[np.uint8]:
    strokes = with_habits(digit.label, digit.strokes, rng)
    size = rng.uniform(*SIZES)
    pen_width = min(rng.uniform(*PEN_WIDTHS), _THICKEST * size)
    side = _VARIED_SIDE
    placed = place(vary(strokes, rng), size)
    return _draw([stroke * side for stroke in placed], side, pen_width * side)


def vary(strokes: Sequence[Path2D], rng: np.random.Generator) -> list[Path2D]:
    """The same digit, slanted, turned, stretched and drawn by a less steady hand."""
    slant, turn, stretch = (rng.uniform(-limit, limit) for limit in (_SLANT, _TURN, _STRETCH))
    lean = np.array([[1.0, 0.0], [slant, 1.0]])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    change = np.diag([np.exp(stretch / 2), np.exp(-stretch / 2)]) @ lean @ rotation
    extent = float(np.ptp(np.concatenate(strokes), axis=0).max())
    # The square favours steady hands.
    shake = extent * _SHAKE * rng.uniform() ** 2
    return [_shake(stroke @ change, shake, rng) for stroke in strokes]


def _shake(stroke: Path2D, amplitude: float, rng: np.random.Generator) -> Path2D:
    """Noise that three neighbouring points share, so that a line trembles and does not bristle."""
    noise = rng.normal(scale=amplitude, size=(len(stroke) + 2, 2))
    return np.asarray(stroke + (noise[:-2] + noise[1:-1] + noise[2:]) / np.sqrt(3))


def place(strokes: Sequence[Path2D], size: float) -> list[Path2D]:
    """The digit scaled so that its longer side is `size`, in the middle of the sheet."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = size / max(float((high - low).max()), 1e-6)
    return [(stroke - (low + high) / 2) * scale + 0.5 for stroke in strokes]
