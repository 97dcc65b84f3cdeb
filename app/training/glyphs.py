"""Strokes that are no digits: letters, invented signs, scribbles, shapes, and digits that were taken apart."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.random import Generator

from ..imaging.labelled import labelled_drawings
from .pen import PenDigit, StrokePoints
from .rendering import centre, vary

Strokes = list[StrokePoints]  # x to the right and y down, in any unit

LIKE_DIGITS = frozenset("BDGIOQSZbgloqsz")  # letters that many a hand writes as a digit
LETTERS = "".join(
    letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if letter not in LIKE_DIGITS
)

# Digits that are none when they are mirrored, when they are upside down, and when they lie. A mirrored 2 may be a 5.
_MIRRORED, _OVERTURNED, _LYING = (3, 4, 6, 7, 9), (4, 7), (2, 3, 4, 5, 7)


@cache
def _letter_strokes() -> tuple[tuple[StrokePoints, ...], ...]:
    drawings = labelled_drawings(LETTERS)
    return tuple(tuple(np.array(stroke, np.float64) for stroke in each.strokes) for each in drawings)


def letter(rng: Generator) -> Strokes:
    """Return a letter that no digit looks like, with other proportions each time."""
    letters = _letter_strokes()
    strokes = [_refine(stroke) for stroke in letters[int(rng.integers(len(letters)))]]
    return vary(strokes, rng)


def invented_sign(rng: Generator) -> Strokes:
    """Return two to four strokes, lines, arcs and hooks, placed at random as a letter's strokes are."""
    strokes = []
    for _ in range(int(rng.integers(2, 5))):
        start, end = rng.integers(0, 4, size=(2, 2)) / 3
        if np.array_equal(start, end):
            strokes.append(_ring(start, rng))
        else:
            strokes.append(_bent(start, end, rng.choice([0.0, rng.normal(0, 0.35)])))
    return [stroke + rng.normal(0, 0.02, 2) for stroke in strokes]


def polyline(rng: Generator) -> Strokes:
    """Return one stroke of straight or curved parts between three to eight random points."""
    points = rng.uniform(size=(int(rng.integers(3, 9)), 2))
    return [_smooth(points) if rng.uniform() < 0.5 else _refine(points)]


def scribble(rng: Generator) -> Strokes:
    """Return a long stroke to and fro: a random walk, a zigzag, a spiral, loops, or hatching."""
    return _SCRIBBLES[int(rng.integers(len(_SCRIBBLES)))](rng)


def _walk(rng: Generator) -> Strokes:
    turns = np.cumsum(rng.normal(0, rng.uniform(0.2, 0.8), size=int(rng.integers(40, 160))))
    return [np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1), axis=0)]


def _zigzag(rng: Generator) -> Strokes:
    count = int(rng.integers(4, 13))
    along, across = np.linspace(0, 1, count), np.arange(count) % 2 * rng.uniform(0.2, 1.2)
    return [_turn(_refine(np.stack([along, across + rng.normal(0, 0.05, count)], axis=1)), rng)]


def _spiral(rng: Generator) -> Strokes:
    angle = np.linspace(0, 2 * np.pi * rng.uniform(1.6, 4), 120)
    radius = angle ** rng.uniform(0.7, 1.3)
    return [np.stack([radius * np.cos(angle), rng.uniform(0.6, 1) * radius * np.sin(angle)], axis=1)]


def _loops(rng: Generator) -> Strokes:
    angle = np.linspace(0, 2 * np.pi * rng.uniform(2, 5), 160)
    return [_turn(np.stack([angle * rng.uniform(0.05, 0.3) + np.cos(angle), np.sin(angle)], axis=1), rng)]


def _hatching(rng: Generator) -> Strokes:
    places = np.linspace(0, 1, int(rng.integers(3, 8)))
    lines = [np.array([[place, 0.0], [place + rng.normal(0, 0.05), 1.0]]) for place in places]
    crossed = lines + [line[:, ::-1] for line in lines] if rng.uniform() < 0.5 else lines
    angle = rng.uniform(0, np.pi)
    return [_refine(line) @ _rotation(angle) for line in crossed]


_SCRIBBLES: tuple[Callable[[Generator], Strokes], ...] = (_walk, _zigzag, _spiral, _loops, _hatching)


