"""Pen strokes drawn as MNIST would hold them, as they were written or varied."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..datasets.digits import Digits
from ..imaging.drawing import CANVAS_SIDE, PEN_WIDTH, draw_strokes
from ..imaging.ink import find_ink, normalise
from .pen import PenDigit, StrokePoints
from .styles import restyle

_SLANT = 0.45  # x shifts by up to this share of y
_TURN = np.radians(14)
_STRETCH = 0.3  # width over height changes by a factor of at most exp(±_STRETCH)
_TREMOR = 0.025  # of the digit's size
_WARP = 0.04  # of the digit's size, the standard deviation of each wave's amplitude
_LOOSE = 0.025  # of the digit's size, the standard deviation of a stroke's place beside the others


def vary(strokes: Sequence[StrokePoints], rng: np.random.Generator) -> list[StrokePoints]:
    """Slant, turn, stretch and warp a digit, move its strokes apart, and let its lines tremble."""
    slant, turn, stretch = (rng.uniform(-limit, limit) for limit in (_SLANT, _TURN, _STRETCH))
    lean = np.array([[1.0, 0.0], [slant, 1.0]])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    change = np.diag([np.exp(stretch / 2), np.exp(-stretch / 2)]) @ lean @ rotation
    extent = float(np.ptp(np.concatenate(strokes), axis=0).max())
    tremor = extent * _TREMOR * rng.uniform() ** 2  # the square favours steady hands
    warped = _warp(_loosen(strokes, extent, rng), extent, rng)
    return [_add_tremor(stroke @ change, tremor, rng) for stroke in warped]


def _loosen(strokes: Sequence[StrokePoints], extent: float, rng: np.random.Generator) -> list[StrokePoints]:
    """Move each stroke a little by itself."""
    if len(strokes) == 1:
        return list(strokes)
    return [stroke + rng.normal(scale=_LOOSE * extent, size=2) for stroke in strokes]


def _warp(strokes: Sequence[StrokePoints], extent: float, rng: np.random.Generator) -> list[StrokePoints]:
    """Bend a digit as a whole: waves along either axis move its points, of half a digit's length and longer."""
    waves = np.pi / max(extent, 1e-6) * rng.uniform(0.5, 2, size=(2, 2))  # by axis that is moved, by axis along
    phases = rng.uniform(0, 2 * np.pi, size=(2, 2))
    amplitudes = rng.normal(scale=_WARP * extent, size=(2, 2))
    return [stroke + (amplitudes * np.sin(stroke[:, None, :] * waves + phases)).sum(axis=2) for stroke in strokes]


def _add_tremor(stroke: StrokePoints, amplitude: float, rng: np.random.Generator) -> StrokePoints:
    """Add noise that is smoothed over three points, so that a line trembles and does not bristle."""
    noise = rng.normal(scale=amplitude, size=(len(stroke) + 2, 2))
    return np.asarray(stroke + (noise[:-2] + noise[1:-1] + noise[2:]) / np.sqrt(3))


def centre(strokes: Sequence[StrokePoints], size: float) -> list[StrokePoints]:
    """Scale a digit to this longer side and centre it on the sheet of side 1."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = size / max(float((high - low).max()), 1e-6)
    return [(stroke - (low + high) / 2) * scale + 0.5 for stroke in strokes]


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
    """Draw each digit once, with random slant, rotation, proportions, size, pen, tremor and style."""
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
    strokes = restyle(digit.label, digit.strokes, rng)
    size = rng.uniform(*SIZES)
    pen_width = min(rng.uniform(*PEN_WIDTHS), _THICKEST * size)
    side = _VARIED_SIDE
    placed = centre(vary(strokes, rng), size)
    return _draw([stroke * side for stroke in placed], side, pen_width * side)
