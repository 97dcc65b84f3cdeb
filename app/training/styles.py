"""Ways of writing a digit that the data's few writers hardly have, made from the strokes that they wrote.

Each style takes one digit's strokes, x to the right and y DOWN, and returns other strokes of the same digit.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from .pen import StrokePoints

Strokes = list[StrokePoints]
Write = Callable[[Strokes, Generator], Strokes]


class Style(NamedTuple):
    """How often a digit is written in this way, and how."""

    share: float
    write: Write


def restyle(label: int, strokes: Sequence[StrokePoints], rng: Generator) -> Strokes:
    """Write a digit in at most one of its styles, drawn by their shares. A style that does not fit changes nothing."""
    chance = rng.uniform()
    for style in STYLES.get(label, ()):
        if chance < style.share:
            return style.write(list(strokes), rng)
        chance -= style.share
    return list(strokes)


class _Box(NamedTuple):
    """The box around some strokes."""

    low: StrokePoints
    high: StrokePoints

    @property
    def size(self) -> StrokePoints:
        return self.high - self.low

    @property
    def longer(self) -> float:
        return float(self.size.max())


def _box(strokes: Sequence[StrokePoints]) -> _Box:
    points = np.concatenate(strokes)
    return _Box(points.min(axis=0), points.max(axis=0))


def _line(start: StrokePoints, end: StrokePoints, bend: float = 0.0) -> StrokePoints:
    """Return a line of twelve points, bent sideways by this share of its length."""
    along = np.linspace(0, 1, 12)[:, None]
    across = np.array([start[1] - end[1], end[0] - start[0]])
    return start + (end - start) * along + across * bend * 4 * along * (1 - along)


def cross_zero(strokes: Strokes, rng: Generator) -> Strokes:
    """Draw a line through a zero: most often a rising slash, at times a falling, level or upright line."""
    if len(strokes) > 1:
        return strokes
    box = _box(strokes)
    angles = (rng.uniform(25, 75), rng.uniform(-75, -25), rng.normal(0, 8), rng.normal(90, 8))
    degrees = rng.choice(angles, p=_ANGLES)
    direction = np.array([np.cos(np.radians(degrees)), -np.sin(np.radians(degrees))])
    # From the middle to the box's edge along the line; a ring is reached a little earlier.
    reach = float((box.size / 2 / np.maximum(np.abs(direction), 1e-6)).min())
    ends = reach * rng.uniform(0.5, 1.5, size=2 if rng.uniform() < 0.5 else 1)  # each by itself, or alike
    middle = (box.low + box.high) / 2 + box.size * rng.normal(0, 0.05, size=2)
    line = _line(middle - direction * ends[0], middle + direction * ends[-1], rng.normal(0, 0.04))
    return [*strokes, line]


_ANGLES = (0.43, 0.2, 0.22, 0.15)  # how often a line rises, falls, lies or stands


def dot_zero(strokes: Strokes, rng: Generator) -> Strokes:
    """Set a dot or a very short line into a zero."""
    if len(strokes) > 1:
        return strokes
    box = _box(strokes)
    middle = (box.low + box.high) / 2 + box.size * rng.normal(0, 0.04, size=2)
    half = box.size * rng.uniform(-0.12, 0.12, size=2)
    return [*strokes, _line(middle - half, middle + half)]


def open_zero(strokes: Strokes, rng: Generator) -> Strokes:
    """Stop before the ring is closed."""
    (ring, *others) = strokes
    cut = round(len(ring) * rng.uniform(0.03, 0.14))
    return [ring[cut:] if rng.uniform() < 0.5 else ring[: len(ring) - cut], *others]


def write_one(strokes: Strokes, rng: Generator) -> Strokes:
    """Keep the stem of a one, and give it an upstroke, a foot, both or neither."""
    stem = max(strokes, key=len)
    stem = stem[stem[:, 1].argmin() :]
    stem = stem[: stem[:, 1].argmax() + 1]
    height = float(np.ptp(stem[:, 1]))
    if len(stem) < 3 or height == 0:
        return strokes
    has_upstroke = rng.uniform() < 0.65
    if has_upstroke:
        length = height * rng.choice([rng.uniform(0.15, 0.4), rng.uniform(0.4, 0.95)])
        angle = np.radians(rng.uniform(15, 70))  # below the level
        start = stem[0] + length * np.array([-np.cos(angle), np.sin(angle)])
        stem = np.concatenate([_line(start, stem[0], rng.normal(0, 0.08)), stem])
    if rng.uniform() < (0.6 if has_upstroke else 0.4):
        return [stem, _foot(stem[-1], height, rng)]
    return [stem]


def _foot(lowest: StrokePoints, height: float, rng: Generator) -> StrokePoints:
    """Return a line under a stem, level or nearly, at times a little off it."""
    left, right = height * rng.uniform(0.12, 0.42, size=2)
    rise = rng.normal(0, 0.07)
    middle = lowest + height * rng.normal(0, 0.03, size=2)
    return _line(middle + left * np.array([-1, rise]), middle + right * np.array([1, -rise]), rng.normal(0, 0.05))


def open_four(strokes: Strokes, rng: Generator) -> Strokes:
    """Turn, shorten or lengthen the left arm of a four in two strokes, and move its stem."""
    size = _box(strokes).longer
    if len(strokes) != 2 or np.ptp(strokes[1][:, 1]) < 0.4 * size:  # the stem is the second stroke, and not short
        return strokes
    angle, stem = strokes
    corner = int((angle[:, 1] - angle[:, 0]).argmax())
    arm, bar = angle[:corner] - angle[corner], angle[corner:] - angle[corner]
    turn = rng.uniform(-0.45, 0.3)  # to the left is negative
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    arm = arm * (rng.uniform(0.6, 1.2), rng.uniform(0.5, 1.15)) @ rotation
    bar = bar * (rng.uniform(0.85, 1.4), rng.uniform(0.7, 1.2))
    move = size * rng.uniform((-0.06, -0.1), (0.12, 0.16))
    return [np.concatenate([arm, bar]) + angle[corner], stem + move]


def detach_top(strokes: Strokes, rng: Generator) -> Strokes:
    """Move the top of a five in two strokes away from its body, and change its length."""
    if len(strokes) != 2:
        return strokes
    top, body = sorted(strokes, key=lambda stroke: float(stroke[:, 1].mean()))
    size = _box(strokes).longer
    left = top[top[:, 0].argmin()]
    move = size * rng.uniform((-0.05, -0.2), (0.28, 0.08))
    return [left + (top - left) * (rng.uniform(0.6, 1.4), rng.uniform(0.5, 1.2)) + move, body]


def join_top(strokes: Strokes, rng: Generator) -> Strokes:
    """Write a five in one stroke: its top from right to left, then its body."""
    if len(strokes) != 2:
        return strokes
    top, body = sorted(strokes, key=lambda stroke: float(stroke[:, 1].mean()))
    leftward = top if top[0, 0] > top[-1, 0] else top[::-1]
    return [np.concatenate([leftward + (body[0] - leftward[-1]) * rng.uniform(0.6, 1.0), body])]


def shrink_loop(strokes: Strokes, rng: Generator) -> Strokes:
    """Make the loop of a six narrower and lower; a broad pen then fills it."""
    path = strokes[0]
    bottom = int(path[:, 1].argmax())
    down, loop = path[: bottom + 1], path[bottom + 1 :]
    if len(strokes) > 1 or len(loop) < 3 or len(down) < 3:
        return strokes
    narrow, low = rng.uniform(0.12, 0.8), rng.uniform(0.45, 1.0)
    order = down[:, 1].argsort()
    stem = np.interp(loop[:, 1], down[order, 1], down[order, 0])
    lowered = path[bottom, 1] + (loop[:, 1] - path[bottom, 1]) * low
    lowered_stem = np.interp(lowered, down[order, 1], down[order, 0])
    loop = np.stack([lowered_stem + (loop[:, 0] - stem) * narrow, lowered], axis=1)
    return [np.concatenate([down, loop])]


def bend_tail(strokes: Strokes, rng: Generator) -> Strokes:
    """Bend the tail of a nine to the left, or straighten it; at times it curls up again."""
    path = strokes[0]
    half = len(path) // 2
    top = half + int(path[half:, 1].argmin())  # where the loop is closed and the tail begins
    tail = path[top:]
    drop = float(tail[-1, 1] - tail[0, 1])
    if len(strokes) > 1 or len(tail) < 4 or drop < 0.3 * _box(strokes).longer:
        return strokes
    along = np.cumsum(np.linalg.norm(np.diff(tail, axis=0, prepend=tail[:1]), axis=1))[:, None]
    along = along / along[-1]  # from 0 where the tail begins to 1 where it ends
    straight = tail[0] + along * drop * (rng.normal(0, 0.15), rng.uniform(1.0, 1.3))
    tail = tail + (straight - tail) * rng.uniform()
    tail = tail + along * drop * (0.0, rng.uniform(0, 0.4))
    tail = tail - along ** rng.uniform(1.5, 4) * drop * (rng.uniform(-0.1, 0.6), 0.0)
    if rng.uniform() < 0.35:
        tail = np.concatenate([tail, _curl(tail[-1], drop, rng)])
    return [np.concatenate([path[:top], tail])]


def _curl(start: StrokePoints, drop: float, rng: Generator) -> StrokePoints:
    """Return an arc that goes left from the end of a tail, and up."""
    radius = drop * rng.uniform(0.15, 0.4)
    angles = np.linspace(0, np.radians(rng.uniform(60, 150)), 10)
    return start + radius * np.stack([np.cos(angles) - 1, rng.uniform(0.5, 1) * np.sin(angles)], axis=1)


def bar_seven(strokes: Strokes, rng: Generator) -> Strokes:
    """Draw a line across the stem of a seven without one, somewhere about half way down."""
    if len(strokes) > 1:
        return strokes
    box = _box(strokes)
    middle = box.low + box.size * (rng.uniform(0.4, 0.65), rng.uniform(0.35, 0.65))
    reach = box.longer * rng.uniform(0.12, 0.32)
    half = np.array([reach, reach * rng.uniform(-0.4, 0.3)])
    return [*strokes, _line(middle - half, middle + half, rng.normal(0, 0.05))]


def unbar_seven(strokes: Strokes, rng: Generator) -> Strokes:
    """Leave the bar of a seven out, and begin some with a short line down."""
    body = strokes[0]
    if rng.uniform() < 0.5:
        return [body]
    size = _box([body]).longer
    serif = body[0] + size * np.array([rng.uniform(-0.06, 0.04), rng.uniform(0.08, 0.3)])
    return [np.concatenate([_line(serif, body[0]), body])]


def join_bar(strokes: Strokes, rng: Generator) -> Strokes:
    """Write a seven with its bar in one stroke: from the foot of the stem the pen turns back to the bar."""
    body, bar = (bar_seven(strokes, rng) if len(strokes) == 1 else strokes)[:2]
    size = _box(strokes).longer
    bar = (bar if bar[0, 0] < bar[-1, 0] else bar[::-1]) + size * rng.uniform((-0.05, -0.05), (0.08, 0.12))
    start, end = body[-1], bar[0]
    control = (start + end) / 2 + size * rng.uniform((-0.25, -0.1), (0.02, 0.1))
    along = np.linspace(0, 1, 10)[1:, None]
    bridge = start * (1 - along) ** 2 + control * 2 * along * (1 - along) + end * along**2
    return [np.concatenate([body, bridge, bar])]


STYLES: dict[int, tuple[Style, ...]] = {
    0: (Style(0.22, cross_zero), Style(0.03, dot_zero), Style(0.06, open_zero)),
    1: (Style(0.3, write_one),),
    4: (Style(0.25, open_four),),
    5: (Style(0.15, detach_top), Style(0.05, join_top)),
    6: (Style(0.25, shrink_loop),),
    7: (Style(0.1, bar_seven), Style(0.12, join_bar), Style(0.12, unbar_seven)),
    9: (Style(0.25, bend_tail),),
}
