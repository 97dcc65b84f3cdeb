"""Pictures of drawings: from image files, which are decoded here alone, and from pen strokes."""

import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from .encoding import encode_image

MAX_BYTES = 4 * 1024 * 1024
MAX_SIDE = 4096
MAX_SCANS = 100  # of a JPEG; a progressive one has about ten
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}  # TEM, RST0 to RST7, SOI

# decode() checks the sides as soon as it has read the header, which is stricter than Pillow's own limit.
Image.MAX_IMAGE_PIXELS = None


Point = tuple[float, float]  # x to the right, y down, in pixels of the picture
Stroke = Sequence[Point]
CANVAS_SIDE = 280
PEN_WIDTH = 18
# One digit of each class, drawn by hand for the page.
SAMPLES: dict[str, list[Stroke]] = json.loads(Path(__file__).with_name("samples.json").read_text(encoding="ascii"))
FIRST_SAMPLE = "7"  # on the canvas before anyone has drawn
_SUPERSAMPLING = 3


class DrawingLimits(NamedTuple):
    """The largest drawing that is read: bytes of the file, pixels along its longer side."""

    max_bytes: int = MAX_BYTES
    max_side: int = MAX_SIDE


DEFAULT_LIMITS = DrawingLimits()


class InvalidDrawing(ValueError):
    """The bytes cannot be read as a drawing. The message is a sentence for the person who sent them."""


class DrawingTooLarge(InvalidDrawing):
    """The file or its picture exceeds the limits."""


class NothingDrawn(InvalidDrawing):
    """The picture is all paper."""

    def __init__(self) -> None:
        super().__init__("Nothing is drawn yet: the picture is all paper. Draw something, then try again.")


def decode(data: bytes, limits: DrawingLimits = DEFAULT_LIMITS) -> Image.Image:
    """Decode the first frame of a PNG, JPEG, WebP, GIF or BMP file, upright, 8 bits a channel.

    Returns: a picture in mode L, LA, RGB or RGBA; with an alpha channel if the file can be transparent.
    Raises: InvalidDrawing (another format, or a broken file), DrawingTooLarge.
    """
    if not data:
        raise InvalidDrawing("The drawing is an empty file (0 bytes). Send a picture: PNG, JPEG, WebP, GIF or BMP.")
    if len(data) > limits.max_bytes:
        raise DrawingTooLarge(
            f"The drawing has {len(data):,} bytes; at most {limits.max_bytes:,} are read. Send a smaller picture."
        )
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:
        raise InvalidDrawing("This is not a picture that can be read: PNG, JPEG, WebP, GIF or BMP.") from error
    if max(picture.size) > limits.max_side:
        width, height = picture.size
        raise DrawingTooLarge(
            f"The drawing has {width:,}×{height:,} pixels; at most {limits.max_side:,}×{limits.max_side:,} are read. "
            "Send a smaller picture."
        )
    if picture.format in {"JPEG", "MPO"} and count_scans(data, MAX_SCANS) > MAX_SCANS:
        raise InvalidDrawing(
            f"This JPEG picture is drawn over itself more than {MAX_SCANS} times, which holds a computer up for long. "
            "Save it again, then send that."
        )
    # Given malformed bytes, Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more;
    # to the person who sent the file they all mean the same.
    try:
        ImageOps.exif_transpose(picture, in_place=True)
        return _to_8_bits(picture)
    except Exception as error:
        raise InvalidDrawing(
            f"This {picture.format} picture is broken or cut short. Save or export it again, then send that."
        ) from error


def count_scans(jpeg: bytes, limit: int) -> int:
    """Count a JPEG's scans, up to limit + 1.

    Each scan is a pass over the whole picture. A few bytes make one, and it takes milliseconds to decode in a large
    picture, so megabytes of scans would take hours.
    """
    scans = position = 0
    while scans <= limit and (match := _JPEG_MARKER.search(jpeg, position)):
        marker, position = match[1][0], match.end()
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        if marker not in _WITHOUT_LENGTH:
            position += int.from_bytes(jpeg[position : position + 2])
    return scans


def _to_8_bits(picture: Image.Image) -> Image.Image:
    """Convert a picture of any mode to L, LA, RGB or RGBA."""
    if picture.mode.startswith("I"):
        # Pillow clips 16-bit grey levels at 255 where they should be scaled.
        grey = np.clip(np.asarray(picture), 0, 0xFFFF).astype(np.uint16) >> 8
        return Image.fromarray(grey.astype(np.uint8))
    if picture.mode == "P" or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode in {"L", "LA", "RGB", "RGBA"}:
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def draw_strokes(strokes: Iterable[Stroke], side: int = CANVAS_SIDE, pen_width: float = PEN_WIDTH) -> Image.Image:
    """Draw black strokes on white paper: side × side pixels, mode L. A stroke of one point is a dot."""
    scale = _SUPERSAMPLING
    paper = Image.new("L", (side * scale, side * scale), 255)
    pen = ImageDraw.Draw(paper)
    radius = pen_width * scale / 2
    for stroke in strokes:
        points = [(x * scale, y * scale) for x, y in stroke]
        pen.line(points, fill=0, width=max(1, round(pen_width * scale)))
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return paper.reduce(scale)


def draw_sample(digit: str) -> bytes:
    """Return a sample as the PNG that the page's canvas would send. Raises: KeyError."""
    return encode_image(draw_strokes(SAMPLES[digit]))
