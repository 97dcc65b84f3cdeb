"""Charts of experiments, laid out for SVG: where each line, bar and label stands."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from ...experiments.chart import Chart, Kind, Panel, Point, Scale
from ...experiments.words import listed
from ..formatting import MINUS

WIDTH, HEIGHT, _SLANTED_HEIGHT = 440, 280, 322
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 14, 14, 46
STYLES = 5  # of series: each with its colour, its mark and its line
_MARK = 4.2
_BAR_SHARE = 0.76  # of the place of a category
_MILLION = 1e6
_LETTER, _WIDEST = 8.5, 10.2  # pixels of a letter, about: on most screens, and on a phone
_LABELLED = 24  # pixels of a bar that has its value over it, at least


class Tick(NamedTuple):
    """A named place on an axis."""

    place: float
    label: str

    @property
    def label_x(self) -> float:
        """Where the middle of a name under the x axis is: so that it stays within the picture."""
        half = _WIDEST * len(self.label) / 2
        return round(min(max(self.place, half), WIDTH - half), 2)


class Mark(NamedTuple):
    """A measured point or bar."""

    x: float
    y: float
    path: str  # of the mark, or of the bar
    low: float  # ends of the standard error
    high: float
    words: str  # what a pointer that rests on it is told
    label: str  # over a bar, or under it; empty where there is no room
    label_y: float


@dataclass(frozen=True)
class Drawn:
    """A series in one panel."""

    name: str
    style: int
    line: str  # the path through its points; empty for bars
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class DrawnPanel:
    """One pair of axes."""

    title: str
    words: str  # what the picture shows, for who does not see it
    series: tuple[Drawn, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    is_slanted: bool  # the names on the x axis
    height: int
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM
    width: int = WIDTH


@dataclass(frozen=True)
class DrawnChart:
    """A chart with its legend."""

    x_title: str
    y_title: str
    is_bars: bool
    has_errors: bool
    panels: tuple[DrawnPanel, ...]
    legend: tuple[tuple[str, int, str], ...]  # name, style, and the mark's path about (16, 7)


class _Axis:
    """From measured values to heights in the picture, and the values that are named."""

    def __init__(self, chart: Chart) -> None:
        self._scale = chart.scale
        points = [point for panel in chart.panels for series in panel.series for point in series.points]
        known = [point for point in points if point.y is not None and math.isfinite(point.y)]
        lows = [(point.y or 0) - point.error for point in known] or [0.0]
        highs = [(point.y or 0) + point.error for point in known] or [1.0]
        match chart.scale:
            case Scale.LOGARITHMIC:
                first, last = math.floor(math.log10(max(min(lows), 1))), math.ceil(math.log10(max(*highs, 10)))
                self._ticks = [10.0**power for power in range(first, max(last, first + 1) + 1)]
            case Scale.SHARE:
                self._ticks = _steps(0 if chart.kind is Kind.BARS else max(0, min(lows)), 1)
            case Scale.NUMBER:
                self._ticks = _steps(min(0, *lows), max(0, *highs), from_zero=True)

    def place(self, value: float) -> float:
        """Return where a value is, from 0 at the bottom to 1 at the top; what is beyond stays at the edge."""
        low, high, value = self._ticks[0], self._ticks[-1], float(value)
        if self._scale is Scale.LOGARITHMIC:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, low))
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def height(self, value: float) -> float:
        """Return the y of a value in the picture."""
        return round(HEIGHT - _BOTTOM - self.place(value) * (HEIGHT - _TOP - _BOTTOM), 2)

    @property
    def base(self) -> float:
        """Where bars begin."""
        return self.height(max(0.0, self._ticks[0]))

    @property
    def ticks(self) -> tuple[Tick, ...]:
        return tuple(Tick(self.height(value), self._name(value)) for value in self._ticks)

    def _name(self, value: float) -> str:
        if self._scale is Scale.SHARE:
            return f"{100 * value:g} %"
        if self._scale is Scale.LOGARITHMIC:
            return f"{value:,.0f}" if value < _MILLION else f"{value / _MILLION:,.0f} M"
        return f"{value:g}".replace("-", MINUS)

    def words(self, point: Point) -> str:
        """Write a point's value with its standard error."""
        value = point.y or 0.0
        if self._scale is Scale.SHARE:
            error = f" ± {100 * point.error:.2f}" if point.error else ""
            return f"{100 * value:.2f}{error} %"
        return f"{value:,.0f}" if self._scale is Scale.LOGARITHMIC else f"{value:.2f}".replace("-", MINUS)

    def label(self, value: float) -> str:
        """Write a value for the little room over a bar."""
        return f"{100 * value:.1f}" if self._scale is Scale.SHARE else f"{value:.2f}".replace("-", MINUS)


def draw_chart(chart: Chart) -> DrawnChart:
    """Lay a chart out."""
    axis = _Axis(chart)
    names = list(dict.fromkeys(series.name for panel in chart.panels for series in panel.series))
    styles = {name: number % STYLES for number, name in enumerate(names)}
    points = [point for panel in chart.panels for series in panel.series for point in series.points]
    return DrawnChart(
        chart.x_title,
        chart.y_title,
        chart.kind is Kind.BARS,
        any(point.error for point in points),
        tuple(_draw_panel(chart, panel, axis, styles) for panel in chart.panels),
        tuple((name, style, _mark(style, 16, 7)) for name, style in styles.items()),
    )


