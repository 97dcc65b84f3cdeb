"""The three pooling modes, and the layers that pool."""

from collections.abc import Iterable
from enum import StrEnum


class PoolingMode(StrEnum):
    """What a pooling layer keeps of each window."""

    MAX = "max"
    AVERAGE = "average"
    MIN = "min"


_NAMES = {PoolingMode.MAX: "Max", PoolingMode.AVERAGE: "Average", PoolingMode.MIN: "Min"}
# By mode, the class of the layers that pool windows, and of those that pool whole feature maps.
WINDOW_POOLING = {mode: f"{name}Pooling2D" for mode, name in _NAMES.items()}
GLOBAL_POOLING = {mode: f"Global{name}Pooling2D" for mode, name in _NAMES.items()}
_MODES = {kind: mode for family in (WINDOW_POOLING, GLOBAL_POOLING) for mode, kind in family.items()}


def pooling_mode(kind: str) -> PoolingMode | None:
    """The mode of a class of pooling layers; None for one that does not pool."""
    return _MODES.get(kind)


def shared_mode(modes: Iterable[PoolingMode | None]) -> PoolingMode | None:
    """The mode of a network whose layers have these, None for one that does not pool; None where they differ."""
    found = {mode for mode in modes if mode is not None}
    return found.pop() if len(found) == 1 else None
