"""Numbers about a picture, and about what a step, a shift or an enlargement does to it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .operation import Operation
from .planes import PixelSize, Planes, size_of

_FEW = 1e-12  # a variance below this share of the mean square is rounding
_STILL = 1e-9  # a deviation below it is none
_BAND = 2**16  # pixels that are worked on at once, in the processor's cache


@dataclass(frozen=True)
class Statistics:
    """Numbers about one picture, over all of its channels. NaN where a value is no number."""

    minimum: float
    maximum: float
    mean: float
    energy: float  # the mean of the squares
    deviation: float  # the standard deviation, of each channel about its own mean
    neighbours: float | None  # the correlation of adjacent pixels; None where nothing differs

    @classmethod
    @np.errstate(invalid="ignore", over="ignore")
    def of(cls, planes: Planes) -> "Statistics":
        """Work them out. Sums are float32 over some rows, and float64 from there."""
        low, high = float(planes.min()), float(planes.max())
        means = planes.sum(axis=2).sum(axis=1, dtype=np.float64) / math.prod(size_of(planes))
        pairs = [_Pairs.of(plane, np.float32(mean)) for plane, mean in zip(planes, means, strict=True)]
        squares = np.array([each.squares for each in pairs]) / math.prod(size_of(planes))
        correlations = [each.correlation(mean) for each, mean in zip(pairs, means.tolist(), strict=True)]
        known = [each for each in correlations if each is not None]
        energy = float((squares + means**2).mean())
        deviation = math.sqrt(float(squares.mean())) if np.isfinite(squares).all() else math.nan
        return cls(low, high, float(means.mean()), energy, deviation, float(np.mean(known)) if known else None)


@dataclass(frozen=True)
class _Pairs:
    """Sums over one channel, its mean taken off, and over its pairs of pixels side by side and one above the other."""

    squares: float
    count: int  # of pairs
    firsts: float  # over the left or upper one of each pair, and so on
    seconds: float
    first_squares: float
    second_squares: float
    products: float
    pixels: int

    @classmethod
    def of(cls, plane: NDArray[np.float32], mean: np.float32) -> "_Pairs":
        height, width = plane.shape
        total = squares = across = down = 0.0
        step = max(1, _BAND // width)
        for first in range(0, height, step):
            band = plane[first : first + step + 1] - mean  # with the first row of the next one
            rows = band[:step]
            cells = rows.ravel()
            total += float(cells.sum())
            squares += float(np.dot(cells, cells))
            # Side by side in memory is side by side in the picture, but at the end of each row.
            across += float(np.dot(cells[:-1], cells[1:])) - float(np.dot(rows[:-1, -1], rows[1:, 0]))
            down += float(np.dot(band[:-1].ravel(), band[1:].ravel()))
        edges = (plane[:, 0], plane[:, -1], plane[0], plane[-1])
        left, right, top, bottom = ((edge - mean).astype(np.float64) for edge in edges)
        return cls(
            squares=squares,
            count=height * (width - 1) + (height - 1) * width,
            firsts=2 * total - float(right.sum() + bottom.sum()),
            seconds=2 * total - float(left.sum() + top.sum()),
            first_squares=2 * squares - float(right @ right + bottom @ bottom),
            second_squares=2 * squares - float(left @ left + top @ top),
            products=across + down,
            pixels=plane.size,
        )

    def correlation(self, mean: float) -> float | None:
        """Return Pearson's correlation over all pairs; None where there are none, or nothing differs."""
        variance = self.squares / self.pixels
        if not self.count or not math.isfinite(variance) or variance <= _FEW * (mean * mean + variance):
            return None
        first, second = self.firsts / self.count, self.seconds / self.count
        covariance = self.products / self.count - first * second
        spread = (self.first_squares / self.count - first**2) * (self.second_squares / self.count - second**2)
        return max(-1.0, min(1.0, covariance / math.sqrt(spread))) if spread > 0 else None


@dataclass(frozen=True)
class Enlarged:
    """How a picture that was made smaller differs from what it was made of, enlarged to that size again."""

    rmse: float  # root of the mean squared difference
    psnr: float | None  # in decibels; None where nothing differs
    peak: float  # what the PSNR counts as the largest value


def enlarge(planes: Planes, size: PixelSize) -> Planes:
    """Enlarge a picture to a size: each place gets the value of the cell that covers it."""
    (height, width), (rows, columns) = size, size_of(planes)
    if width % columns == 0:  # much faster than looking each place up
        wide = np.repeat(planes, width // columns, axis=2)
    else:
        wide = planes[:, :, np.arange(width) * columns // width]
    return (
        np.repeat(wide, height // rows, axis=1) if height % rows == 0 else wide[:, np.arange(height) * rows // height]
    )


def difference(planes: Planes, before: Planes) -> Planes:
    """Return a picture, enlarged to the size of the one that it was made of, minus that one."""
    return enlarge(planes, size_of(before)) - before


@np.errstate(invalid="ignore", over="ignore")
def compare_enlarged(planes: Planes, before: Planes) -> Enlarged:
    """Compare a picture, enlarged again, with the one that it was made of, of as many channels."""
    apart = difference(planes, before).ravel()
    mean = sum(float(np.dot(part, part)) for part in np.array_split(apart, -(-apart.size // _BAND))) / apart.size
    low, high = float(before.min()), float(before.max())
    peak = 1.0 if low >= 0 and high <= 1 else high - low
    psnr = 10 * math.log10(peak * peak / mean) if mean > 0 and peak > 0 and math.isfinite(mean) else None
    return Enlarged(math.sqrt(mean) if math.isfinite(mean) else math.nan, psnr, peak)


def shift(planes: Planes) -> Planes:
    """Return the picture moved by one pixel to the right; its last column comes first."""
    return np.roll(planes, 1, axis=2)


def reach_of(chain: Sequence[Operation]) -> int:
    """Return how many columns at either edge of a chain's output may read beyond the edge, or what came round it."""
    columns = 1
    for step in chain:
        window, stride = step.reach()
        columns = -(-(columns + window - 1) // stride) + 1
    return columns


@np.errstate(invalid="ignore", over="ignore")
def compare_shifted(planes: Planes, shifted: Planes, edge: int) -> float | None:
    """Return how much a shift of the picture by one pixel changed a step's output, as a share of its deviation.

    The output may move by no cell or by one, whichever agrees better: that is no change. edge: columns at either side
    to leave out. None where the output is too narrow or the same everywhere.
    """
    width = planes.shape[2]
    if width - 2 * edge < 2:
        return None
    here = planes[:, :, edge : width - edge - 1]
    deviation = math.sqrt(float(here.var(axis=(1, 2)).mean()))
    if not deviation > _STILL:
        return None
    moves = (shifted[:, :, edge : width - edge - 1], shifted[:, :, edge + 1 : width - edge])
    least = min(float(np.square(each - here).mean()) for each in moves)
    return math.sqrt(least) / deviation if math.isfinite(least) else None
