"""Pictures of drawings: from image files, which are decoded here alone, and from pen strokes."""

import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import AvifImagePlugin, Image, ImageDraw
from PIL.TiffImagePlugin import TiffImageFile

from .containers import orientation_of, reduce_to_picture
from .encoding import encode_image
from .essence import Essence, NotRead, TooManyParts
from .foreign import name_foreign
from .levels import to_8_bits, widen
from .tiff import is_tiff

MAX_BYTES = 4 * 1024 * 1024
MAX_SIDE = 4096
SHOWN_SIDE = 2048  # pixels, of a picture that is shown as it is read
MAX_SCANNED = 12 * MAX_SIDE**2  # pixels of a JPEG times its scans; a progressive one has ten
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
_TGA_END = b"TRUEVISION-XFILE.\0"  # any file may look like a TGA, but for this
READ = "PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"  # and rarer ones

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

_BITS_PER_SAMPLE = 258  # a tag of TIFF
_PNG_BITS = 24  # where a PNG says how many bits a channel has
_CONVERTED = {"1": "L", "La": "LA", "RGBa": "RGBA", "PA": "RGBA"}  # by mode; any other becomes RGB

# decode() checks the sides as soon as it has read the header, which is stricter than Pillow's own limit.
Image.MAX_IMAGE_PIXELS = None

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # one drawing has one core


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
    """Decode the first frame of a picture file of one of FORMATS, upright, 8 bits a channel.

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
        raise InvalidDrawing(f"The drawing is an empty file (0 bytes). Send a picture: {READ}.")
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
        levels = _to_8_bits(picture)
        return _set_upright(widen(levels) if _has_16_bits(picture, data) else levels, orientation_of(exif))
    except Exception as error:
        raise InvalidDrawing(
            f"This {picture.format} picture is broken or cut short. Save or export it again, then send that."
        ) from error


def _open(data: bytes) -> tuple[Image.Image, Essence]:
    """Open a picture without decoding it, and return it with its essence. Raises: InvalidDrawing."""
    if (foreign := name_foreign(data)) is not None:
        raise InvalidDrawing(str(foreign))
    try:
        essence = reduce_to_picture(data)
        formats = ("TGA",) if data.endswith(_TGA_END) else FORMATS
        return Image.open(io.BytesIO(essence.data), formats=formats), essence
    except NotRead as error:
        raise InvalidDrawing(str(error)) from error
    except TooManyParts as error:
        raise InvalidDrawing(
            f"This picture is a file of {error} parts, which hold a computer up for long. Save or export it again, "
            "then send that."
        ) from error
    except Exception as error:
        if is_tiff(data):
            raise InvalidDrawing(
                "This TIFF picture has a kind of pixels that is not read. Save it as a PNG, then send that."
            ) from error
        raise InvalidDrawing(f"This is not a picture that can be read: {READ}.") from error


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


def _has_16_bits(picture: Image.Image, data: bytes) -> bool:
    """Return whether a picture's file has 16 bits for each colour, of which Pillow keeps the upper 8."""
    if picture.mode.startswith(("I", "F")):
        return False
    if isinstance(picture, TiffImageFile):
        return 16 in picture.tag_v2.get(_BITS_PER_SAMPLE, ())
    return picture.format == "PNG" and data[_PNG_BITS] == 16


def _set_upright(picture: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT.get(orientation)
    return picture if method is None else picture.transpose(method)


def _to_8_bits(picture: Image.Image) -> Image.Image:
    """Convert a picture of any mode to L, LA, RGB or RGBA."""
    if picture.mode.startswith(("I", "F")):
        # Pillow clips grey levels at 255 where they should be scaled.
        return Image.fromarray(to_8_bits(np.asarray(picture)))
    if picture.mode == "P" or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode in {"L", "LA", "RGB", "RGBA"}:
        return picture
    if picture.mode == "LAB":
        return _lab_to_rgb(picture)
    return picture.convert(_CONVERTED.get(picture.mode, "RGB"))


def _lab_to_rgb(picture: Image.Image) -> Image.Image:
    from PIL import ImageCms  # here alone, and rarely

    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, rgb, outputMode="RGB")
    assert converted is not None
    return converted


def show_picture(data: bytes, limits: DrawingLimits = DEFAULT_LIMITS) -> bytes:
    """Return a picture file as a PNG that any browser shows, reduced by a whole factor to SHOWN_SIDE at most.

    Raises: InvalidDrawing, DrawingTooLarge.
    """
    picture = decode(data, limits)
    factor = -(-max(picture.size) // SHOWN_SIDE)
    shown = picture.reduce(factor) if factor > 1 else picture
    shown.info = {}  # what else the file held is not handed on
    return encode_image(shown)


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
