"""Pen strokes drawn as MNIST would hold them, as they were written or varied."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..imaging.drawing import CANVAS_SIDE, PEN_WIDTH, draw_strokes
from ..imaging.ink import find_ink, normalise
from .mnist import Digits
from .pen import PenDigit, StrokePoints

# How often each regional stroke is added. The data has few writers, who use only some of them.
SLASHED_ZERO = 0.12
CROSSED_SEVEN = 0.15
UNDERLINED_ONE = 0.08

_SLANT = 0.45  # x shifts by up to this share of y
_TURN = np.radians(14)
_STRETCH = 0.3  # width over height changes by a factor of at most exp(±_STRETCH)
_TREMOR = 0.025  # of the digit's size


def add_regional_strokes(label: int, strokes: Sequence[StrokePoints], rng: np.random.Generator) -> list[StrokePoints]:
    """Add, at times, a slash through a zero, a bar through a seven or a foot under a one."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    chance = rng.uniform()
    match label:
        case 0 if chance < SLASHED_ZERO:
            return [*strokes, _slash(low, high, rng)]
        case 7 if chance < CROSSED_SEVEN and len(strokes) == 1:
            return [*strokes, _bar(low, high, rng)]
        case 1 if chance < UNDERLINED_ONE and len(strokes) == 1:
            return [*strokes, _foot(strokes[0], low, high, rng)]
        case _:
            return list(strokes)


def _slash(low: StrokePoints, high: StrokePoints, rng: np.random.Generator) -> StrokePoints:
    """Return a line from lower left to upper right that ends near the corners of the zero's bounding box."""
    overshoot = rng.uniform(-0.2, 0.15, size=(2, 2)) * (high - low)
    start = np.array([low[0], high[1]]) + overshoot[0] * (-1, 1)
    end = np.array([high[0], low[1]]) + overshoot[1] * (1, -1)
    return np.linspace(start, end, 12)


def _bar(low: StrokePoints, high: StrokePoints, rng: np.random.Generator) -> StrokePoints:
    """Return a line across the stem, about half way down."""
    size = high - low
    middle = low + size * (rng.uniform(0.4, 0.65), rng.uniform(0.42, 0.6))
    reach = size.max() * rng.uniform(0.15, 0.3)
    half = np.array([reach, reach * rng.uniform(-0.15, 0.3)])
    return np.linspace(middle - half, middle + half, 8)


def _foot(stem: StrokePoints, low: StrokePoints, high: StrokePoints, rng: np.random.Generator) -> StrokePoints:
    """Return a short line under the lowest point of the stem."""
    lowest = stem[stem[:, 1].argmax()]
    reach = (high - low).max() * rng.uniform(0.15, 0.3)
    half = np.array([reach, 0.0])
    return np.linspace(lowest - half, lowest + half, 8)


def vary(strokes: Sequence[StrokePoints], rng: np.random.Generator) -> list[StrokePoints]:
    """Slant, turn and stretch a digit, and let its lines tremble."""
    slant, turn, stretch = (rng.uniform(-limit, limit) for limit in (_SLANT, _TURN, _STRETCH))
    lean = np.array([[1.0, 0.0], [slant, 1.0]])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    change = np.diag([np.exp(stretch / 2), np.exp(-stretch / 2)]) @ lean @ rotation
    extent = float(np.ptp(np.concatenate(strokes), axis=0).max())
    tremor = extent * _TREMOR * rng.uniform() ** 2  # the square favours steady hands
    return [_add_tremor(stroke @ change, tremor, rng) for stroke in strokes]


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
    placed = centre(vary(strokes, rng), size)
    return _draw([stroke * side for stroke in placed], side, pen_width * side)
