"""Cells of a layer's output that are set by hand, whatever the layer computes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..types import Array


class HeldCell(NamedTuple):
    """One cell, and its value."""

    place: tuple[int, ...]  # in the layer's output: (row, column, channel), or (unit,)
    value: float


def as_scale_and_offset(cells: Sequence[HeldCell], shape: Sequence[int]) -> tuple[Array, Array]:
    """Return what the output is multiplied by, 0 where a cell is held and else 1, and what is added then."""
    scale, offset = np.ones(shape, np.float32), np.zeros(shape, np.float32)
    for cell in cells:
        scale[cell.place], offset[cell.place] = 0, cell.value
    return scale, offset


def let_go_of(cells: Sequence[HeldCell], gradients: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Take the held cells out of several gradients, (several, *shape), since they depend on nothing.

    Returns: the other cells' gradients, and gradient × value of the held ones, summed: (several,).
    """
    others = gradients.copy()
    held = np.zeros(len(gradients))
    for cell in cells:
        place: tuple[int | slice, ...] = (slice(None), *cell.place)
        held += gradients[place].astype(np.float64) * cell.value
        others[place] = 0
    return others, held
