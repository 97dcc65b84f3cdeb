"""Any picture placed into a network's input: its height, its width and its channels."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.imaging.drawing import NothingDrawn

MIN_FREE_SIDE = 32  # pixels: less, and the windows of a network of any size may find no place in it
MAX_FREE_SIDE = 512

Levels = NDArray[np.uint8]  # (height, width, channels) from 0, black or see-through, to 255, white or opaque
Size = tuple[int, int]  # height, width

_OPAQUE = 255
_ALPHA = {"LA", "RGBA"}


class Placing(StrEnum):
    """How a picture fills a field of another shape."""

    FIT = "fit"  # all of it, with a margin of paper
    FILL = "fill"  # its middle, as much as covers the field
    STRETCH = "stretch"  # all of it, distorted


def find_size(picture: Image.Image, height: int | None, width: int | None) -> Size:
    """The size that a picture gets where the input leaves its height, its width or both free (None).

    A free side follows from the picture's own shape, within MIN_FREE_SIDE and MAX_FREE_SIDE; where both are free, it
    keeps its own size, reduced so that the longer side is at most MAX_FREE_SIDE.
    """
    across, down = picture.size
    if height is None and width is None:
        scale = min(1, MAX_FREE_SIDE / max(across, down))
        return _free(down * scale), _free(across * scale)
    if height is None:
        assert width is not None
        return _free(down * width / across), width
    return (height, width) if width is not None else (height, _free(across * height / down))


def place(picture: Image.Image, size: Size, placing: Placing, channels: int) -> Levels:
    """A picture as a network's input of this size, anti-aliased where it is made smaller.

    picture: in mode L, LA, RGB or RGBA, as app.imaging.drawing.decode gives it. Paper is white, and what is see-through
    is paper. 1 channel is luminance (ITU-R BT.601), 3 are red, green, blue. 2 and 4 have alpha as well: the colours
    beneath stay as they are, and a margin around a picture that is see-through somewhere is see-through and black, as
    an empty canvas is. Of more channels each is luminance. A picture that has the size already keeps its values.

    Returns: uint8, (height, width, channels). Raises: NothingDrawn, where all of it is see-through.
    """
    if picture.mode in _ALPHA and picture.getchannel("A").getextrema() == (0, 0):
        raise NothingDrawn
    mode = {2: "LA", 3: "RGB", 4: "RGBA"}.get(channels, "L")
    prepared = picture.convert(mode) if mode in _ALPHA else _on_paper(picture).convert(mode)
    levels = np.asarray(_resize(prepared, size, placing))
    if channels in {1, 2, 3, 4}:
        return levels.reshape(*size, channels)
    return np.repeat(levels[..., np.newaxis], channels, axis=2)


def margined(levels: NDArray[np.float32], minimum: int, paper: float) -> NDArray[np.float32]:
    """Levels, (height, width), with paper around them where a side has fewer pixels than the minimum."""
    missing = [max(0, minimum - side) for side in levels.shape]
    return np.pad(levels, [(each // 2, each - each // 2) for each in missing], constant_values=paper)


def _free(side: float) -> int:
    return min(MAX_FREE_SIDE, max(MIN_FREE_SIDE, round(side)))


def _on_paper(picture: Image.Image) -> Image.Image:
    """The picture without alpha: what is see-through shows white paper."""
    if picture.mode not in _ALPHA:
        return picture
    alpha, colours = picture.getchannel("A"), picture.convert(picture.mode.removesuffix("A"))
    return Image.composite(colours, Image.new(colours.mode, colours.size, "white"), alpha)


def _resize(picture: Image.Image, size: Size, placing: Placing) -> Image.Image:
    height, width = size
    if picture.size == (width, height):
        return picture
    across, down = width / picture.width, height / picture.height
    if placing is Placing.FILL:
        return _scale(picture, (width, height), _middle(picture, max(across, down), size))
    has_its_shape = round(picture.width * down) == width or round(picture.height * across) == height
    if placing is Placing.STRETCH or has_its_shape:
        return _scale(picture, (width, height))
    scale = min(across, down)
    within = (min(width, max(1, round(picture.width * scale))), min(height, max(1, round(picture.height * scale))))
    field = Image.new(picture.mode, (width, height), _margin(picture))
    field.paste(_scale(picture, within), ((width - within[0]) // 2, (height - within[1]) // 2))
    return field


def _scale(
    picture: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    """A part of the picture, all without a box, at this (width, height)."""
    if picture.size == size and box is None:
        return picture
    # Two steps for a photograph: a whole factor first, which is fast and changes the result by less than can be seen.
    return picture.resize(size, Image.Resampling.BILINEAR, box, reducing_gap=3.0)


def _middle(picture: Image.Image, scale: float, size: Size) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what covers this size in the picture's middle."""
    width, height = min(picture.width, size[1] / scale), min(picture.height, size[0] / scale)
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    return left, top, left + width, top + height


def _margin(picture: Image.Image) -> str | tuple[int, ...]:
    if picture.mode in _ALPHA and picture.getchannel("A").getextrema() != (_OPAQUE, _OPAQUE):
        return (0,) * len(picture.getbands())
    return "white"
