"""Types that the whole network package shares."""

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Maps(Protocol):
    """Feature maps, (height, width, channels), of which blocks are read: an array, or memory that is mapped."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, block: tuple[slice, slice, slice], /) -> Any: ...


Shape = tuple[int | None, ...]  # without the batch; None where any size goes
ImageShape = tuple[int | None, int | None, int]  # height, width and channels; None where any size goes
Variables = Mapping[
    str, tuple[int, ...]
]  # the shape of each of a layer's weights, in the order in which Keras saves them
Weights = Mapping[str, Array]  # a layer's weights under Keras' names: kernel, bias, gamma, ...


def as_maps_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return height, width and channels in which an output of this shape is shown, without the batch.

    Rows of features are one map; a vector is a single row; what has more than three axes has the last ones as channels.
    """
    if len(shape) < 2:
        return 1, math.prod(shape), 1
    return shape[0], shape[1], math.prod(shape[2:])


class PoolingMode(StrEnum):
    """The value that a pooling layer keeps of each window."""

    MAX = "max"
    AVERAGE = "average"
    MIN = "min"


def unused_name(wanted: str, taken: Iterable[str]) -> str:
    """Return this name, with as many underscores behind it as make it differ from all others."""
    others = set(taken)
    while wanted in others:
        wanted += "_"
    return wanted


def shared_mode(modes: Iterable[PoolingMode | None]) -> PoolingMode | None:
    """Return the one mode among these, None for a layer that does not pool; None where they differ."""
    found = {mode for mode in modes if mode is not None}
    return found.pop() if len(found) == 1 else None
