"""Several digits in one picture, side by side."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .components import Components, find_components
from .drawing import Box

_SIDE = 280  # pixels of the ink in which digits are told apart
_INK = 24  # levels, of 255: as low that hairlines hang together
_GAP = 0.03  # between digits, of the tallest one's height
_ALIKE = 0.65  # of its rows, those that all digits share
_OVERLAP, _ALIGNED = 0.1, 0.9  # the same of slanted digits whose boxes overlap
_SPECK = 0.2  # of its height, what is too small to be a digit, or to make it doubtful
_WIDE = 0.9  # the width of the ink of several digits without a column between them, of its height
_MOST_SLANT = 0.7
_MOST = 20  # digits; of more, the ink is a pattern


class Digit(NamedTuple):
    """One of several digits: where it is in the ink, and its own ink in a picture of that box."""

    box: Box
    ink: Image.Image


def find_digits(ink: Image.Image) -> list[Digit]:
    """Tell digits that are side by side apart, from left to right. Fewer than two are none: the ink is one digit.

    ink: a picture in mode L, 0 is paper. Of doubtful ink, such as a digit whose strokes lie apart, none is found.
    """
    factor = -(-max(ink.size) // _SIDE)
    small = ink.reduce(factor) if factor > 1 else ink
    if not _may_be_several(small):
        return []
    mask = np.asarray(small) > _INK
    strokes = find_components(mask)
    if not len(strokes):  # a texture
        return []
    groups = _group(strokes)
    return [_cut_out(ink, strokes, groups == number, factor) for number in range(int(groups.max()) + 1)]


def _may_be_several(ink: Image.Image) -> bool:
    """Return whether it is worth looking closer, which takes ten times as long."""
    mask = np.asarray(ink.crop(ink.getbbox())) > _INK
    columns, rows = (np.flatnonzero(mask.any(axis)) for axis in (0, 1))
    if not len(columns):
        return False
    width, height = columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]
    return bool(width > len(columns) or width > _WIDE * height)


def _group(strokes: Components) -> NDArray[np.int64]:
    """Return the number of each stroke's digit, from left to right, and -1 for specks; all -1 for fewer than two."""
    tallest = int(strokes.height.max())
    heavy = np.flatnonzero(strokes.side > _SPECK * tallest)
    groups = np.full(len(strokes), -1)
    edges, upright = (strokes.left[heavy], strokes.right[heavy]), _straighten(strokes, heavy)
    for (left, right), gap, alike in ((edges, _GAP, _ALIKE), (upright, _GAP, _ALIKE), (edges, -_OVERLAP, _ALIGNED)):
        groups[heavy] = _number(left, right, gap * tallest)
        if 0 < groups.max() < _MOST and _are_alike(strokes, groups, alike):
            return groups
    return np.full(len(strokes), -1)


def _number(left: NDArray[Any], right: NDArray[Any], gap: float) -> NDArray[np.int64]:
    """Number strokes from left to right, with one number for those that no gap divides."""
    order = np.argsort(left)
    reach = np.maximum.accumulate(right[order])
    numbers = np.zeros(len(left), np.int64)
    numbers[order[1:]] = np.cumsum(left[order[1:]] > reach[:-1] + gap)
    return numbers


def _are_alike(strokes: Components, groups: NDArray[np.int64], alike: float) -> bool:
    """Return whether groups of strokes have such a share of their rows in common, as digits on one line do."""
    members = [groups == number for number in range(int(groups.max()) + 1)]
    tops = np.array([strokes.top[each].min() for each in members])
    bottoms = np.array([strokes.bottom[each].max() for each in members])
    return bool(bottoms.min() - tops.max() >= alike * (bottoms - tops).max())


def _straighten(strokes: Components, heavy: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the left and right of these strokes, if they stood upright instead of slanted."""
    rows, columns = np.nonzero(strokes.labels >= 0)
    names = strokes.labels[rows, columns]
    places = np.full(len(strokes), -1)
    places[heavy] = np.arange(len(heavy))
    names, count = places[names], len(heavy)
    rows, columns, names = rows[names >= 0], columns[names >= 0], names[names >= 0]
    area = np.bincount(names, minlength=count)
    down = rows - (np.bincount(names, rows, count) / area)[names]
    across = columns - (np.bincount(names, columns, count) / area)[names]
    slant = float(np.clip((down * across).sum() / max(1e-6, (down**2).sum()), -_MOST_SLANT, _MOST_SLANT))
    upright = columns - slant * rows
    left, right = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(left, names, upright)
    np.maximum.at(right, names, upright)
    return left, right


def _cut_out(ink: Image.Image, strokes: Components, own: NDArray[np.bool_], factor: int) -> Digit:
    """Cut a digit out of the ink, without what else is in its box."""
    left, top = (max(0, int(edge[own].min()) - 1) * factor for edge in (strokes.left, strokes.top))
    right = min(ink.width, (int(strokes.right[own].max()) + 1) * factor)
    bottom = min(ink.height, (int(strokes.bottom[own].max()) + 1) * factor)
    box = Box(left, top, right, bottom)
    others = strokes.mask(~own).repeat(factor, axis=0).repeat(factor, axis=1)[top:bottom, left:right]
    return Digit(box, Image.fromarray(np.where(others, 0, np.asarray(ink.crop(box))).astype(np.uint8)))
