"""PNG files of what a step made: as large as it is, or no larger than it is shown."""

from dataclasses import dataclass, replace

import numpy as np

from ..imaging.colormap import Colormap, Extremes, Scale, colours, quantise
from ..imaging.encoding import encode_levels, encode_palette
from .planes import Planes, size_of
from .sliding import combine_along

CHANNELS = ("red", "green", "blue")
_WHITE = np.float32(255)


@dataclass(frozen=True)
class Drawn:
    """A picture's PNG. low, high: the values at the ends of its colours. factor: pixels that are averaged into one."""

    png: bytes
    height: int
    width: int
    colormap: Colormap
    low: float
    high: float
    factor: int
    is_mean: bool = False  # of the channels: their values below zero have no colour of their own


@dataclass(frozen=True)
class Look:
    """How pictures are drawn: no wider than `width` where that is given, and with this colour map below zero."""

    signed: Colormap = Colormap.RDBU
    width: int | None = None


@np.errstate(invalid="ignore", over="ignore")
def draw(planes: Planes, low: float, high: float, look: Look) -> Drawn:
    """Draw a picture. low, high: its extremes.

    Values from 0 to 1 are black to white, and larger ones make their maximum white. With values below zero it is drawn
    on a diverging colour map, symmetric about zero; of several channels then their mean, on the scale of all of them.
    """
    height, width = size_of(planes)
    factor = 1 if look.width is None else min(height, max(1, -(-width // look.width)))
    is_plain = low >= 0 and np.isfinite(high)
    is_mean = not is_plain and len(planes) > 1
    shown = _shrink(planes, factor)
    if is_mean:
        shown = shown.mean(axis=0, keepdims=True)
    height, width = size_of(shown)
    if is_plain:
        top = max(1.0, high)
        levels = shown * (_WHITE / np.float32(top)) + np.float32(0.5)
        grey = levels.astype(np.uint8)
        png = encode_levels(grey[0] if len(grey) == 1 else np.ascontiguousarray(grey.transpose(1, 2, 0)))
        return Drawn(png, height, width, Colormap.GRAY, 0.0, top, factor)
    ends = Extremes(np.array([low], np.float32), np.array([high], np.float32))
    indices, least, most = quantise(shown.transpose(1, 2, 0), look.signed, Scale.LAYER, ends)
    png = encode_palette(indices[:, :, 0], colours(look.signed).tobytes())
    return Drawn(png, height, width, look.signed, least or 0.0, most or 0.0, factor, is_mean)


def draw_quickly(planes: Planes, look: Look) -> Drawn:
    """Draw a picture by single pixels of it instead of means, on the scale of those: for as long as a slider moves."""
    factor = 1 if look.width is None else max(1, -(-planes.shape[2] // look.width))
    few = np.ascontiguousarray(planes[:, ::factor, ::factor])
    return replace(draw(few, float(few.min()), float(few.max()), Look(look.signed)), factor=factor)


def _shrink(planes: Planes, factor: int) -> Planes:
    """Return the means of blocks of factor × factor pixels; those that reach beyond the edge are left out."""
    if factor == 1:
        return planes
    height, width = (side // factor for side in size_of(planes))
    down = combine_along(planes, 1, factor, factor, height, np.add)  # the longer way, and so the one along whole rows
    made = combine_along(down, 2, factor, factor, width, np.add)
    made *= np.float32(1 / factor**2)
    return made
