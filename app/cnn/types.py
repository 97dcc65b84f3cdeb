"""Types that the whole network package shares."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Shape = tuple[int | None, ...]  # without the batch; None where any size goes
ImageShape = tuple[int | None, int | None, int]  # height, width and channels; None where any size goes
Variables = Mapping[
    str, tuple[int, ...]
]  # the shape of each of a layer's weights, in the order in which Keras saves them
Weights = Mapping[str, Array]  # a layer's weights under Keras' names: kernel, bias, gamma, ...


class PoolingMode(StrEnum):
    """The value that a pooling layer keeps of each window."""

    MAX = "max"
    AVERAGE = "average"
    MIN = "min"


def shared_mode(modes: Iterable[PoolingMode | None]) -> PoolingMode | None:
    """Return the one mode among these, None for a layer that does not pool; None where they differ."""
    found = {mode for mode in modes if mode is not None}
    return found.pop() if len(found) == 1 else None