def shape(rng: Generator) -> Strokes:
    """Return a polygon, a star, a cross, an arrow, a wave, a tick, a ring with something in it, or lines that lie."""
    return _SHAPES[int(rng.integers(len(_SHAPES)))](rng)


def _polygon(rng: Generator) -> Strokes:
    corners = int(rng.integers(3, 7))
    return [_turn(_refine(_corners(corners, 1) * (1, rng.uniform(0.6, 1))), rng)]


def _star(rng: Generator) -> Strokes:
    rays = int(rng.integers(4, 8))
    outline = _corners(2 * rays, 1)
    outline[1::2] *= rng.uniform(0.3, 0.6)
    if rng.uniform() < 0.5:
        return [_turn(_refine(outline), rng)]
    return [_turn(_refine(np.array([-ray, ray])), rng, 0.1) for ray in _corners(2 * rays, 1)[:rays]]


def _cross(rng: Generator) -> Strokes:
    bar, stem = np.array([[-1.0, 0], [1, 0]]), np.array([[0.0, -1], [0, 1]])
    angle = rng.choice([0, np.pi / 4]) + rng.normal(0, 0.1)
    lengths = rng.uniform(0.7, 1, 2)
    return [_refine(each * length) @ _rotation(angle) for each, length in zip((bar, stem), lengths, strict=True)]


def _arrow(rng: Generator) -> Strokes:
    head = rng.uniform(0.3, 0.6)
    tip = np.array([[1 - head, -head], [1, 0], [1 - head, head]])
    angle = rng.uniform(0, 2 * np.pi)
    return [_refine(each) @ _rotation(angle) for each in (np.array([[-1.0, 0], [1, 0]]), tip)]


def _wave(rng: Generator) -> Strokes:
    along = np.linspace(0, 1, 80)
    wave = np.sin(along * 2 * np.pi * rng.uniform(1.5, 4)) * rng.uniform(0.1, 0.35)
    return [np.stack([along, wave], axis=1) @ _rotation(rng.normal(0, 0.3))]


def _tick(rng: Generator) -> Strokes:
    return [_refine(np.array([[0, 0.6], [rng.uniform(0.2, 0.4), 1], [1, rng.uniform(0, 0.3)]]))]


def _rings(rng: Generator) -> Strokes:
    outer, size = _circle(1), rng.uniform(0.3, 0.65)
    if rng.uniform() < 0.5:
        return [outer, _circle(size) + rng.normal(0, 0.08, 2)]
    inside = [np.array([place, place]) for place in rng.uniform(-0.5, 0.5, (int(rng.integers(1, 4)), 2))]
    arc = _bent(np.array([-size, 0.2]), np.array([size, 0.2]), rng.normal(0, 0.3))
    return [outer, *inside, arc] if rng.uniform() < 0.7 else [outer, *inside]


def _lying(rng: Generator) -> Strokes:
    lines = int(rng.integers(1, 4))
    angle = rng.normal(0, 0.25)
    return [
        _bent(np.array([0, y]), np.array([1, y]), rng.normal(0, 0.05)) @ _rotation(angle) for y in np.arange(lines) / 3
    ]


_SHAPES: tuple[Callable[[Generator], Strokes], ...] = (_polygon, _star, _cross, _arrow, _wave, _tick, _rings, _lying)


def several(digits: Sequence[PenDigit], rng: Generator) -> Strokes:
    """Return two or three digits that touch or overlap, side by side or one above the other."""
    count = int(rng.choice([2, 2, 3]))
    axis = int(rng.uniform() < 0.15)
    placed: Strokes = []
    edge = 0.0
    for digit in (digits[int(number)] for number in rng.integers(len(digits), size=count)):
        own = centre(vary(digit.strokes, rng), rng.uniform(0.8, 1))
        low, high = (edge_of(own, axis) for edge_of in (_low, _high))
        shift = np.zeros(2)
        shift[axis] = edge - low
        placed += [stroke + shift for stroke in own]
        edge += high - low + rng.uniform(-0.25, 0.12)
    return placed


def _low(strokes: Strokes, axis: int) -> float:
    return float(min(stroke[:, axis].min() for stroke in strokes))


def _high(strokes: Strokes, axis: int) -> float:
    return float(max(stroke[:, axis].max() for stroke in strokes))


