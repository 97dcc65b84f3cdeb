"""Values that take the place of what a layer computed, before the layers behind it read them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .types import Array, as_maps_shape


@dataclass(frozen=True)
class Intervention:
    """Maps of a layer that are zero, and cells that have a value, whatever the layer computes.

    A vector's maps are its units. A cell is (row, column, channel), as maps are shown: see `as_maps_shape`.
    """

    muted: frozenset[int] = frozenset()
    cells: dict[tuple[int, int, int], float] = field(default_factory=dict)

    def holds(self, place: tuple[int, int, int], shape: tuple[int, ...]) -> bool:
        """Return whether a cell has its value from here. shape: of the layer's output, without the batch."""
        return place in self.cells or place[1 if len(shape) == 1 else 2] in self.muted

    def spread(self, shape: tuple[int, ...]) -> tuple[NDArray[np.bool_], Array]:
        """Return where a layer's own values stay, and what takes the others' place.

        shape: of the layer's output, without the batch. Both arrays have its number of axes, and sizes of 1 where all
        places are alike.
        """
        maps = as_maps_shape(shape)
        axis = 1 if len(shape) == 1 else 2
        alike = not self.cells and len(shape) in (1, 3)
        sizes = tuple(size if each == axis or not alike else 1 for each, size in enumerate(maps))
        stays, values = np.ones(sizes, bool), np.zeros(sizes, np.float32)
        np.moveaxis(stays, axis, 0)[sorted(self.muted)] = False
        for place, value in self.cells.items():
            stays[place], values[place] = False, value
        wanted = sizes if len(shape) == 3 else shape
        return stays.reshape(wanted), values.reshape(wanted)
