"""Pictures of what excites a map: an example, cut to what the strongest cell sees."""

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Card, Ink
from ..cnn.preprocessing import colour_channels, to_levels
from ..cnn.types import Array
from ..cnn.windows import Region
from ..imaging.encoding import encode_palette

_PADDING = 0  # the index of what lies outside of the input, which is transparent
_GREYS = 32
_PALETTE = bytes(3) + np.linspace(0, 255, _GREYS).astype(np.uint8).repeat(3).tobytes()
_MOST_SIDE = 64  # pixels


def draw_patch(image: Array, card: Card, region: Region) -> bytes:
    """Draw a region of a network's input as a PNG, one pixel a value, ink dark on white. Padding is transparent.

    image: (height, width, channels). A region that is larger than the input is cut to it, and of a large one rows and
    columns are left out.
    """
    levels = to_levels(image, card)[..., : colour_channels(image.shape[2])].mean(axis=2)
    ink_is_dark = 255 - levels if card.ink is Ink.BRIGHT else levels
    indices = 1 + np.rint(ink_is_dark.clip(0, 255) * ((_GREYS - 1) / 255)).astype(np.uint8)
    shown = _cut(indices, region)
    step = -(-max(shown.shape) // _MOST_SIDE)
    thinned = shown[::step, ::step]
    return encode_palette(thinned.T if card.transposed else thinned, _PALETTE, transparent=_PADDING)


def _cut(indices: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """Return a region of a picture, (height, width), with padding around what lies inside."""
    (top, bottom), (left, right) = (
        (0, side) if last - first >= side else (first, last)
        for first, last, side in (
            (region.top, region.bottom, indices.shape[0]),
            (region.left, region.right, indices.shape[1]),
        )
    )
    inside = indices[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    shown = np.full((bottom - top, right - left), _PADDING, np.uint8)
    row, column = max(0, -top), max(0, -left)
    shown[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
    return shown
