"""Drawings for benchmarks: no two alike, since the app may remember what it has just made of one."""

import io

import numpy as np

from app.imaging.samples import SAMPLES
from app.imaging.strokes import draw_strokes


def make_drawings(count: int, seed: int = 0) -> list[bytes]:
    """Canvas-sized PNGs of digits: the samples in turn, each point moved by a few pixels."""
    random = np.random.default_rng(seed)
    digits = list(SAMPLES.values())
    return [_draw(digits[number % len(digits)], random) for number in range(count)]


def _draw(strokes: object, random: np.random.Generator) -> bytes:
    moved = [
        [(x + float(dx), y + float(dy)) for (x, y), (dx, dy) in zip(stroke, random.normal(0, 2, (len(stroke), 2)))]
        for stroke in strokes  # type: ignore[attr-defined]
    ]
    file = io.BytesIO()
    draw_strokes(moved).save(file, "PNG")
    return file.getvalue()
