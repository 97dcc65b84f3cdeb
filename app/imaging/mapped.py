"""Activations in mapped memory, which counts as this process's own from when it is read until it is given back."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Block = tuple[slice, slice, slice]  # rows, columns and channels of an activation


class Readable(Protocol):
    """An activation, (height, width, channels), of which blocks are read."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, block: Block, /) -> Any: ...


_RELEASED = 2**22  # numbers that are mapped before they are given back
_MAPPED = 2**14  # numbers, 64 KB: what Linux maps around each one that is read


class Mapped:
    """An activation, (height, width, channels), in mapped memory that is given back while it is read.

    Some channels of all are far less than what has to be mapped for them: between a number and the next one of the same
    map lie those of all other maps.
    """

    def __init__(self, values: NDArray[np.float32], release: Callable[[], None]) -> None:
        """values: C-contiguous. release: gives back what was mapped."""
        self.values = values
        self.release = release
        self.shape: tuple[int, ...] = values.shape
        self._mapped = 0  # numbers since the last release

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self.values.size

    @property
    def ndim(self) -> int:
        return self.values.ndim

    def take(self, rows: NDArray[np.intp], columns: NDArray[np.intp], channels: slice) -> NDArray[np.float32]:
        """Return the cells at these rows and columns, as a copy: (rows, columns, channels)."""
        count = min(self.values[:1, :1, channels].size + _MAPPED, self.shape[1] * self.shape[2])
        taken = []
        for row in rows:
            self._make_room(columns.size * count)
            taken.append(self.values[row, columns, channels])
        return np.stack(taken)

    def __getitem__(self, block: Block) -> NDArray[np.float32]:
        """Return some of the values: a copy where more would have to be mapped for them than is given back at once."""
        values = self.values[block]
        mapped = self._count_mapped(values.shape)
        if mapped <= _RELEASED:
            self._make_room(mapped)
            return values
        copied = np.empty_like(values, order="C")
        for part in self._cut(values.shape):
            self._make_room(self._count_mapped(values[part].shape))
            copied[part] = values[part]
        return copied

    def _make_room(self, mapped: int) -> None:
        """Give back what was mapped, where so many numbers more would be too much beside it."""
        if self._mapped + mapped > _RELEASED:
            self.release()
            self._mapped = 0
        self._mapped += mapped

    def _count_mapped(self, shape: tuple[int, ...]) -> int:
        """Return about how many numbers are mapped to read some values of this shape."""
        height, width, channels = shape
        return height * width * self._count_for_cell(channels)

    def _count_for_cell(self, channels: int) -> int:
        return min(self.shape[2], channels + _MAPPED)

    def _cut(self, shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
        """Cut values of this shape into rows and columns for which little is mapped."""
        height, width, channels = shape
        cells = max(1, _RELEASED // self._count_for_cell(channels))
        wide = min(width, cells)
        high = max(1, cells // wide)
        for top in range(0, height, high):
            for left in range(0, width, wide):
                yield slice(top, top + high), slice(left, left + wide)
