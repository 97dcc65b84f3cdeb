"""Pen digits to images: drawn as the page draws them, and normalised by the app's own code."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.imaging.ink import find_ink, normalise
from app.imaging.strokes import CANVAS_SIDE, PEN_WIDTH, draw_strokes
from app.training.mnist import Digits
from app.training.pen import PenDigit, StrokePoints
from app.training.variation import add_regional_strokes, place, vary

# A digit ends up on 20 of 28 pixels, so half of the page's canvas is enough, and four times as fast.
_VARIED_SIDE = CANVAS_SIDE // 2

# As shares of the canvas' side.
PEN_WIDTHS = (6 / CANVAS_SIDE, 32 / CANVAS_SIDE)
SIZES = (0.2, 0.9)
# A pen thicker than this share of the digit closes every loop.
_THICKEST = 0.35


def draw_as_written(digits: Iterable[PenDigit], pen_width: float = PEN_WIDTH) -> Digits:
    """Draw each digit once, at the size and place where it was written: the tablet becomes the page's canvas.

    pen_width: in pixels of the page's canvas.
    """
    digits = list(digits)
    images = [_draw([s * CANVAS_SIDE for s in digit.strokes], CANVAS_SIDE, pen_width) for digit in digits]
    return _to_digits(images, digits)


def draw_varied(digits: Iterable[PenDigit], seed: int) -> Digits:
    """Draw each digit once, with random slant, rotation, proportions, size, pen, tremor and regional strokes."""
    digits = list(digits)
    rng = np.random.default_rng(seed)
    return _to_digits([_draw_one_varied(digit, rng) for digit in digits], digits)


def _to_digits(images: list[NDArray[np.uint8]], digits: Sequence[PenDigit]) -> Digits:
    labels = np.array([digit.label for digit in digits], dtype=np.uint8)
    return Digits(np.stack(images), labels)


def _draw(strokes: Iterable[StrokePoints], side: int, pen_width: float) -> NDArray[np.uint8]:
    paths = [[(x, y) for x, y in stroke.tolist()] for stroke in strokes]
    return normalise(find_ink(draw_strokes(paths, side, pen_width)))


def _draw_one_varied(digit: PenDigit, rng: np.random.Generator) -> NDArray[np.uint8]:
    strokes = add_regional_strokes(digit.label, digit.strokes, rng)
    size = rng.uniform(*SIZES)
    pen_width = min(rng.uniform(*PEN_WIDTHS), _THICKEST * size)
    side = _VARIED_SIDE
    placed = place(vary(strokes, rng), size)
    return _draw([stroke * side for stroke in placed], side, pen_width * side)
