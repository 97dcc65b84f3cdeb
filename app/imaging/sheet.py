"""A sheet: pictures one below the other, each with a label, as one PNG on white."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .encoding import stream_bands

_MARGIN = 8  # around everything
_LABEL_HEIGHT = 22
_LABEL_TOP = 3  # of its text
_FONT_SIZE = 13
_BAND = 2**18  # pixels that are drawn at once


@dataclass(frozen=True)
class Item:
    """A label, and the size in pixels of the picture below it; (0, 0) for a label alone."""

    label: str
    width: int = 0
    height: int = 0


def measure_sheet(items: Sequence[Item]) -> tuple[int, int]:
    """Return the width and height of a sheet in pixels."""
    width = max(max(each.width, _measure(each.label)) for each in items)
    return width + 2 * _MARGIN, sum(_LABEL_HEIGHT + each.height + _MARGIN for each in items) + _MARGIN


def draw_sheet(items: Sequence[Item], pngs: Sequence[bytes | None]) -> Iterator[bytes]:
    """Draw a sheet, and yield its PNG in parts.

    pngs: the picture of each item, brought to its size by repeating pixels; None for a label alone.
    """
    width, height = measure_sheet(items)
    return stream_bands(width, height, _draw_bands(width, items, pngs))


def _draw_bands(width: int, items: Sequence[Item], pngs: Sequence[bytes | None]) -> Iterator[NDArray[np.uint8]]:
    yield _white(width, _MARGIN)
    for item, png in zip(items, pngs, strict=True):
        label = Image.new("RGB", (width, _LABEL_HEIGHT), "white")
        ImageDraw.Draw(label).text((_MARGIN, _LABEL_TOP), item.label, "black", _font())
        yield np.asarray(label)
        if png is not None:
            yield from _enlarge(png, item, width)
        yield _white(width, _MARGIN)


def _enlarge(png: bytes, item: Item, width: int) -> Iterator[NDArray[np.uint8]]:
    """Yield a picture as rows of a sheet of this width, some at a time."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.load()
    zooms = item.height // picture.height, item.width // picture.width
    step = max(1, _BAND // (width * zooms[0]))
    for top in range(0, picture.height, step):
        part = _on_white(picture.crop((0, top, picture.width, min(top + step, picture.height))))
        band = _white(width, part.shape[0] * zooms[0])
        band[:, _MARGIN : _MARGIN + item.width] = part.repeat(zooms[0], axis=0).repeat(zooms[1], axis=1)
        yield band


def _on_white(picture: Image.Image) -> NDArray[np.uint8]:
    """Return the colours of a picture, (height, width, 3), where it is transparent those of paper."""
    layer = picture.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer)
    return np.asarray(paper)


def _white(width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 255, dtype=np.uint8)


def _measure(label: str) -> int:
    return int(_font().getlength(label)) + 1


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_FONT_SIZE)
