"""`python -m benchmarks.several_digits STROKES.jsonl.gz`: how often one digit is taken for several, and two for one."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import ImageChops

from app.imaging.digits import find_digits
from app.imaging.drawing import Stroke, draw_strokes
from app.training.pen import PenDigit, read_pen_digits

PEN_WIDTHS = (1, 1.5, 4, 18)
GAPS = (0.08, 0.15, 0.25, 0.4)  # of the digits' height
PAIRS = 300  # for each gap


def place(digit: PenDigit, height: float, width: float, left: float) -> tuple[list[Stroke], float]:
    """Scale a digit to fit this height and width in pixels, and return its strokes and its right edge."""
    points = np.concatenate(digit.strokes)
    low, size = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-6)
    scale = min(width / size[0], height / size[1])
    moved = [((stroke - low) * scale + (left, 40)).tolist() for stroke in digit.strokes]
    strokes: list[Stroke] = [[(x, y) for x, y in stroke] for stroke in moved]
    return strokes, left + float(size[0] * scale)


def count_found(strokes: Sequence[Stroke], pen_width: float, side: int) -> int:
    """Return how many digits are told apart; none is one."""
    return max(1, len(find_digits(ImageChops.invert(draw_strokes(strokes, side, pen_width)))))


def main() -> None:
    """Print a line for each width of the pen, and for each gap."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strokes", type=Path)
    parser.add_argument("--count", type=int, default=2500)
    options = parser.parse_args()
    random, digits = np.random.default_rng(0), read_pen_digits(options.strokes)
    chosen = [digits[index] for index in random.permutation(len(digits))[: options.count]]
    for pen in PEN_WIDTHS:
        several = sum(count_found(place(digit, 200, 200, 40)[0], pen, 280) > 1 for digit in chosen)
        print(f"pen of {pen} pixels: {several} of {len(chosen)} digits are taken for several")
    for gap in GAPS:
        told = 0
        for first, second in zip(chosen[:PAIRS], chosen[PAIRS : 2 * PAIRS], strict=True):
            pen, heights = random.uniform(6, 12), random.uniform(0.85, 1.1, 2) * 130
            left, edge = place(first, heights[0], 160, 20)
            right, _ = place(second, heights[1], 160, edge + pen + gap * 130)
            told += count_found([*left, *right], pen, 400) == 2
        print(f"gap of {gap:.0%} of the height: {told} of {PAIRS} pairs are told apart")


if __name__ == "__main__":
    main()
