"""Pictures that are no digits, to learn what a network does with them, placed as the app would place them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from ..datasets.digits import SIDE, Digits
from ..imaging.drawing import NothingDrawn
from ..imaging.ink import find_ink, normalise
from . import glyphs
from .pen import PenDigit
from .rendering import draw_glyph

Levels = NDArray[np.uint8]  # (28, 28), 0 is paper

_SHEET = 168  # pixels along each side of what a letter is printed on
_INK = 96  # levels: less leaves hardly anything to see


def draw_outliers(digits: Digits, pen_digits: Sequence[PenDigit], count: int, seed: int) -> Levels:
    """Draw so many pictures that show no digit, of all kinds in turn: (count, 28, 28).

    digits, pen_digits: training digits, which some of them are made of; without pen digits those kinds are left out.
    """
    rng = np.random.default_rng(seed)
    makers = _makers(digits, pen_digits)
    return np.stack([_draw_one(makers[number % len(makers)], rng) for number in range(count)])


_Make = Callable[[Generator], Levels]


def _draw_one(make: _Make, rng: Generator) -> Levels:
    while True:
        try:
            levels = make(rng)
        except NothingDrawn:
            continue
        if levels.max() >= _INK:
            return levels


def _makers(digits: Digits, pen_digits: Sequence[PenDigit]) -> list[_Make]:
    drawn = [glyphs.letter] * 6 + [glyphs.invented_sign] * 3 + [glyphs.polyline, glyphs.scribble, glyphs.shape] * 2
    if pen_digits:
        of_digits = [glyphs.several] * 3 + [glyphs.overlaid, glyphs.mirrored, glyphs.joined_halves]
        drawn += [partial(make, pen_digits) for make in of_digits]
    pixels = [partial(make, digits) for make in (side_by_side, quartered, half)]
    return [partial(_draw, make) for make in drawn] + pixels + [printed_letter] * 4 + [noise, noise, texture]


def _draw(make: Callable[[Generator], glyphs.Strokes], rng: Generator) -> Levels:
    return draw_glyph(make(rng), rng)


def printed_letter(rng: Generator) -> Levels:
    """Print a letter in Pillow's own font, slanted, turned, stretched, and thicker or thinner each time."""
    sheet = Image.new("L", (_SHEET, _SHEET), 0)
    middle = (_SHEET / 2, _SHEET / 2)
    letter = glyphs.LETTERS[int(rng.integers(len(glyphs.LETTERS)))]
    ImageDraw.Draw(sheet).text(middle, letter, 255, ImageFont.load_default(90), anchor="mm")
    change = rng.uniform()
    if change < 0.6:  # Aileron is neither a hairline nor bold
        grow = ImageFilter.MaxFilter if change < 0.35 else ImageFilter.MinFilter
        sheet = sheet.filter(grow(int(rng.choice([3, 5, 7]) if change < 0.35 else rng.choice([3, 5]))))
    slant, turn = rng.normal(0, 0.2), rng.normal(0, 0.12)
    width, height = np.exp(rng.normal(0, 0.18, 2))
    a, b = width * np.cos(turn), width * (np.sin(turn) + slant)
    c, d = -height * np.sin(turn), height * np.cos(turn)
    to_middle = (1 - a - b) * middle[0], (1 - c - d) * middle[1]
    affine = (a, b, to_middle[0], c, d, to_middle[1])
    sheet = sheet.transform(sheet.size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
    return normalise(find_ink(ImageChops.invert(sheet)))


def _place(levels: NDArray[np.generic]) -> Levels:
    """Scale and centre ink as the app does. Raises: NothingDrawn."""
    return normalise(find_ink(Image.fromarray(255 - np.pad(levels.astype(np.uint8), 2))))


def _some(digits: Digits, count: int, rng: Generator) -> NDArray[np.uint8]:
    return digits.images[rng.integers(len(digits), size=count)]


def side_by_side(digits: Digits, rng: Generator) -> Levels:
    """Put two digits of MNIST beside each other, or one above the other, so close that they touch."""
    first, second = (each[_inked(each)] for each in _some(digits, 2, rng))
    if rng.uniform() < 0.2:
        first, second = first.T, second.T
        return _place(_join(first, second, rng).T)
    return _place(_join(first, second, rng))


def _inked(levels: Levels) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(levels.max(axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _join(first: Levels, second: Levels, rng: Generator) -> Levels:
    overlap = min(int(rng.integers(-1, 5)), first.shape[1] // 2, second.shape[1] // 2)
    height, width = max(len(first), len(second)), first.shape[1] + second.shape[1] - overlap
    joined = np.zeros((height, width), np.uint8)
    for levels, left in ((first, 0), (second, width - second.shape[1])):
        top = (height - len(levels)) // 2
        part = joined[top : top + len(levels), left : left + levels.shape[1]]
        np.maximum(part, levels, out=part)
    return joined


def quartered(digits: Digits, rng: Generator) -> Levels:
    """Put the quarters of up to four digits together in another order."""
    half = SIDE // 2
    four = _some(digits, 4, rng)
    rows, columns = rng.integers(2, size=(2, 4))
    if rng.uniform() < 0.5:  # one digit's own
        four, order = four[[0] * 4], rng.permutation(4)
        rows, columns = order // 2, order % 2
        if np.array_equal(order, range(4)):
            rows, columns = rows[::-1], columns[::-1]
    corners = zip(four, rows * half, columns * half, strict=True)
    parts = [each[row : row + half, column : column + half] for each, row, column in corners]
    return _place(np.block([parts[:2], parts[2:]]))


def half(digits: Digits, rng: Generator) -> Levels:
    """Keep a digit's left, right, upper or lower part, of digits that are none then."""
    while True:
        chosen = int(rng.integers(len(digits)))
        if digits.labels[chosen] in (3, 4, 5):
            break
    levels = digits.images[chosen]
    kept = levels.copy()
    np.rot90(kept, int(rng.integers(4)))[: int(rng.integers(12, 16))] = 0  # a view: one of the four sides
    return _place(kept)


def noise(rng: Generator) -> Levels:
    """Return random levels: each pixel by itself or in blobs, on all of the input or placed as ink is."""
    kind = rng.integers(5)
    levels: NDArray[np.floating[Any]]
    if kind == 0:
        levels = rng.uniform(0, 255, (SIDE, SIDE)) * rng.uniform(0.4, 1)
    elif kind == 1:
        levels = np.clip(rng.normal(rng.uniform(0, 128), rng.uniform(30, 128), (SIDE, SIDE)), 0, 255)
    elif kind == 2:
        levels = (rng.uniform(size=(SIDE, SIDE)) < rng.uniform(0.03, 0.5)) * 255.0
    else:
        levels = _blobs(rng)
    whole = levels.astype(np.uint8)
    if rng.uniform() < 0.5:
        return whole
    side = int(rng.choice([14, 20, 28]))
    return _place(whole[:side, :side])


def _blobs(rng: Generator) -> NDArray[np.float64]:
    coarse = rng.uniform(0, 255, (int(rng.integers(4, 15)),) * 2).astype(np.float32)
    levels: NDArray[np.floating[Any]] = np.asarray(
        Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float64
    )
    if rng.uniform() < 0.5:
        levels = (levels > rng.uniform(110, 190)) * 255.0
    return np.clip(levels, 0, 255).astype(np.float64)


def texture(rng: Generator) -> Levels:
    """Return stripes, a chequered pattern, a ramp, or a filled box or disc."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    angle = rng.uniform(0, np.pi)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    waves = 2 * np.pi * rng.uniform(1.5, 8)
    kind = rng.integers(5)
    if kind == 0:
        levels = 127 + 127 * np.sin(along * waves)
    elif kind == 1:
        levels = 127 + 127 * np.sin(along * waves) * np.sin(across * waves)
    elif kind == 2:
        levels = 255 * np.clip(along + 0.5, 0, 1)
    elif kind == 3:
        levels = 255.0 * ((np.abs(along) < rng.uniform(0.15, 0.36)) & (np.abs(across) < rng.uniform(0.15, 0.36)))
    else:
        levels = 255.0 * (np.hypot(along, across * rng.uniform(1, 2)) < rng.uniform(0.2, 0.4))
    whole = np.clip(levels, 0, 255).astype(np.uint8)
    return whole if rng.uniform() < 0.5 else _place(whole)
