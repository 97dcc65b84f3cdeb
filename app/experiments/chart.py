"""What a chart shows: series of points with their standard errors. How it is drawn is the page's concern."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Point(NamedTuple):
    """One measured value."""

    x: float
    y: float | None  # None where nothing was measured
    error: float = 0.0  # the standard error


@dataclass(frozen=True)
class Series:
    """Points of one kind, in the order of their x."""

    name: str
    points: tuple[Point, ...]


class Kind(StrEnum):
    """The form in which series are drawn."""

    LINES = "lines"  # points joined in order: x is a quantity
    BARS = "bars"  # x counts categories, which `ticks` names


class Scale(StrEnum):
    """The axis of the measured values."""

    SHARE = "share"  # from 0 to 1, written in percent
    NUMBER = "number"  # from the least to the largest, zero included
    LOGARITHMIC = "logarithmic"  # a step for each power of ten


@dataclass(frozen=True)
class Panel:
    """One pair of axes. ticks: the places on the x axis that are named, in order."""

    series: tuple[Series, ...]
    ticks: tuple[tuple[float, str], ...]
    title: str = ""


@dataclass(frozen=True)
class Chart:
    """Panels side by side, whose axes have the same titles. A series of one name looks the same in all of them."""

    panels: tuple[Panel, ...]
    x_title: str
    y_title: str
    kind: Kind = Kind.LINES
    scale: Scale = Scale.SHARE


def number_ticks(values: Sequence[float]) -> tuple[tuple[float, str], ...]:
    """Name each of these whole numbers on the x axis."""
    return tuple((value, f"{value:g}") for value in values)
