"""Connected components of a mask: pixels that touch, diagonally too."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .drawing import Box

# In the rows of a mask. Squared paper has half as many; more are a texture, and would take a tenth of a second.
MOST_RUNS = 2**15

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Components:
    """The connected components of a mask. Arrays hold one value a component; right and bottom lie just outside."""

    left: Indices
    top: Indices
    right: Indices
    bottom: Indices
    area: Indices  # in pixels
    labels: NDArray[np.int32]  # (height, width): the component's number, and -1 where there is none

    def __len__(self) -> int:
        return len(self.area)

    @property
    def width(self) -> Indices:
        return self.right - self.left

    @property
    def height(self) -> Indices:
        return self.bottom - self.top

    @property
    def side(self) -> Indices:
        """The longer side."""
        return np.maximum(self.width, self.height)

    def box(self, index: int) -> Box:
        """Return a component's bounding box."""
        return Box(*(int(edge[index]) for edge in (self.left, self.top, self.right, self.bottom)))

    def peaks(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the highest of the values, (height, width), in each component."""
        found = np.zeros(len(self), np.float32)
        inside = self.labels >= 0
        np.maximum.at(found, self.labels[inside], values[inside])
        return found

    def mask(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return where the chosen components are: (height, width)."""
        return np.append(chosen, False)[self.labels]  # the last one is that of -1


def find_components(mask: NDArray[np.bool_]) -> Components:
    """Find the components of a mask, (height, width); none of one with more than MOST_RUNS runs, which no writing has.

    The runs of each row are joined with those that they touch in the next row, in arrays: a loop over pixels would take
    a hundred times as long.
    """
    height, width = mask.shape
    if np.count_nonzero(mask[:, 1:] & ~mask[:, :-1]) > MOST_RUNS:
        mask = np.zeros_like(mask)
    rows, starts, ends = _find_runs(mask)
    names = _join(len(rows), *_touching(rows, starts, ends, width))
    count = int(names.max()) + 1 if len(names) else 0
    left, top = np.full(count, width), np.full(count, height)
    right, bottom = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.minimum.at(left, names, starts)
    np.minimum.at(top, names, rows)
    np.maximum.at(right, names, ends)
    np.maximum.at(bottom, names, rows + 1)
    area = np.bincount(names, ends - starts, count).astype(np.int64)
    labels = np.full(mask.shape, -1, np.int32)
    labels[mask] = np.repeat(names, ends - starts)
    return Components(left, top, right, bottom, area, labels)


def _find_runs(mask: NDArray[np.bool_]) -> tuple[Indices, Indices, Indices]:
    """Return the row, start and end of each run of set pixels, in the order of rows and columns."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    change = np.diff(padded, axis=1)
    rows, starts = np.nonzero(change == 1)
    return rows, starts, np.nonzero(change == -1)[1]


def _touching(rows: Indices, starts: Indices, ends: Indices, width: int) -> tuple[Indices, Indices]:
    """Return the numbers of the runs that touch: each, and one in the next row."""
    stride = width + 2
    below = (rows + 1) * stride
    first = np.searchsorted(rows * stride + ends, below + starts)
    last = np.searchsorted(rows * stride + starts, below + ends, "right")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(upper)) - np.repeat(np.cumsum(counts) - counts, counts)
    return upper, np.repeat(first, counts) + within


def _join(count: int, first: Indices, second: Indices) -> Indices:
    """Return the number of each one's component, counted from 0, where first and second are joined."""
    names = np.arange(count)
    while True:
        lowest = np.minimum(names[first], names[second])
        before = names.copy()
        np.minimum.at(names, names[first], lowest)
        np.minimum.at(names, names[second], lowest)
        while (names != names[names]).any():
            names = names[names]
        if (names == before).all():
            return np.asarray(np.unique(names, return_inverse=True)[1])
