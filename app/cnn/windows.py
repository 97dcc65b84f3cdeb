"""Sliding windows: what one cell of a convolution or pooling layer reads of its input.

Following Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019: a window
of extent k and stride s turns the cells first..last of its output into the cells first·s - p .. last·s - p + k - 1 of
its input, where p is the padding before the first cell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .types import Array

_AT_ONCE = 2**18  # cells that are read for a whole map

Size = tuple[int | None, int | None]  # height and width; None where any goes


class Region(NamedTuple):
    """A rectangle of cells: rows top to bottom and columns left to right, the last ones not included.

    Padding counts: a region may begin before row 0 or end after the last one.
    """

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def union(self, other: "Region | None") -> "Region":
        """Return the smallest region that holds both."""
        if other is None:
            return self
        return Region(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def clipped(self, size: tuple[int, int]) -> "Region":
        """Return the part that lies within a map of this height and width."""
        height, width = size
        return Region(max(self.top, 0), max(self.left, 0), min(self.bottom, height), min(self.right, width))


@dataclass(frozen=True)
class Window:
    """The part of its input that one cell reads, in (rows, columns)."""

    size: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "valid"  # or "same"

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns from the first cell to the last, the gaps of dilation included."""
        height, width = ((size - 1) * step + 1 for size, step in zip(self.size, self.dilation, strict=True))
        return height, width

    def output_size(self, size: Size) -> Size:
        """Return how many places the window has: ceil(n / s) with padding "same", floor((n - k) / s) + 1 without.

        The result is below 1 where the window does not fit into its input, and None where the input may have any size.
        """
        height, width = (
            None if side is None else -(-side // stride) if self.padding == "same" else (side - extent) // stride + 1
            for side, extent, stride in zip(size, self.extent, self.strides, strict=True)
        )
        return height, width

    def read(self, axis: int, cell: int, size: int | None) -> tuple[int, int]:
        """Return the first row (axis 0) or column (axis 1) that a cell reads, and the one after the last.

        size: rows or columns of the input. Padding counts: the first may be negative.
        """
        stride, extent = self.strides[axis], self.extent[axis]
        padding = padding_before(extent, stride, size) if self.padding == "same" else 0
        first = cell * stride - padding
        return first, first + extent

    def region(self, cells: Region, size: Size) -> Region:
        """Return what these cells of the output read of an input of this size."""
        top, left = (self.read(axis, first, size[axis])[0] for axis, first in enumerate((cells.top, cells.left)))
        bottom, right = (
            self.read(axis, end - 1, size[axis])[1] for axis, end in enumerate((cells.bottom, cells.right))
        )
        return Region(top, left, bottom, right)

    def patch(self, image: Array, row: int, column: int, padding: float) -> tuple[Region, NDArray[np.float64]]:
        """Return what one cell reads, and its values: (window height, window width, channels), padding filled in."""
        region = self.region(Region(row, column, row + 1, column + 1), image.shape[:2])
        rows = np.arange(region.top, region.bottom, self.dilation[0])
        columns = np.arange(region.left, region.right, self.dilation[1])
        return region, read_cells(image, rows[:, None], columns[None], padding)

    def lines(self, image: Array, shape: tuple[int, int], row: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Return what one row of the window reads for all cells of a map of this shape, padding as zeros.

        Yields: some rows of the map at a time: the first one's number, and (rows, columns that are read, channels).
        """
        top, left = (self.read(axis, 0, image.shape[axis])[0] for axis in (0, 1))
        columns = np.arange(left, left + (shape[1] - 1) * self.strides[1] + self.extent[1])
        step = max(1, _AT_ONCE // (columns.size * image.shape[2]))
        for first in range(0, shape[0], step):
            rows = np.arange(first, min(first + step, shape[0])) * self.strides[0] + top + row * self.dilation[0]
            yield first, read_cells(image, rows[:, None], columns[None], 0.0)

    def columns(self, lines: NDArray[np.float64], width: int) -> Iterator[NDArray[np.float64]]:
        """Return what each column of the window reads of these lines for all cells of rows of this width."""
        for column in range(self.size[1]):
            start = column * self.dilation[1]
            yield lines[:, start : start + (width - 1) * self.strides[1] + 1 : self.strides[1]]


def padding_before(extent: int, stride: int, size: int | None) -> int:
    """Return how many rows or columns of padding "same" puts before the first one, as TensorFlow does.

    A size of None stands for any multiple of the stride.
    """
    remainder = (size or 0) % stride or stride
    return max(extent - remainder, 0) // 2


def read_cells(image: Array, rows: NDArray[np.intp], columns: NDArray[np.intp], padding: float) -> NDArray[np.float64]:
    """Return the image at these places, its channels as the last axis; padding where a place lies outside."""
    height, width = image.shape[:2]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    values = image[rows.clip(0, height - 1), columns.clip(0, width - 1)].astype(np.float64)
    return np.where(inside[..., None], values, padding)
