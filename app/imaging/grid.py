"""The picture of all of a layer's feature maps: one palette PNG, one pixel an activation."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from app.imaging.colormap import LEVELS, Colormap, colours
from app.imaging.png import encode_palette

GAP = 1  # pixels between maps, transparent, so that the page shows through
COLUMNS = 16
STRIP_COLUMNS = 256

_GAP_INDEX = LEVELS
# Beyond these, arithmetic with the values of a map overflows float32.
_TINY, _HUGE = np.float32(1e-30), np.float32(1e30)


class Scale(StrEnum):
    """What the ends of the colour map stand for: the extremes of the whole layer, or of each map by itself."""

    LAYER = "layer"
    MAP = "map"


@dataclass(frozen=True)
class Grid:
    """A layer's feature maps side by side, row by row, in the order of their channels.

    low and high are the values at the colour map's ends; None where each map has its own (Scale.MAP).
    """

    png: bytes
    columns: int
    rows: int
    map_height: int
    map_width: int
    gap: int
    colormap: Colormap
    scale: Scale
    low: float | None
    high: float | None

    @property
    def width(self) -> int:
        return self.columns * (self.map_width + self.gap) - self.gap

    @property
    def height(self) -> int:
        return self.rows * (self.map_height + self.gap) - self.gap


def draw_grid(
    activation: NDArray[np.float32],
    colormap: Colormap = Colormap.VIRIDIS,
    scale: Scale = Scale.LAYER,
    columns: int = COLUMNS,
) -> Grid:
    """All feature maps of an activation, (height, width, channels), as one picture.

    A diverging colour map is symmetric about zero. A map without any contrast is drawn in one colour. Values that
    are not finite, or beyond 1e30, are drawn as the lowest.
    """
    return _lay_out(*quantise(activation, colormap, scale), colormap, scale, columns)


def draw_grids(
    activations: Sequence[NDArray[np.float32]],
    colormap: Colormap = Colormap.VIRIDIS,
    scale: Scale = Scale.LAYER,
    columns: int = COLUMNS,
) -> list[Grid]:
    """Several activations of one shape, (height, width, channels), as draw_grid draws them, but on a common scale.

    The same colour is the same value in all of them: the ends are the extremes over all activations, or with
    Scale.MAP over all activations of one map.
    """
    levels, low, high = quantise(np.concatenate(activations), colormap, scale)
    parts = np.split(levels, len(activations))
    return [_lay_out(part, low, high, colormap, scale, columns) for part in parts]


def _lay_out(
    levels: NDArray[np.uint8], low: float | None, high: float | None, colormap: Colormap, scale: Scale, columns: int
) -> Grid:
    """The maps of one activation's levels, (height, width, channels), side by side."""
    height, width, channels = levels.shape
    columns = min(columns, channels)
    rows = -(-channels // columns)
    cells = np.full((rows * columns, height + GAP, width + GAP), _GAP_INDEX, dtype=np.uint8)
    cells[:channels, :height, :width] = levels.transpose(2, 0, 1)
    picture = cells.reshape(rows, columns, height + GAP, width + GAP).transpose(0, 2, 1, 3)
    picture = picture.reshape(rows * (height + GAP), columns * (width + GAP))[:-GAP, :-GAP]
    png = encode_palette(picture, _palette(colormap), transparent=_GAP_INDEX)
    return Grid(png, columns, rows, height, width, GAP, colormap, scale, low, high)


def draw_map(
    activation: NDArray[np.float32], channel: int, colormap: Colormap = Colormap.VIRIDIS, scale: Scale = Scale.LAYER
) -> Grid:
    """One feature map of an activation, (height, width, channels), in the colours that it has in the whole grid."""
    height, width, _ = activation.shape
    levels, low, high = quantise(activation, colormap, scale)
    png = encode_palette(np.ascontiguousarray(levels[:, :, channel]), _palette(colormap))
    return Grid(png, 1, 1, height, width, GAP, colormap, scale, low, high)


def draw_strip(
    values: NDArray[np.float32], colormap: Colormap = Colormap.VIRIDIS, columns: int = STRIP_COLUMNS
) -> Grid:
    """A vector, (units,), as one row of cells, or as several where it is long. The gaps have no width."""
    return draw_strips([values], colormap, columns)[0]


def draw_strips(
    vectors: Sequence[NDArray[np.float32]], colormap: Colormap = Colormap.VIRIDIS, columns: int = STRIP_COLUMNS
) -> list[Grid]:
    """Several vectors of one length, (units,), as draw_strip draws them, but on a common scale."""
    levels, low, high = quantise(np.stack(vectors)[:, :, np.newaxis], colormap, Scale.LAYER)
    return [_lay_out_strip(row.ravel(), low, high, colormap, columns) for row in levels]


def _lay_out_strip(
    levels: NDArray[np.uint8], low: float | None, high: float | None, colormap: Colormap, columns: int
) -> Grid:
    columns = min(columns, levels.size)
    rows = -(-levels.size // columns)
    picture = np.full(rows * columns, _GAP_INDEX, dtype=np.uint8)
    picture[: levels.size] = levels
    png = encode_palette(picture.reshape(rows, columns), _palette(colormap), transparent=_GAP_INDEX)
    return Grid(png, columns, rows, 1, 1, 0, colormap, Scale.LAYER, low, high)


def quantise(
    activation: NDArray[np.float32], colormap: Colormap, scale: Scale
) -> tuple[NDArray[np.uint8], float | None, float | None]:
    """The colour level of each value, (height, width, channels) uint8 below LEVELS, and the values at both ends.

    The ends are None with Scale.MAP, where every map has its own.
    """
    axes = (0, 1) if scale is Scale.MAP else None
    low, high = activation.min(axis=axes), activation.max(axis=axes)
    if not (np.abs(low) < _HUGE).all() or not (np.abs(high) < _HUGE).all():
        usable = np.abs(activation) < _HUGE
        lowest = np.min(activation, axis=axes, where=usable, initial=_HUGE)
        activation = np.where(usable, activation, np.where(lowest < _HUGE, lowest, 0))
        low, high = activation.min(axis=axes), activation.max(axis=axes)
    if colormap.diverging:
        high = np.maximum(np.maximum(np.abs(low), np.abs(high)), _TINY)
        low = -high
    span = np.maximum(high - low, _TINY)
    levels = ((activation - low) * ((LEVELS - 1) / span) + 0.5).astype(np.uint8)
    return (levels, None, None) if scale is Scale.MAP else (levels, float(low), float(high))


@cache
def _palette(colormap: Colormap) -> bytes:
    return colours(colormap).tobytes() + b"\x00\x00\x00"
