"""Drawings for benchmarks: no two alike, since the app may remember what it has just made of one."""

import io

import numpy as np

from app.imaging.samples import SAMPLES
from app.imaging.strokes import Stroke, draw_strokes


def make_drawings(count: int, seed: int = 0) -> list[bytes]:
    """Canvas-sized PNGs of digits: the samples in turn, each point moved by a few pixels."""
    random = np.random.default_rng(seed)
    digits = list(SAMPLES.values())
    return [_draw(digits[number % len(digits)], random) for number in range(count)]


def _draw(strokes: list[Stroke], random: np.random.Generator) -> bytes:
    moved = [[(float(x), float(y)) for x, y in stroke + random.normal(0, 2, np.shape(stroke))] for stroke in strokes]
    file = io.BytesIO()
    draw_strokes(moved).save(file, "PNG")
    return file.getvalue()
