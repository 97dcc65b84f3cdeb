"""What experiments do to digits before a network sees them.

Images are (n, height, width); 0 is paper, 255 the strongest ink.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEED = 1  # of everything that is random, so that a number comes out again

Images = NDArray[Any]


class Shrinking(StrEnum):
    """What becomes of the four pixels of a 2×2 window."""

    MAX = "max"
    AVERAGE = "average"
    MIN = "min"
    CORNER = "top-left cell"
    RANDOM = "random cell"


_REDUCE: dict[Shrinking, Callable[..., Images]] = {
    Shrinking.MAX: np.max,
    Shrinking.AVERAGE: np.mean,
    Shrinking.MIN: np.min,
}


def shrink(images: Images, how: Shrinking) -> Images:
    """Halve both sides: one cell for each 2×2 window. An odd last row or column is in no window.

    Returns: (n, height // 2, width // 2); float64 for the average, else as it was.
    """
    count, height, width = images.shape
    rows, columns = height // 2, width // 2
    windows = images[:, : 2 * rows, : 2 * columns].reshape(count, rows, 2, columns, 2).swapaxes(2, 3)
    cells = windows.reshape(count, rows, columns, 4)
    match how:
        case Shrinking.CORNER:
            return cells[..., 0]
        case Shrinking.RANDOM:
            chosen = np.random.default_rng(SEED).integers(4, size=(count, rows, columns, 1))
            return np.take_along_axis(cells, chosen, axis=3)[..., 0]
        case _:
            return _REDUCE[how](cells, axis=3)


def enlarge(images: Images, factor: int, side: int) -> Images:
    """Repeat each pixel factor × factor times. What is then missing at the right and below is paper.

    Returns: (n, side, side).
    """
    large = images.repeat(factor, axis=1).repeat(factor, axis=2)
    missing = ((0, 0), (0, side - large.shape[1]), (0, side - large.shape[2]))
    return np.pad(large, missing)


def coarsen(images: Images, how: Shrinking, times: int) -> Images:
    """Shrink square images so many times, and enlarge what is left to the size that they had."""
    small = images
    for _ in range(times):
        small = shrink(small, how)
    return enlarge(small, 2**times, images.shape[1])


def shift(images: Images, down: int, right: int) -> Images:
    """Move the ink; up and left are negative. What comes in is paper, and what goes out is lost."""
    moved = np.zeros_like(images)
    _, height, width = images.shape
    to_rows, from_rows = _overlap(down, height)
    to_columns, from_columns = _overlap(right, width)
    moved[:, to_rows, to_columns] = images[:, from_rows, from_columns]
    return moved


def _overlap(distance: int, size: int) -> tuple[slice, slice]:
    """Return which part of an axis is reached by a move, and from where."""
    first, last = max(distance, 0), size + min(distance, 0)
    return slice(first, last), slice(first - distance, last - distance)


def keep_bits(images: Images, bits: int) -> Images:
    """Keep the highest bits of each pixel: 2**bits grey levels, from paper to the strongest ink as before.

    images: uint8. Returns: uint8.
    """
    levels = 2**bits - 1
    spread: Images = np.rint((images >> (8 - bits)) * (255 / levels))
    return spread.astype(np.uint8)


def randomize_bits(images: Images, bits: int) -> Images:
    """Replace the lowest bits of each pixel by random ones. images: uint8. Returns: uint8."""
    noise = np.random.default_rng(SEED).integers(2**bits, size=images.shape, dtype=np.uint16)
    mixed: Images = (images & np.uint8(255 << bits & 255)) | noise.astype(np.uint8)
    return mixed


class Order(StrEnum):
    """The order in which ink is taken away."""

    STRONGEST = "strongest first"
    FAINTEST = "faintest first"
    RANDOM = "at random"


def erase(images: Images, share: float, order: Order) -> Images:
    """Turn a share of each picture's inked pixels into paper. Of equal ones, some at random go first."""
    count = len(images)
    flat = images.reshape(count, -1)
    rank = np.random.default_rng(SEED).random(flat.shape)
    if order is not Order.RANDOM:
        rank += flat.astype(float) * (-1 if order is Order.STRONGEST else 1)
    rank[flat == 0] = np.inf
    place = rank.argsort(axis=1).argsort(axis=1)  # of each pixel in the order; paper is last
    erased = place < np.rint(share * (flat > 0).sum(axis=1, keepdims=True))
    kept: Images = np.where(erased, 0, flat).astype(images.dtype)
    return kept.reshape(images.shape)
