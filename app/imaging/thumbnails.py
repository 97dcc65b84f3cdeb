"""Small pictures of several maps in a row, as one palette PNG."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .colormap import LEVELS, Colormap, Scale, colours, quantise
from .encoding import encode_palette

_GAP_INDEX = 0  # in the palette, transparent
_SHADES = LEVELS // 2  # of each of the two colour maps that share the palette


def draw_thumbnails(
    maps: Sequence[NDArray[np.float32]], colormap: Colormap, signed: Colormap, side: int, pitch: int
) -> bytes:
    """Draw maps of any sizes, (height, width), side by side, each in its own scale.

    One with negative values is drawn in `signed`, symmetric about zero. side: the longer side of each picture in
    pixels. pitch: from one to the next. NaN is left transparent.
    """
    pixels = np.full((side, max(1, len(maps)) * pitch), _GAP_INDEX, dtype=np.uint8)
    for number, values in enumerate(maps):
        shades = _shade(sample(values, side), colormap, signed)
        height, width = shades.shape
        top, left = (side - height) // 2, number * pitch + (pitch - width) // 2
        pixels[top : top + height, left : left + width] = shades
    return encode_palette(pixels, _palette(colormap, signed), transparent=_GAP_INDEX)


def sample(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return a map, (height, width), scaled so that its longer side has this many pixels: the nearest cell for each."""
    height, width = values.shape
    longer = max(height, width)
    rows, columns = (sample_indices(size, max(1, round(side * size / longer))) for size in (height, width))
    return values[rows][:, columns]


def sample_indices(size: int, count: int) -> NDArray[np.intp]:
    """Return the cell of a side of this size at the middle of each of so many pixels."""
    return (2 * np.arange(count) + 1) * size // (2 * count)


def _shade(values: NDArray[np.float32], colormap: Colormap, signed: Colormap) -> NDArray[np.uint8]:
    """Return the palette index of each value."""
    is_gap = np.isnan(values)
    is_signed = bool((values < 0).any())
    known = np.where(is_gap, values[~is_gap].min(initial=np.inf) if not is_gap.all() else 0, values)
    levels, _, _ = quantise(known[:, :, None].astype(np.float32), signed if is_signed else colormap, Scale.MAP)
    shades = levels[:, :, 0] // 2 + np.uint8(1 + _SHADES * is_signed)
    shades[is_gap] = _GAP_INDEX
    return shades


@cache
def _palette(colormap: Colormap, signed: Colormap) -> bytes:
    both = [colours(each)[: 2 * _SHADES : 2] for each in (colormap, signed)]
    return bytes(3) + b"".join(each.tobytes() for each in both)
