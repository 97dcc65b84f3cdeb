"""Pictures that show no digit, by other code, fonts and hands than those that the training's outliers come from.

Each is a drawing as a person would send it: black on white, of the page's canvas' size, or what a network is given.
"""

import io
from collections.abc import Callable
from pathlib import Path
from string import ascii_letters

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from app.datasets.digits import Digits
from app.imaging.drawing import CANVAS_SIDE, Stroke, draw_strokes
from app.training.pen import PenDigit
from benchmarks.several_digits import place

SIDE = CANVAS_SIDE
LIKE_DIGITS = "BDGIOQSZbgiloqsz"  # letters that are digits to many an eye, or nearly; counted apart
LETTERS = "".join(letter for letter in ascii_letters if letter not in LIKE_DIGITS)

Levels = NDArray[np.uint8]  # (28, 28), what a network is given: 0 is paper, 255 ink
Picture = Image.Image  # a drawing on the canvas
_Points = NDArray[np.float64]  # (n, 2)


def to_png(picture: Picture) -> bytes:
    """Return a picture's file."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def find_fonts(folders: list[Path]) -> list[Path]:
    """Return the files of fonts with Latin letters and digits, in the order of their names."""
    found = sorted((path for folder in folders for path in folder.rglob("*.[ot]tf")), key=lambda path: path.name)
    return [path for path in found if _is_latin(path)]


def _is_latin(path: Path) -> bool:
    try:
        font = ImageFont.truetype(path, 40)
        shapes = {bytes(font.getmask(letter)) for letter in "AKRWehkm"}
    except OSError:
        return False
    return len(shapes) == 8 and not any(word in path.name for word in ("Math", "cmsy", "cmex", "Siz", "LastResort"))


def printed(font: Path, letter: str, rng: Generator) -> Picture:
    """Return a letter of a font, a little slanted, turned, thickened or thinned."""
    sheet = Image.new("L", (2 * SIDE, 2 * SIDE), 255)
    size = int(rng.uniform(110, 230))
    ImageDraw.Draw(sheet).text((SIDE, SIDE), letter, 0, ImageFont.truetype(font, size), anchor="mm")
    slant, angle = rng.normal(0, 0.12), rng.normal(0, 5)
    sheet = sheet.transform(sheet.size, Image.Transform.AFFINE, (1, slant, -slant * SIDE, 0, 1, 0), fillcolor=255)
    sheet = sheet.rotate(angle, Image.Resampling.BILINEAR, fillcolor=255)
    change = rng.uniform()
    if change < 0.25:
        sheet = sheet.filter(ImageFilter.MinFilter(int(rng.choice([5, 9]))))
    elif change < 0.4:
        sheet = sheet.filter(ImageFilter.GaussianBlur(rng.uniform(1, 4)))
    left, top = (SIDE // 2 + int(rng.integers(-20, 21)) for _ in "xy")
    return sheet.crop((left, top, left + SIDE, top + SIDE))


def _pen(strokes: list[_Points], rng: Generator) -> Picture:
    """Draw strokes in a box of side 2 about the origin, y up, in some size at some place."""
    scale, pen = rng.uniform(55, 115), rng.uniform(8, 22)
    middle = SIDE / 2 + rng.uniform(-15, 15, 2)
    hand = [stroke + rng.normal(0, 0.015, stroke.shape) for stroke in strokes]
    return draw_strokes([[tuple(p) for p in (s * (scale, -scale) + middle).tolist()] for s in hand], SIDE, pen)


_Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def _curve(x: _Function, y: _Function, end: float = 2 * np.pi, points: int = 80) -> _Points:
    t = np.linspace(0, end, points)
    return np.stack([x(t), y(t)], axis=1)


def _path(*points: tuple[float, float]) -> NDArray[np.float64]:
    return np.array(points, np.float64)


def sign(name: str, rng: Generator) -> Picture:
    """Return a sign that a person might draw, by its name in SIGNS."""
    return _pen(SIGNS[name](rng), rng)


def _heart(rng: Generator) -> list[_Points]:
    angles = np.linspace(0, 2 * np.pi, 80)
    waves = [weight * np.cos(number * angles) for number, weight in enumerate((13, -5, -2, -1), start=1)]
    return [np.stack([np.sin(angles) ** 3, np.sum(waves, axis=0) / 16], axis=1)]


def _pentagram(rng: Generator) -> list[_Points]:
    order = np.array([0, 2, 4, 1, 3, 0]) * 2 * np.pi / 5
    return [np.stack([np.sin(order), np.cos(order)], axis=1)]


def _arrow(rng: Generator) -> list[_Points]:
    turn = rng.integers(8) * np.pi / 4
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return [each @ rotation for each in (_path((-1, 0), (1, 0)), _path((0.5, 0.4), (1, 0), (0.5, -0.4)))]


def _smiley(rng: Generator) -> list[_Points]:
    mouth = _curve(lambda t: 0.5 * np.cos(t), lambda t: -0.5 * np.sin(t) * rng.choice([1, -1]) - 0.1, np.pi, 20)
    eyes = [_path((x, 0.3), (x, 0.25)) for x in (-0.35, 0.35)]
    return [_curve(np.cos, np.sin), *eyes, mouth]


def _grid(rng: Generator) -> list[_Points]:
    places = np.linspace(-0.9, 0.9, int(rng.integers(3, 5)))[1:-1] if rng.uniform() < 0.5 else np.linspace(-0.9, 0.9, 4)
    return [line for p in places for line in (_path((p, -0.9), (p, 0.9)), _path((-0.9, p), (0.9, p)))]


def _house(rng: Generator) -> list[_Points]:
    return [_path((-0.8, 0), (-0.8, -0.9), (0.8, -0.9), (0.8, 0), (-0.8, 0)), _path((-0.9, 0), (0, 0.9), (0.9, 0))]


def _tree(rng: Generator) -> list[_Points]:
    return [_path((0, -1), (0, -0.2)), _curve(lambda t: 0.6 * np.cos(t), lambda t: 0.4 + 0.6 * np.sin(t))]


def _fish(rng: Generator) -> list[_Points]:
    return [_curve(lambda t: np.cos(t) - 0.3 * np.sin(t) ** 2, lambda t: 0.7 * np.cos(t) * np.sin(t))]


def _lightning(rng: Generator) -> list[_Points]:
    return [_path((0.2, 1), (-0.5, 0), (0.3, 0.1), (-0.3, -1))]


def _lissajous(rng: Generator) -> list[_Points]:
    a, b = rng.choice([(2, 3), (3, 4), (3, 2), (5, 3), (3, 1)])
    return [_curve(lambda t: np.sin(a * t + 0.5), lambda t: np.sin(b * t), points=200)]


def _bezier(rng: Generator) -> list[_Points]:
    strokes = []
    for _ in range(int(rng.integers(2, 5))):
        p, t = rng.uniform(-1, 1, (4, 2)), np.linspace(0, 1, 40)[:, None]
        strokes.append(p[0] * (1 - t) ** 3 + 3 * p[1] * t * (1 - t) ** 2 + 3 * p[2] * t**2 * (1 - t) + p[3] * t**3)
    return strokes


def _tangle(rng: Generator) -> list[_Points]:
    waves, phases = rng.integers(1, 7, (2, 4)), rng.uniform(0, 2 * np.pi, (2, 4))
    t = np.linspace(0, 2 * np.pi, 250)[:, None]
    return [np.stack([np.sin(t * waves[axis] + phases[axis]).sum(1) / 3 for axis in (0, 1)], axis=1)]


def _spiral(rng: Generator) -> list[_Points]:
    turns = rng.uniform(2.2, 4)
    return [_curve(lambda t: t / t[-1] * np.cos(t), lambda t: t / t[-1] * np.sin(t), 2 * np.pi * turns, 150)]


def _zigzag(rng: Generator) -> list[_Points]:
    count = int(rng.integers(5, 10))
    return [np.stack([np.linspace(-1, 1, count), rng.uniform(0.3, 0.7) * (-1.0) ** np.arange(count)], axis=1)]


def _plus(rng: Generator) -> list[_Points]:
    return [_path((-0.9, 0), (0.9, 0)), _path((0, -0.9), (0, 0.9))]


def _times(rng: Generator) -> list[_Points]:
    return [_path((-0.8, -0.8), (0.8, 0.8)), _path((-0.8, 0.8), (0.8, -0.8))]


def _square(rng: Generator) -> list[_Points]:
    return [_path((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8), (-0.8, -0.8))]


def _triangle(rng: Generator) -> list[_Points]:
    return [_path((-0.9, -0.7), (0.9, -0.7), (0, 0.9), (-0.9, -0.7))]


def _equals(rng: Generator) -> list[_Points]:
    return [_path((-0.8, y), (0.8, y)) for y in (0.3, -0.3)]


def _minus(rng: Generator) -> list[_Points]:
    return [_path((-0.9, 0), (0.9, 0))]


def _tick(rng: Generator) -> list[_Points]:
    return [_path((-0.8, -0.1), (-0.3, -0.8), (0.9, 0.9))]


def _note(rng: Generator) -> list[_Points]:
    head = _curve(lambda t: 0.3 * np.cos(t) - 0.4, lambda t: 0.25 * np.sin(t) - 0.7)
    return [head, _path((-0.1, -0.7), (-0.1, 0.9), (0.6, 0.5))]


def _hash(rng: Generator) -> list[_Points]:
    standing = [_path((x, -0.9), (x + 0.1, 0.9)) for x in (-0.3, 0.3)]
    return standing + [_path((-0.9, y), (0.9, y)) for y in (0.3, -0.3)]


def _flower(rng: Generator) -> list[_Points]:
    petals = int(rng.choice([3, 5, 7]))
    return [_curve(lambda t: np.cos(petals * t) * np.cos(t), lambda t: np.cos(petals * t) * np.sin(t), points=160)]


_Draw = Callable[[Generator], list[_Points]]
SIGNS: dict[str, _Draw] = {
    "heart": _heart,
    "pentagram": _pentagram,
    "arrow": _arrow,
    "smiley": _smiley,
    "grid": _grid,
    "house": _house,
    "tree": _tree,
    "fish": _fish,
    "lightning": _lightning,
    "plus": _plus,
    "times": _times,
    "square": _square,
    "triangle": _triangle,
    "equals": _equals,
    "minus": _minus,
    "tick": _tick,
    "note": _note,
    "hash": _hash,
    "flower": _flower,
}
SCRIBBLES: dict[str, _Draw] = {
    "lissajous": _lissajous,
    "bezier": _bezier,
    "tangle": _tangle,
    "spiral": _spiral,
    "zigzag": _zigzag,
}


def scribble(name: str, rng: Generator) -> Picture:
    """Return a scribble by its name in SCRIBBLES."""
    return _pen(SCRIBBLES[name](rng), rng)


NOISES = ("uniform", "Gaussian", "salt and pepper", "smooth blobs")


def input_noise(kind: str, rng: Generator) -> Levels:
    """Return noise of one of NOISES as a network's input."""
    size = (28, 28)
    if kind == "Gaussian":
        return np.clip(rng.normal(127, 60, size), 0, 255).astype(np.uint8)
    if kind == "salt and pepper":
        return np.where(rng.uniform(size=size) < rng.uniform(0.05, 0.4), 255, 0).astype(np.uint8)
    uniform = rng.uniform(0, 255, size).astype(np.uint8)
    if kind == "uniform":
        return uniform
    blurred = np.asarray(Image.fromarray(uniform).filter(ImageFilter.GaussianBlur(rng.uniform(1, 2.5))), float)
    return np.asarray((blurred - blurred.min()) / max(1e-6, np.ptp(blurred)) * 255, np.uint8)


