"""Where each map of one layer is strongest, over pictures that are shown one after the other."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..cnn.types import Array, as_maps_shape

KEPT = 9  # of each map
NONE = -1  # in the place of an example that is not there


@dataclass(frozen=True)
class Strongest:
    """The examples that excite each map of one layer most, the strongest first, and what it makes of all of them.

    A unit of a vector is a map of one cell.
    """

    values: NDArray[np.float32]  # (maps, KEPT), of the strongest cell of each example
    examples: NDArray[np.intp]  # (maps, KEPT), their places; NONE where there are fewer
    rows: NDArray[np.intp]  # (maps, KEPT), of that cell
    columns: NDArray[np.intp]  # (maps, KEPT); of a vector the unit
    low: NDArray[np.float32]  # (maps,), the lowest value of all cells of all examples
    high: NDArray[np.float32]  # (maps,)
    fired: NDArray[np.float64]  # (maps,), the share of examples for which some cell is above zero
    class_means: NDArray[np.float64]  # (maps, classes), the mean of the strongest cell over the examples of each class

    @property
    def nbytes(self) -> int:
        return sum(getattr(self, each.name).nbytes for each in fields(self))

    @property
    def dead(self) -> list[int]:
        """The maps that have one value everywhere, for every example."""
        return [int(number) for number in np.flatnonzero(self.low == self.high)]


class Search:
    """Finds them, one example at a time, in memory that does not grow with the number of examples."""

    def __init__(self, maps: int, classes: int) -> None:
        shape = (maps, KEPT)
        self._values = np.full(shape, -np.inf, np.float32)
        self._examples = np.full(shape, NONE, np.intp)
        self._rows, self._columns = np.zeros(shape, np.intp), np.zeros(shape, np.intp)
        self._weakest = np.full(maps, -np.inf, np.float32)  # of those that are kept
        self._low, self._high = np.full(maps, np.inf, np.float32), np.full(maps, -np.inf, np.float32)
        self._fired = np.zeros(maps, np.intp)
        self._sums, self._counts = np.zeros((maps, classes)), np.zeros(classes, np.intp)

    def add(self, place: int, label: int, activation: Array) -> None:
        """Look at one example. activation: what the layer made of it, without the batch."""
        cells, width = as_cells(activation)
        peaks = cells.max(axis=0)
        np.minimum(self._low, cells.min(axis=0), out=self._low)
        np.maximum(self._high, peaks, out=self._high)
        self._fired += peaks > 0
        self._sums[:, label] += peaks
        self._counts[label] += 1
        better = np.flatnonzero(peaks > self._weakest)  # of equal ones, those that came first stay
        if better.size:
            self._keep(better, place, peaks[better], cells[:, better].argmax(axis=0), width)

    def _keep(self, maps: NDArray[np.intp], place: int, peaks: Array, cells: NDArray[np.intp], width: int) -> None:
        """Put an example in the place of the weakest one that each of these maps has."""
        values, weakest = self._values[maps], self._weakest[maps]
        # Of equal ones the last, so that those that came first stay.
        slots = np.where(values == weakest[:, np.newaxis], self._examples[maps], NONE - 1).argmax(axis=1)
        at = (maps, slots)
        self._values[at], self._examples[at] = peaks, place
        if width:
            self._rows[at], self._columns[at] = np.divmod(cells, width)
        else:
            self._columns[at] = maps  # a vector's cells are its units
        self._weakest[maps] = self._values[maps].min(axis=1)

    def finish(self) -> Strongest:
        """Return what was found."""
        order = np.lexsort((self._examples, -self._values), axis=1)
        seen = max(1, int(self._counts.sum()))
        return Strongest(
            np.take_along_axis(self._values, order, axis=1),
            np.take_along_axis(self._examples, order, axis=1),
            np.take_along_axis(self._rows, order, axis=1),
            np.take_along_axis(self._columns, order, axis=1),
            self._low,
            self._high,
            self._fired / seen,
            self._sums / np.maximum(self._counts, 1),
        )


def as_cells(activation: Array) -> tuple[Array, int]:
    """Return an activation as (cells, maps), and how many cells a row has; 0 where each unit of a vector is a map."""
    if activation.ndim < 2:
        return activation.reshape(1, -1), 0
    height, width, maps = as_maps_shape(activation.shape)
    return activation.reshape(height * width, maps), width
