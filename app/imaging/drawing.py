"""From a drawing (what a person made, bytes) to a picture: the one place where picture files are decoded."""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from app.imaging.scans import count_scans

MAX_BYTES = 4 * 1024 * 1024
MAX_SIDE = 4096
MAX_SCANS = 100  # of a JPEG; a progressive one has about ten
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

# Sides are checked as soon as the header is read, which is stricter than Pillow's own limit.
Image.MAX_IMAGE_PIXELS = None


class MostRead(NamedTuple):
    """How large a drawing is read: bytes of the file, pixels along its longer side."""

    bytes: int = MAX_BYTES
    side: int = MAX_SIDE


MOST_READ = MostRead()


class InvalidDrawing(ValueError):
    """What was sent cannot be read as a drawing; the message is a sentence for the person who sent it."""


class DrawingTooLarge(InvalidDrawing):
    """The file or its pixels exceed the most that is read."""


class NothingDrawn(InvalidDrawing):
    """The picture is all paper."""

    def __init__(self) -> None:
        super().__init__("Nothing is drawn yet: the picture is all paper. Draw something, then try again.")


def decode(data: bytes, most: MostRead = MOST_READ) -> Image.Image:
    """The first frame of a PNG, JPEG, WebP, GIF or BMP file, upright, 8 bits a channel.

    Returns: a picture in mode L, LA, RGB or RGBA; with an alpha channel where the file can be see-through.
    Raises: InvalidDrawing (not such a file, or a broken one), DrawingTooLarge.
    """
    if not data:
        raise InvalidDrawing("The drawing is an empty file (0 bytes). Send a picture: PNG, JPEG, WebP, GIF or BMP.")
    if len(data) > most.bytes:
        raise DrawingTooLarge(
            f"The drawing has {len(data):,} bytes; at most {most.bytes:,} are read. Send a smaller picture."
        )
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:
        raise InvalidDrawing("This is not a picture that can be read: PNG, JPEG, WebP, GIF or BMP.") from error
    if max(picture.size) > most.side:
        width, height = picture.size
        raise DrawingTooLarge(
            f"The drawing has {width:,}×{height:,} pixels; at most {most.side:,}×{most.side:,} are read. "
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
        return _with_bytes(picture)
    except Exception as error:
        raise InvalidDrawing(
            f"This {picture.format} picture is broken or cut short. Save or export it again, then send that."
        ) from error


def reduce_to(picture: Image.Image, side: int) -> Image.Image:
    """The picture made smaller by a whole factor, where it has more than this many pixels a side."""
    return picture.reduce(factor) if (factor := -(-max(picture.size) // side)) > 1 else picture


def _with_bytes(picture: Image.Image) -> Image.Image:
    """The picture in mode L, LA, RGB or RGBA, whatever the file keeps."""
    if picture.mode.startswith("I"):
        # Pillow clips 16-bit grey levels at 255 where they should be scaled.
        grey = np.clip(np.asarray(picture), 0, 0xFFFF).astype(np.uint16) >> 8
        return Image.fromarray(grey.astype(np.uint8))
    if picture.mode == "P" or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode in {"L", "LA", "RGB", "RGBA"}:
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")