def pad_noise(rng: Generator) -> Picture:
    """Return noise on the canvas: grains of some size, dense or sparse, grey or black."""
    grain = int(rng.choice([1, 4, 10, 20]))
    cells = rng.uniform(size=(SIDE // grain, SIDE // grain))
    levels = cells * 255 if rng.uniform() < 0.4 else np.where(cells < rng.uniform(0.05, 0.5), 0, 255)
    picture = Image.fromarray(levels.astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    return picture.filter(ImageFilter.GaussianBlur(8)) if rng.uniform() < 0.2 else picture


def dots(rng: Generator) -> Picture:
    """Return one to six dots."""
    places = rng.uniform(40, 240, (int(rng.integers(1, 7)), 2)).tolist()
    return draw_strokes([[(x, y)] for x, y in places], SIDE, rng.uniform(10, 40))


def photograph(path: Path, rng: Generator) -> Picture:
    """Return a part of a photograph, shrunk."""
    with Image.open(path) as opened:
        picture = opened.convert("L")
    part = int(rng.uniform(0.15, 0.9) * min(picture.size))
    left, top = (int(rng.integers(0, size - part + 1)) for size in picture.size)
    return picture.crop((left, top, left + part, top + part)).resize((SIDE, SIDE))


def pattern(rng: Generator) -> Picture:
    """Return a texture: wood, bricks, a gradient, clouds or weave."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    kind = rng.integers(5)
    if kind == 0:
        levels = np.sin(np.hypot(x - rng.uniform(), (y - rng.uniform()) * 0.2) * rng.uniform(20, 80))
    elif kind == 1:
        rows = np.floor(y * rng.integers(4, 9))
        levels = ((y * 8 % 1 < 0.1) | ((x * 4 + 0.5 * (rows % 2)) % 1 < 0.06)) * -2.0 + 1
    elif kind == 2:
        levels = 2 * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1))
    elif kind == 3:
        levels = np.sum([4 * _cloud(cells, rng) / cells for cells in (3, 6, 12, 24)], axis=0)
    else:
        levels = np.sign(np.sin(x * 60)) * np.sign(np.sin(y * 60)) * np.sin(x * 200)
    return Image.fromarray(np.clip(127 + 120 * levels, 0, 255).astype(np.uint8))


def _cloud(cells: int, rng: Generator) -> NDArray[np.float64]:
    coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), float)


def side_by_side(digits: list[PenDigit], gap: float, count: int, rng: Generator) -> Picture:
    """Return digits in a row. gap: between them, of their height; less than 0 overlaps them."""
    pen, height = rng.uniform(6, 14), 100.0
    strokes: list[Stroke] = []
    edge = 20.0
    for digit in (digits[int(number)] for number in rng.integers(len(digits), size=count)):
        own, right = place(digit, height * rng.uniform(0.85, 1.1), 130, edge)
        strokes += own
        edge = right + (pen if gap > 0 else 0) + gap * height
    return draw_strokes(strokes, 400, pen)


def glued(digits: Digits, rng: Generator) -> Picture:
    """Return two of MNIST's digits on one sheet that touch."""
    two = [digits.images[int(number)] for number in rng.integers(len(digits), size=2)]
    boxes = [np.flatnonzero(each.max(axis=0)) for each in two]
    first, second = (each[:, columns[0] : columns[-1] + 1] for each, columns in zip(two, boxes, strict=True))
    overlap = int(rng.integers(1, 4))
    sheet = np.zeros((28, first.shape[1] + second.shape[1] - overlap), np.uint8)
    sheet[:, : first.shape[1]] = first
    sheet[:, -second.shape[1] :] = np.maximum(sheet[:, -second.shape[1] :], second)
    return _enlarge(sheet)


def cut(digits: Digits, rng: Generator) -> Picture:
    """Return half of one of MNIST's digits."""
    levels = digits.images[int(rng.integers(len(digits)))].copy()
    axis, first = int(rng.integers(2)), bool(rng.integers(2))
    part = np.swapaxes(levels, 0, axis)
    part[14:] = 0 if first else part[14:]
    part[:14] = part[:14] if first else 0
    return _enlarge(levels)


def lying(digits: Digits, rng: Generator) -> Picture:
    """Return one of MNIST's digits turned by a right angle."""
    return _enlarge(np.rot90(digits.images[int(rng.integers(len(digits)))], int(rng.choice([1, 3]))))


def _enlarge(levels: NDArray[np.uint8]) -> Picture:
    padded = np.pad(levels, 4)
    size = (padded.shape[1] * 8, padded.shape[0] * 8)
    return Image.fromarray(255 - padded).resize(size, Image.Resampling.BICUBIC)
