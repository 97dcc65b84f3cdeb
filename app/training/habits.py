"""Strokes that some countries' hands add to a digit and others leave out."""

from collections.abc import Sequence

import numpy as np

from app.training.pen import Path2D

# How often each is added. Many writers do all of these, the data's few writers do some of them.
SLASHED_ZERO = 0.12
CROSSED_SEVEN = 0.15
UNDERLINED_ONE = 0.08


def with_habits(label: int, strokes: Sequence[Path2D], rng: np.random.Generator) -> list[Path2D]:
    """The strokes, at times with a slash through a zero, a bar through a seven or a foot under a one."""
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


def _slash(low: Path2D, high: Path2D, rng: np.random.Generator) -> Path2D:
    """From the lower left to the upper right, ending inside the zero's box or a little outside it."""
    overshoot = rng.uniform(-0.2, 0.15, size=(2, 2)) * (high - low)
    start = np.array([low[0], high[1]]) + overshoot[0] * (-1, 1)
    end = np.array([high[0], low[1]]) + overshoot[1] * (1, -1)
    return np.linspace(start, end, 12)


def _bar(low: Path2D, high: Path2D, rng: np.random.Generator) -> Path2D:
    """Across the stem, about half way down."""
    size = high - low
    middle = low + size * (rng.uniform(0.4, 0.65), rng.uniform(0.42, 0.6))
    reach = size.max() * rng.uniform(0.15, 0.3)
    half = np.array([reach, reach * rng.uniform(-0.15, 0.3)])
    return np.linspace(middle - half, middle + half, 8)


def _foot(stem: Path2D, low: Path2D, high: Path2D, rng: np.random.Generator) -> Path2D:
    """A short line under the lowest point of the stem."""
    lowest = stem[stem[:, 1].argmax()]
    reach = (high - low).max() * rng.uniform(0.15, 0.3)
    half = np.array([reach, 0.0])
    return np.linspace(lowest - half, lowest + half, 8)