def _draw_panel(chart: Chart, panel: Panel, axis: _Axis, styles: dict[str, int]) -> DrawnPanel:
    values = [value for value, _ in panel.ticks] + [point.x for series in panel.series for point in series.points]
    low, high = min(values), max(values)
    margin = 0.5 if chart.kind is Kind.BARS else 0.04 * (high - low) or 0.5
    low, high = low - margin, high + margin
    scale = (WIDTH - _LEFT - _RIGHT) / (high - low)

    def across(x: float) -> float:
        return round(_LEFT + (x - low) * scale, 2)

    drawn = []
    slot = _BAR_SHARE / len(panel.series)
    for number, series in enumerate(panel.series):
        shift = (number - (len(panel.series) - 1) / 2) * slot if chart.kind is Kind.BARS else 0.0
        style = styles[series.name]
        marks = []
        for point in series.points:
            if point.y is not None:
                words = f"{series.name}, {dict(panel.ticks).get(point.x, f'{point.x:g}')}: {axis.words(point)}"
                marks.append(_draw_mark(chart.kind, axis, point, across(point.x + shift), slot * scale, style, words))
        line = "M" + "L".join(f"{mark.x},{mark.y}" for mark in marks) if chart.kind is Kind.LINES else ""
        drawn.append(Drawn(series.name, style, line if len(marks) > 1 else "", tuple(marks)))
    ticks = [Tick(across(value), name) for value, name in panel.ticks]
    y = chart.y_title
    words = f"{y} by {chart.x_title.lower()}: {listed([each.name for each in panel.series])}."
    is_slanted = chart.kind is Kind.BARS and not all(_fit(*pair) for pair in pairwise(ticks))
    height = _SLANTED_HEIGHT if is_slanted else HEIGHT
    shown = ticks if is_slanted else _thin(ticks)
    return DrawnPanel(panel.title, words, tuple(drawn), tuple(shown), axis.ticks, is_slanted, height)


def _draw_mark(kind: Kind, axis: _Axis, point: Point, x: float, width: float, style: int, words: str) -> Mark:
    value = point.y or 0.0
    y = axis.height(value)
    path = _bar(x, y, axis.base, width) if kind is Kind.BARS else _mark(style, x, y)
    low, high = axis.height(value - point.error), axis.height(value + point.error)
    label = axis.label(value) if kind is Kind.BARS and width >= _LABELLED else ""
    return Mark(x, y, path, low, high, words, label, high - 5 if value >= 0 else low + 14)


def _bar(x: float, y: float, base: float, width: float) -> str:
    left, right = round(x - width * 0.44, 2), round(x + width * 0.44, 2)
    return f"M{left},{base}V{y}H{right}V{base}Z"


def _mark(style: int, x: float, y: float) -> str:
    """Return a path about this place: a disc, a square, a triangle, a diamond, or a cross."""
    size = _MARK
    corners = {
        1: [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
        2: [(0, -1.15), (1.1, 0.85), (-1.1, 0.85)],
        3: [(0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)],
    }
    if style == 0:
        return f"M{x - size:.2f},{y:.2f}a{size},{size} 0 1 0 {2 * size},0a{size},{size} 0 1 0 {-2 * size},0Z"
    if style == 4:
        left = f"{x - size:.2f}"
        return f"M{left},{y - size:.2f}l{2 * size},{2 * size}M{left},{y + size:.2f}l{2 * size},{-2 * size}"
    return "M" + "L".join(f"{x + size * right:.2f},{y + size * down:.2f}" for right, down in corners[style]) + "Z"


def _steps(low: float, high: float, from_zero: bool = False) -> list[float]:
    """Return round values that span a range, four to seven of them."""
    span = max(high - low, 1e-6)
    size = next(
        each for power in range(-8, 8) for each in (10.0**power, 2 * 10.0**power, 5 * 10.0**power) if span / each <= 6
    )
    if not from_zero:
        # Counted down from the top, which is a whole share.
        count = max(1, math.ceil((high - low) / size - 1e-9))
        return [round(max(0, high - number * size), 10) for number in range(count, -1, -1)]
    first, last = math.floor(low / size + 1e-9), math.ceil(high / size - 1e-9)
    return [round(number * size, 10) for number in range(first, max(last, first + 1) + 1)]


def _thin(ticks: Sequence[Tick]) -> list[Tick]:
    """Leave out names that would touch the one before; the last one stays."""
    kept: list[Tick] = []
    for tick in ticks:
        if tick is ticks[-1]:
            while kept and not _fit(kept[-1], tick):
                kept.pop()
        if not kept or _fit(kept[-1], tick):
            kept.append(tick)
    return kept


def _fit(left: Tick, right: Tick) -> bool:
    """Return whether two names under the x axis do not touch."""
    return right.place - left.place >= (_room(left) + _room(right)) / 2


def _room(tick: Tick) -> float:
    return _LETTER * len(tick.label) + 4
