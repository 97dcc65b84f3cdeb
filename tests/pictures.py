"""Drawings for the tests, as picture files."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from app.imaging.drawing import SAMPLES, draw_strokes


def encode(picture: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def draw_four(side: int = 280) -> Image.Image:
    """A four, black on white: no symmetry, so that a picture that lies on its side or is mirrored shows."""
    unit = side / 280
    strokes = [[(110, 50), (80, 150), (200, 150)], [(170, 100), (160, 230)]]
    return draw_strokes([[(x * unit, y * unit) for x, y in stroke] for stroke in strokes], side, 18 * unit)


def dot_png() -> bytes:
    """A single tap of the pen."""
    return encode(draw_strokes([[(140, 140)]]))


def four_png() -> bytes:
    return encode(draw_four())


def draw_row(digits: str, step: int = 200) -> Image.Image:
    """Samples of digits beside each other, black on white."""
    row = Image.new("L", (step * len(digits) + 80, 280), 255)
    for place, digit in enumerate(digits):
        drawn = Image.new("L", row.size, 255)
        drawn.paste(draw_strokes(SAMPLES[digit]), (place * step, 0))
        row = ImageChops.darker(row, drawn)
    return row


def decode_rgba(png: bytes) -> NDArray[np.uint8]:
    """The pixels of a PNG file: (height, width, 4)."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def png_claiming(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that says it has this size: grey, 8 bits."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
