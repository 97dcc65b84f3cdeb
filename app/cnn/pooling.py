"""The three pooling modes."""

from collections.abc import Iterable
from enum import StrEnum


class PoolingMode(StrEnum):
    """The value that a pooling layer keeps of each window."""

    MAX = "max"
    AVERAGE = "average"
    MIN = "min"


def shared_mode(modes: Iterable[PoolingMode | None]) -> PoolingMode | None:
    """Return the one mode among these, None for a layer that does not pool; None where they differ."""
    found = {mode for mode in modes if mode is not None}
    return found.pop() if len(found) == 1 else None
