"""Pictures as the lab computes with them: one plane of float32 for each channel."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Planes = NDArray[np.float32]  # (channels, height, width); of a picture from 0, black, to 1, white
PixelSize = tuple[int, int]  # height, width

_WHITE = 255


def read_planes(picture: Image.Image, grey: bool) -> Planes:
    """Return a picture's planes, from 0 to 1: one of luminance (ITU-R BT.601), or red, green and blue.

    picture: in mode L, LA, RGB or RGBA. Transparent parts show white paper. A picture without colour has one plane.
    """
    if picture.mode.endswith("A"):
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture.convert("RGBA")).convert(picture.mode.removesuffix("A"))
    levels = np.asarray(picture.convert("L") if grey else picture)
    if levels.ndim == 3 and (levels[..., 0] == levels[..., 1]).all() and (levels[..., 1] == levels[..., 2]).all():
        levels = levels[..., 0]
    planes = levels[np.newaxis] if levels.ndim == 2 else levels.transpose(2, 0, 1)
    return np.ascontiguousarray(np.divide(planes, np.float32(_WHITE), dtype=np.float32))


def size_of(planes: Planes) -> PixelSize:
    """Return height and width."""
    _, height, width = planes.shape
    return height, width
