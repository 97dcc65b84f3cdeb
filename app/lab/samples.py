"""The pictures that the lab comes with: one photograph, and what shows best what a pooling keeps and loses."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..imaging.drawing import FIRST_SAMPLE, SAMPLES, draw_strokes

_RACCOON = Path(__file__).parent / "samples" / "raccoon.webp"
_PHOTOGRAPH = (1600, 1200)  # width and height
_SIDE = 512  # of what is drawn here
_STARS = 160
_THUMBNAIL = (160, 120)


@dataclass(frozen=True)
class Sample:
    """A picture by name: its words, where it comes from, and how it is made."""

    name: str
    title: str
    about: str
    make: Callable[[], Image.Image]


def _photograph() -> Image.Image:
    with Image.open(_RACCOON) as picture:
        return picture.convert("RGB")


def _enlarged_photograph() -> Image.Image:
    return _photograph().resize(_PHOTOGRAPH, Image.Resampling.LANCZOS)


def _to_picture(values: NDArray[np.float64]) -> Image.Image:
    """Return a grey picture of values from 0 to 1, (height, width)."""
    return Image.fromarray(np.round(values * 255).astype(np.uint8))


def _rings() -> Image.Image:
    """Draw a zone plate, cos(π r² / side): its rings are two pixels wide where the middle of a side is."""
    line = np.arange(_SIDE) - _SIDE / 2 + 0.5
    squared = line[:, None] ** 2 + line**2
    return _to_picture(0.5 + 0.5 * np.cos(np.pi * squared / _SIDE))


def _stars() -> Image.Image:
    """Draw single bright pixels on a dark ground that gets lighter downwards."""
    random = np.random.default_rng(6)
    values = np.linspace(0.02, 0.22, _SIDE)[:, None] + random.uniform(0, 0.03, (_SIDE, _SIDE))
    rows, columns = random.integers(0, _SIDE, (2, _STARS))
    values[rows, columns] = random.uniform(0.5, 1, _STARS)
    return _to_picture(values)


def _lines() -> Image.Image:
    """Draw dark hairlines of one pixel on white paper, as a fan and as circles."""
    row, column = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float64)
    angle = np.arctan2(row, column) * 24 / (np.pi / 2)
    radius = np.hypot(row, column)
    # How far a pixel is from the nearest line, in pixels: at most one deep there, and gone a pixel further.
    from_ray = np.abs(angle - np.round(angle)) / 24 * (np.pi / 2) * radius
    from_arc = np.abs(radius / 48 - np.round(radius / 48)) * 48
    distance = np.where(radius < 24, np.inf, np.minimum(from_ray, from_arc))
    return _to_picture(np.clip(distance, 0.1, 1))


def _checkerboard() -> Image.Image:
    return _to_picture(np.indices((64, 64)).sum(axis=0) % 2 * 1.0)


def _digit() -> Image.Image:
    """Draw a digit as the pad does, dark ink on white paper, 28×28."""
    return draw_strokes(SAMPLES[FIRST_SAMPLE]).reduce(10)


SAMPLE_PICTURES = {
    each.name: each
    for each in (
        Sample(
            "raccoon", "Raccoon, 1200×1600",
            "A photograph in the public domain (Pixnio, by way of SciPy), enlarged from 768×1024: so neighbouring "
            "pixels agree more than in a photograph taken at this size.",
            _enlarged_photograph,
        ),
        Sample(
            "raccoon-768", "Raccoon, 768×1024",
            "The same photograph, in the public domain, at the size in which SciPy has it.",
            _photograph,
        ),
        Sample(
            "lines", "Hairlines",
            "Dark lines of one pixel on white paper, drawn by a program: what dark detail becomes.",
            _lines,
        ),
        Sample("stars", "Stars", "Single bright pixels, drawn by a program: what bright detail becomes.", _stars),
        Sample(
            "rings", "Rings", "A zone plate, drawn by a program: rings that get finer outwards, and turn false when "
            "pixels are left out.",
            _rings,
        ),
        Sample(
            "checkerboard", "Checkerboard",
            "Black and white by turns, pixel by pixel, drawn by a program: neighbours never agree.",
            _checkerboard,
        ),
        Sample("digit", "A digit", "A seven of 28×28 pixels, dark on white, drawn for Layerglass.", _digit),
    )
}  # fmt: skip
FIRST_PICTURE = "raccoon"


def thumbnail(name: str) -> Image.Image:
    """Return a small copy of a photograph, or the middle of a picture whose pixels matter. Raises: KeyError."""
    picture = open_sample(name)
    if picture.mode == "RGB" or max(picture.size) <= max(_THUMBNAIL):
        small = picture.copy()
        small.thumbnail(_THUMBNAIL)
        return small
    (width, height), (across, down) = picture.size, _THUMBNAIL
    left, top = (width - across) // 2, (height - down) // 2
    return picture.crop((left, top, left + across, top + down))


@cache
def open_sample(name: str) -> Image.Image:
    """Return a sample's picture. Raises: KeyError."""
    return SAMPLE_PICTURES[name].make()
