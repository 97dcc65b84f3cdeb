"""Pictures of any size to the height, width and channels of a network's input."""

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .drawing import NothingDrawn

MIN_FREE_SIDE = 32  # pixels; in a smaller image, a network for any size may find no place for its windows
MAX_FREE_SIDE = 512

Levels = NDArray[np.uint8]  # (height, width, channels), from 0 (black, transparent) to 255 (white, opaque)
PictureSize = tuple[int, int]  # height, width

_OPAQUE = 255
_WITH_ALPHA = {"LA", "RGBA"}


class ResizeMode(StrEnum):
    """The way to fit a picture of one aspect ratio into a size of another."""

    FIT = "fit"  # all of it, with a margin of paper
    FILL = "fill"  # cropped to its middle
    STRETCH = "stretch"  # all of it, distorted


def choose_size(picture: Image.Image, height: int | None, width: int | None) -> PictureSize:
    """Return the size of a network's input where its height, its width or both are free (None).

    A free side follows from the picture's aspect ratio, within MIN_FREE_SIDE and MAX_FREE_SIDE. If both are free, the
    picture keeps its size, reduced so that the longer side is at most MAX_FREE_SIDE.
    """
    picture_width, picture_height = picture.size
    if height is None and width is None:
        scale = min(1, MAX_FREE_SIDE / max(picture.size))
        return _clamp(picture_height * scale), _clamp(picture_width * scale)
    if height is None:
        assert width is not None
        return _clamp(picture_height * width / picture_width), width
    return (height, width) if width is not None else (height, _clamp(picture_width * height / picture_height))


def _clamp(side: float) -> int:
    return min(MAX_FREE_SIDE, max(MIN_FREE_SIDE, round(side)))


def shrink(grey: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Return the means of blocks of factor × factor levels, (height, width); what reaches over the edge is paper, 0."""
    if factor == 1:
        return grey
    rows, columns = (-(-side // factor) for side in grey.shape)
    padded = np.zeros((rows * factor, columns * factor), np.float32)
    padded[: grey.shape[0], : grey.shape[1]] = grey
    return np.asarray(padded.reshape(rows, factor, columns, factor).mean(axis=(1, 3)), np.float32)


def resize(picture: Image.Image, size: PictureSize, mode: ResizeMode, channels: int) -> Levels:
    """Resize a picture to a network's input, anti-aliased. One that has the size already keeps its values.

    1 channel is luminance (ITU-R BT.601), 3 are red, green and blue; transparent parts show white paper. 2 and 4 have
    alpha as well: the colours beneath stay as they are, and the margin around a partly transparent picture is
    transparent black, as on an empty canvas. With more channels than 4, each is luminance.

    picture: in mode L, LA, RGB or RGBA, as app.imaging.drawing.decode returns it.
    Returns: (height, width, channels) uint8. Raises: NothingDrawn if all of it is transparent.
    """
    if picture.mode in _WITH_ALPHA and picture.getchannel("A").getextrema() == (0, 0):
        raise NothingDrawn
    colour_mode = {2: "LA", 3: "RGB", 4: "RGBA"}.get(channels, "L")
    converted = (picture if colour_mode in _WITH_ALPHA else _on_paper(picture)).convert(colour_mode)
    levels = np.asarray(_resize(converted, size, mode))
    if channels in {1, 2, 3, 4}:
        return levels.reshape(*size, channels)
    return np.repeat(levels[..., np.newaxis], channels, axis=2)


def scale_sheet(ink: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Scale a square sheet to the shorter side of a picture of this height and width, in its middle, on paper.

    ink: (side, side), 0 is paper, 255 the strongest ink; whole numbers are rounded. Returns: of the shape, likewise.
    """
    side = min(shape)
    if ink.shape == shape:
        return ink
    picture = Image.fromarray(ink.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    scaled = np.clip(np.asarray(picture), 0, 255)
    sheet = np.zeros(shape, ink.dtype)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    sheet[top : top + side, left : left + side] = np.rint(scaled) if ink.dtype == np.uint8 else scaled
    return sheet


def pad(levels: NDArray[np.float32], minimum: int, paper: float) -> NDArray[np.float32]:
    """Pad levels, (height, width), with paper on all sides until each side has the minimum."""
    missing = [max(0, minimum - side) for side in levels.shape]
    return np.pad(levels, [(each // 2, each - each // 2) for each in missing], constant_values=paper)


def _on_paper(picture: Image.Image) -> Image.Image:
    """Replace the alpha channel by white paper."""
    if picture.mode not in _WITH_ALPHA:
        return picture
    alpha, colours = picture.getchannel("A"), picture.convert(picture.mode.removesuffix("A"))
    return Image.composite(colours, Image.new(colours.mode, colours.size, "white"), alpha)


def _resize(picture: Image.Image, size: PictureSize, mode: ResizeMode) -> Image.Image:
    height, width = size
    if picture.size == (width, height):
        return picture
    x_scale, y_scale = width / picture.width, height / picture.height
    if mode is ResizeMode.FILL:
        return _scale(picture, (width, height), _middle(picture, max(x_scale, y_scale), size))
    same_ratio = round(picture.width * y_scale) == width or round(picture.height * x_scale) == height
    if mode is ResizeMode.STRETCH or same_ratio:
        return _scale(picture, (width, height))
    scale = min(x_scale, y_scale)
    inner = (min(width, max(1, round(picture.width * scale))), min(height, max(1, round(picture.height * scale))))
    canvas = Image.new(picture.mode, (width, height), _margin(picture))
    canvas.paste(_scale(picture, inner), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


def _scale(
    picture: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    """Scale a picture, or a box in it, to this (width, height)."""
    if picture.size == size and box is None:
        return picture
    # A large picture is reduced by a whole factor first, which is fast and changes the result invisibly.
    return picture.resize(size, Image.Resampling.BILINEAR, box, reducing_gap=3.0)


def _middle(picture: Image.Image, scale: float, size: PictureSize) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of the part in the picture's middle that has this size once scaled."""
    width, height = min(picture.width, size[1] / scale), min(picture.height, size[0] / scale)
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    return left, top, left + width, top + height


def _margin(picture: Image.Image) -> str | tuple[int, ...]:
    if picture.mode in _WITH_ALPHA and picture.getchannel("A").getextrema() != (_OPAQUE, _OPAQUE):
        return (0,) * len(picture.getbands())
    return "white"
