"""All places of a sliding window at once: for each cell of the window, what it reads of the whole input."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .windows import Window, padding_before

Maps = NDArray[Any]  # (..., height, width, channels)


@dataclass(frozen=True)
class Sweep:
    """A window that slides over maps of one size."""

    window: Window
    size: tuple[int, int]  # height and width of the input
    places: tuple[int, int]  # height and width of the output

    def pad(self, maps: Maps, value: float) -> Maps:
        """Return these maps of the input with all cells around them that the window reads."""
        padded = np.full((*maps.shape[:-3], *self._padded_size, maps.shape[-1]), value, maps.dtype)
        self.crop(padded)[...] = maps
        return padded

    def make_padded(self, *shape: int, channels: int, dtype: Any) -> Maps:
        """Return zeros for the input and all around it that the window reads: (*shape, rows, columns, channels)."""
        return np.zeros((*shape, *self._padded_size, channels), dtype)

    def crop(self, padded: Maps) -> Maps:
        """Return the part of padded maps that is the input, as a view."""
        (height, width), (top, left) = self.size, self._before
        return padded[..., top : top + height, left : left + width, :]

    def cells(self) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
        """Return each cell of the window, row and column, and the index of what it reads in padded maps."""
        for row in range(self.window.size[0]):
            for column in range(self.window.size[1]):
                yield row, column, (..., self._slice(0, row), self._slice(1, column), slice(None))

    def _slice(self, axis: int, cell: int) -> slice:
        start, stride = cell * self.window.dilation[axis], self.window.strides[axis]
        return slice(start, start + (self.places[axis] - 1) * stride + 1, stride)

    @property
    def _before(self) -> tuple[int, int]:
        """Rows and columns of padding before the first one."""
        if self.window.padding != "same":
            return 0, 0
        top, left = map(padding_before, self.window.extent, self.window.strides, self.size)
        return top, left

    @property
    def _padded_size(self) -> tuple[int, int]:
        height, width = (
            max(before + size, (places - 1) * stride + extent)
            for before, size, places, stride, extent in zip(
                self._before, self.size, self.places, self.window.strides, self.window.extent, strict=True
            )
        )
        return height, width