def overlaid(digits: Sequence[PenDigit], rng: Generator) -> Strokes:
    """Return two different digits that are written over each other."""
    first, second = (digits[int(number)] for number in rng.integers(len(digits), size=2))
    moved = [stroke + rng.normal(0, 0.1, 2) for stroke in centre(second.strokes, 1)]
    if first.label == second.label or 1 in (first.label, second.label):  # a 1 in a 0 is a slashed zero
        return invented_sign(rng)
    return [*centre(first.strokes, 1), *moved]


def mirrored(digits: Sequence[PenDigit], rng: Generator) -> Strokes:
    """Return a digit mirrored, upside down or lying, of which each would be none."""
    kind = rng.uniform()
    labels = _MIRRORED if kind < 0.5 else _OVERTURNED if kind < 0.7 else _LYING
    strokes = vary(_pick(digits, labels, rng).strokes, rng)
    if kind < 0.5:
        return [stroke * (-1, 1) for stroke in strokes]
    if kind < 0.7:
        return [stroke * (1, -1) for stroke in strokes]
    return [stroke @ _rotation(rng.choice([-1, 1]) * rng.normal(np.pi / 2, 0.15)) for stroke in strokes]


def _pick(digits: Sequence[PenDigit], labels: Sequence[int], rng: Generator) -> PenDigit:
    while True:
        digit = digits[int(rng.integers(len(digits)))]
        if digit.label in labels:
            return digit


def joined_halves(digits: Sequence[PenDigit], rng: Generator) -> Strokes:
    """Return the first half of a digit's strokes with the second half of another's, moved to where the first ends."""
    first, second = (centre(digits[int(number)].strokes, 1) for number in rng.integers(len(digits), size=2))
    head, tail = _cut(first, rng.uniform(0.3, 0.7))[0], _cut(second, rng.uniform(0.3, 0.7))[1]
    angle = rng.uniform(0, 2 * np.pi)
    tail = [(stroke - 0.5) @ _rotation(angle) + 0.5 for stroke in tail]
    return [*head, *(stroke + head[-1][-1] - tail[0][0] for stroke in tail)]


def _cut(strokes: Sequence[StrokePoints], share: float) -> tuple[Strokes, Strokes]:
    """Cut strokes in two after this share of their points."""
    left = max(1, round(sum(map(len, strokes)) * share))
    head: Strokes = []
    tail: Strokes = []
    for stroke in strokes:
        here = min(left, len(stroke))
        head += [stroke[:here]] if here else []
        tail += [stroke[here:]] if here < len(stroke) else []
        left -= here
    return head, tail or [strokes[-1][-1:]]


def _rotation(angle: float) -> StrokePoints:
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _turn(stroke: StrokePoints, rng: Generator, most: float = np.pi) -> StrokePoints:
    return stroke @ _rotation(rng.uniform(-most, most))


def _corners(count: int, radius: float) -> StrokePoints:
    """Return the corners of a polygon, the first one again at the end."""
    angles = np.linspace(0, 2 * np.pi, count + 1)
    return radius * np.stack([np.sin(angles), -np.cos(angles)], axis=1)


def _circle(radius: float) -> StrokePoints:
    return _corners(40, radius)


def _ring(middle: StrokePoints, rng: Generator) -> StrokePoints:
    """Return an ellipse, or a part of one."""
    whole = _circle(rng.uniform(0.1, 0.35)) * (1, rng.uniform(0.5, 1.5))
    return middle + whole[: int(rng.integers(20, 41))]


def _bent(start: StrokePoints, end: StrokePoints, bend: float) -> StrokePoints:
    """Return an arc between two points, bent sideways by this share of its length."""
    along = np.linspace(0, 1, 24)[:, None]
    across = np.array([start[1] - end[1], end[0] - start[0]])
    return np.asarray(start + (end - start) * along + across * bend * 4 * along * (1 - along))


def _refine(points: StrokePoints, step: int = 12) -> StrokePoints:
    """Return a polyline with more points on its straight parts, so that it can be bent."""
    if len(points) == 1:
        return points
    places = np.linspace(0, len(points) - 1, (len(points) - 1) * step + 1)
    return np.stack([np.interp(places, np.arange(len(points)), points[:, axis]) for axis in (0, 1)], axis=1)


def _smooth(points: StrokePoints) -> StrokePoints:
    """Return a curve that points pull at: Chaikin's corner cutting."""
    for _ in range(4):
        first, second = points[:-1], points[1:]
        cut = np.stack([first * 0.75 + second * 0.25, first * 0.25 + second * 0.75], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return points
