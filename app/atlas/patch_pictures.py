"""Pictures of what excites a map: an example, cut to what the strongest cell sees."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..cnn.card import Card, Ink
from ..cnn.preprocessing import colour_channels, to_levels
from ..cnn.types import Array
from ..cnn.windows import Region
from ..imaging.encoding import encode_image, encode_palette

_PADDING = 0  # the index of what lies outside of the input, which is transparent
_GREYS = 32
_PALETTE = bytes(3) + np.linspace(0, 255, _GREYS).astype(np.uint8).repeat(3).tobytes()
_MOST_SIDE = 64  # pixels
_WHITE, _COLOURS = 255, 3


def draw_patch(image: Array, card: Card, region: Region) -> bytes:
    """Draw a region of a network's input as a PNG, one pixel a value. Padding is transparent.

    Of one channel, ink is dark on white; of three or four, the colours are as they are; else it is the channels' mean.
    image: (height, width, channels). A region that is larger than the input is cut to it, and of a large one rows and
    columns are left out.
    """
    levels = to_levels(image, card)[..., : colour_channels(image.shape[2])].clip(0, _WHITE)
    if levels.shape[2] == _COLOURS:
        return _draw_colours(np.rint(levels).astype(np.uint8), card, region)
    grey = levels.mean(axis=2)
    ink_is_dark = _WHITE - grey if card.ink is Ink.BRIGHT else grey
    indices = 1 + np.rint(ink_is_dark * ((_GREYS - 1) / _WHITE)).astype(np.uint8)
    return encode_palette(_thin(_cut(indices, region), card), _PALETTE, transparent=_PADDING)


def _draw_colours(levels: NDArray[np.uint8], card: Card, region: Region) -> bytes:
    opaque = np.concatenate([levels, np.full_like(levels[..., :1], _WHITE)], axis=2)
    return encode_image(Image.fromarray(np.ascontiguousarray(_thin(_cut(opaque, region), card))))


def _thin(shown: NDArray[np.uint8], card: Card) -> NDArray[np.uint8]:
    """Leave rows and columns out of a large picture, and turn it upright."""
    step = -(-max(shown.shape[:2]) // _MOST_SIDE)
    thinned = shown[::step, ::step]
    return thinned.swapaxes(0, 1) if card.transposed else thinned


def _cut(indices: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """Return a region of a picture, (height, width) or with channels, with padding around what lies inside."""
    (top, bottom), (left, right) = (
        (0, side) if last - first >= side else (first, last)
        for first, last, side in (
            (region.top, region.bottom, indices.shape[0]),
            (region.left, region.right, indices.shape[1]),
        )
    )
    inside = indices[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    shown = np.full((bottom - top, right - left, *indices.shape[2:]), _PADDING, np.uint8)
    row, column = max(0, -top), max(0, -left)
    shown[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
    return shown
