"""Pictures of drawings: from image files, which are decoded here alone, and from pen strokes."""

import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from .containers import Essence, TooManyParts, orientation_of, reduce_to_picture
from .encoding import encode_image

MAX_BYTES = 4 * 1024 * 1024
MAX_SIDE = 4096
MAX_SCANNED = 12 * MAX_SIDE**2  # pixels of a JPEG times its scans; a progressive one has ten
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

# A BMP whose lengths of runs are packed is unpacked in Python, code by code.
_MAX_RUN_BYTES, _MAX_RUN_PIXELS = 2**18, 2**21

_UPRIGHT = {  # by the orientation of Exif
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

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
REGION_PATTERN = r"^[0-9]{1,5}(,[0-9]{1,5}){3}$"  # of JSON Schema


class DrawingLimits(NamedTuple):
    """The largest drawing that is read: bytes of the file, pixels along its longer side."""

    max_bytes: int = MAX_BYTES
    max_side: int = MAX_SIDE


DEFAULT_LIMITS = DrawingLimits()


class Box(NamedTuple):
    """A part of a picture, in whole pixels from its top left corner; right and bottom lie just outside of it."""

    left: int
    top: int
    right: int
    bottom: int


class InvalidDrawing(ValueError):
    """The bytes cannot be read as a drawing. The message is a sentence for the person who sent them."""


class DrawingTooLarge(InvalidDrawing):
    """The file or its picture exceeds the limits."""


class NothingDrawn(InvalidDrawing):
    """The picture is all paper."""

    def __init__(self) -> None:
        super().__init__("Nothing is drawn yet: the picture is all paper. Draw something, then try again.")


class InvalidRegion(InvalidDrawing):
    """The region is no part of the picture."""


def read_region(text: str) -> Box:
    """Read "left,top,right,bottom". Raises: InvalidRegion."""
    if not re.fullmatch(REGION_PATTERN, text):
        raise InvalidRegion(
            f"“region” is left,top,right,bottom: four whole numbers, such as 10,20,150,180. Received: “{text[:100]}”."
        )
    box = Box(*map(int, text.split(",")))
    if box.left >= box.right or box.top >= box.bottom:
        raise InvalidRegion(f"The region {text} is empty: right must exceed left, and bottom must exceed top.")
    return box


def decode(data: bytes, limits: DrawingLimits = DEFAULT_LIMITS, region: Box | None = None) -> Image.Image:
    """Decode the first frame of a PNG, JPEG, WebP, GIF or BMP file, upright, 8 bits a channel.

    region: the part of the upright picture that is wanted; None is all of it.
    Returns: a picture in mode L, LA, RGB or RGBA; with an alpha channel if the file can be transparent.
    Raises: InvalidDrawing (another format, or a broken file), DrawingTooLarge, InvalidRegion.
    """
    picture = _decode(data, limits)
    return picture if region is None else crop(picture, region)


def crop(picture: Image.Image, region: Box) -> Image.Image:
    """Cut a region out of a picture. Raises: InvalidRegion."""
    if region.right > picture.width or region.bottom > picture.height:
        raise InvalidRegion(
            f"The region {','.join(map(str, region))} reaches out of the picture, which has "
            f"{picture.width:,}×{picture.height:,} pixels. Choose one within it."
        )
    return picture.crop(region)


def _decode(data: bytes, limits: DrawingLimits) -> Image.Image:
    if not data:
        raise InvalidDrawing("The drawing is an empty file (0 bytes). Send a picture: PNG, JPEG, WebP, GIF or BMP.")
    if len(data) > limits.max_bytes:
        raise DrawingTooLarge(
            f"The drawing has {len(data):,} bytes; at most {limits.max_bytes:,} are read. Send a smaller picture."
        )
    picture, essence = _open(data)
    if max(picture.size) > limits.max_side:
        width, height = picture.size
        raise DrawingTooLarge(
            f"The drawing has {width:,}×{height:,} pixels; at most {limits.max_side:,}×{limits.max_side:,} are read. "
            "Send a smaller picture."
        )
    _check_cost(picture, essence.scans, len(data))
    # Given malformed bytes, Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more;
    # to the person who sent the file they all mean the same.
    try:
        picture.load()  # a PNG may have its Exif at its end
        exif = essence.exif or picture.info.get("exif", b"")
        return _set_upright(_to_8_bits(picture), orientation_of(exif))
    except Exception as error:
        raise InvalidDrawing(
            f"This {picture.format} picture is broken or cut short. Save or export it again, then send that."
        ) from error


def _open(data: bytes) -> tuple[Image.Image, Essence]:
    """Open a picture without decoding it, and return it with its essence. Raises: InvalidDrawing."""
    try:
        essence = reduce_to_picture(data)
        return Image.open(io.BytesIO(essence.data), formats=FORMATS), essence
    except TooManyParts as error:
        raise InvalidDrawing(
            f"This picture is a file of {error} parts, which hold a computer up for long. Save or export it again, "
            "then send that."
        ) from error
    except Exception as error:
        raise InvalidDrawing("This is not a picture that can be read: PNG, JPEG, WebP, GIF or BMP.") from error


def _check_cost(picture: Image.Image, scans: int, size: int) -> None:
    """Refuse what takes long to decode for its size. size: of the file, in bytes. Raises: InvalidDrawing."""
    pixels = picture.width * picture.height
    if scans * pixels > MAX_SCANNED:
        raise InvalidDrawing(
            f"This JPEG picture of {picture.width:,}×{picture.height:,} pixels is drawn over itself {scans:,} times, "
            "which holds a computer up for long. Make it smaller or save it again, then send that."
        )
    has_runs = any(tile.codec_name == "bmp_rle" for tile in getattr(picture, "tile", ()))
    if has_runs and (size > _MAX_RUN_BYTES or pixels > _MAX_RUN_PIXELS):
        raise InvalidDrawing(
            "This BMP picture is packed in runs of pixels, and too large to be unpacked quickly. Save it as a PNG, "
            "then send that."
        )


def _set_upright(picture: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT.get(orientation)
    return picture if method is None else picture.transpose(method)


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
