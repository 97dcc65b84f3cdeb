"""Windows that slide over planes, by strided views: nothing is copied but the border that padding adds."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..cnn.windows import Window
from .planes import PixelSize, Planes, size_of

Combine = Callable[[Planes, Planes], Planes]  # an associative ufunc: np.add, np.maximum, np.minimum

_BAND = (
    2**16
)  # cells of an output that are worked on at once: what is needed beside them stays in the processor's cache


def count_places(window: Window, size: PixelSize) -> PixelSize:
    """Return how many places the window has, down and across; below 1 where it does not fit."""
    height, width = window.output_size(size)
    assert height is not None and width is not None
    return height, width


def border(window: Window, size: PixelSize) -> list[tuple[int, int]]:
    """Return the rows of padding above and below, and the columns of it to the left and to the right."""
    places = count_places(window, size)
    return [
        (
            max(0, -window.read(axis, 0, size[axis])[0]),
            max(0, window.read(axis, places[axis] - 1, size[axis])[1] - size[axis]),
        )
        for axis in (0, 1)
    ]


def pad(planes: Planes, window: Window, fill: float) -> Planes:
    """Return the planes with the padding that the window needs, filled with one value."""
    margins = border(window, size_of(planes))
    if not any(map(any, margins)):
        return planes
    (above, below), (left, right) = margins
    height, width = size_of(planes)
    made = np.full((len(planes), above + height + below, left + width + right), fill, np.float32)
    made[:, above : above + height, left : left + width] = planes  # several times as fast as numpy.pad
    return made


def pad_reflected(planes: Planes, margins: list[tuple[int, int]]) -> Planes:
    """Return the planes with a border that mirrors them, the outermost cells not repeated."""
    return np.pad(planes, [(0, 0), *margins], mode="reflect") if any(map(any, margins)) else planes


def combine_along(planes: Planes, axis: int, size: int, stride: int, places: int, combine: Combine) -> Planes:
    """Combine every `size` neighbours along one axis (1: rows, 2: columns), `stride` apart.

    Neighbours are combined one by one, or by blocks of 1, 2, 4, ... cells where that takes fewer passes.
    """

    def read(cells: Planes, first: int) -> Planes:
        index = [slice(None)] * 3
        index[axis] = slice(first, first + (places - 1) * stride + 1, stride)
        return cells[tuple(index)]

    if size <= stride * (size.bit_length() + 1):
        made = read(planes, 0)
        for offset in range(1, size):
            made = combine(made, read(planes, offset))
        return made
    block, span, offset, total = planes, 1, 0, None
    for bit in range(size.bit_length()):
        if size >> bit & 1:
            part = read(block, offset)
            total = part if total is None else combine(total, part)
            offset += span
        if size >> (bit + 1):
            index, following = [slice(None)] * 3, [slice(None)] * 3
            index[axis], following[axis] = slice(None, -span), slice(span, None)
            block = combine(block[tuple(index)], block[tuple(following)])
            span *= 2
    assert total is not None
    return total


def combine_windows(planes: Planes, window: Window, combine: Combine, fill: float) -> Planes:
    """Combine the values of each window, first across and then down. fill: what padding counts as."""
    height, width = count_places(window, size_of(planes))
    padded = pad(planes, window, fill)
    (rows, columns), (down, across) = window.size, window.strides
    return combine_along(combine_along(padded, 2, columns, across, width, combine), 1, rows, down, height, combine)


def count_cells(window: Window, size: PixelSize) -> NDArray[np.float32]:
    """Return how many cells of each window are no padding, (rows of places, columns of places)."""
    counts = []
    for axis, places in enumerate(count_places(window, size)):
        reads = (window.read(axis, place, size[axis]) for place in range(places))
        counts.append(np.array([min(end, size[axis]) - max(first, 0) for first, end in reads], np.float32))
    down, across = counts
    return down[:, np.newaxis] * across


def gather(
    planes: Planes, window: Window, fill: float
) -> Iterator[tuple[tuple[int, slice], list[NDArray[np.float32]]]]:
    """Return the values of all windows, some rows of one channel at a time.

    Yields: the channel and the rows of the output; and for each cell of the window, row by row, its values there,
    (rows, columns of the output).
    """
    height, width = count_places(window, size_of(planes))
    padded = pad(planes, window, fill)
    (rows, columns), (down, across) = window.size, window.strides
    step = max(1, _BAND // width)
    for channel, plane in enumerate(padded):
        for first in range(0, height, step):
            band = slice(first, min(first + step, height))
            yield (
                (channel, band),
                [
                    plane[
                        row + band.start * down : row + (band.stop - 1) * down + 1 : down,
                        column : column + (width - 1) * across + 1 : across,
                    ]
                    for row in range(rows)
                    for column in range(columns)
                ],
            )


def correlate(planes: Planes, kernel: NDArray[np.float32], window: Window) -> Planes:
    """Return the cross-correlation of each plane with a kernel, at every place of the window, without padding.

    kernel: (rows, columns). A kernel that is a column times a row is applied as these two.
    """
    factors = separate(kernel)
    if factors is not None:
        column, row = factors
        (rows, columns), (down, across), (gap_down, gap_across) = window.size, window.strides, window.dilation
        between = _correlate(planes, row, Window((1, columns), (1, across), (1, gap_across)))
        return _correlate(between, column, Window((rows, 1), (down, 1), (gap_down, 1)))
    return _correlate(planes, kernel, window)


def _correlate(planes: Planes, kernel: NDArray[np.float32], window: Window) -> Planes:
    height, width = count_places(window, size_of(planes))
    made = np.empty((len(planes), height, width), np.float32)
    (down, across), (gap_down, gap_across) = window.strides, window.dilation
    step = max(1, _BAND // width)
    scratch = np.empty((min(step, height), width), np.float32)
    weights = [(row, column, kernel[row, column]) for row, column in zip(*np.nonzero(kernel), strict=True)]
    if not weights:
        made[:] = 0
    for plane, sums in zip(planes, made, strict=True):
        for first in range(0, height, step):
            total = sums[first : first + step]
            product = scratch[: len(total)]
            for number, (row, column, weight) in enumerate(weights):
                top, left = first * down + row * gap_down, column * gap_across
                cells = plane[
                    top : top + (len(total) - 1) * down + 1 : down, left : left + (width - 1) * across + 1 : across
                ]
                if number == 0:
                    np.multiply(cells, weight, out=total)
                elif weight == 1:
                    np.add(total, cells, out=total)
                else:
                    np.multiply(cells, weight, out=product)
                    np.add(total, product, out=total)
    return made


def separate(kernel: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return the column and the row whose product a kernel is; None where there are none, or they save nothing."""
    if min(kernel.shape) == 1 or not kernel.any():
        return None
    row, column = np.unravel_index(int(np.abs(kernel).argmax()), kernel.shape)
    factors = kernel[:, [column]], kernel[[row]] / kernel[row, column]
    if np.count_nonzero(factors[0]) + np.count_nonzero(factors[1]) >= np.count_nonzero(kernel):
        return None
    return factors if np.allclose(factors[0] * factors[1], kernel, rtol=1e-6, atol=0) else None
