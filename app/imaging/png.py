"""Arrays to PNG files, made to be written fast."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_RUN_LENGTH = 3  # zlib's Z_RLE: a third of the time of its default, at about the same size for feature maps


def encode_palette(indices: NDArray[np.uint8], palette: bytes, transparent: int | None = None) -> bytes:
    """A palette PNG, one pixel an index.

    indices: (height, width). palette: RGB triples, at most 256. transparent: the index that is see-through.
    """
    picture = Image.fromarray(indices, mode="P")
    picture.putpalette(palette)
    return _encode(picture, transparent)


def encode_levels(levels: NDArray[np.uint8]) -> bytes:
    """A grey PNG of (height, width) uint8, or one in colour of (height, width, 3)."""
    return encode_image(Image.fromarray(levels))


def encode_image(picture: Image.Image) -> bytes:
    """A picture of any mode as a PNG."""
    return _encode(picture)


def _encode(picture: Image.Image, transparency: int | None = None) -> bytes:
    file = io.BytesIO()
    options = {} if transparency is None else {"transparency": transparency}
    picture.save(file, "PNG", compress_level=1, compress_type=_RUN_LENGTH, **options)
    return file.getvalue()
