"""The picture of a layer's feature maps: one palette PNG, one pixel an activation."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .colormap import Colormap, Extremes, Scale, colours, quantise
from .encoding import encode_palette, encode_palette_rows

GAP = 1  # transparent pixels between maps, where the page shows through
COLUMNS = 16
STRIP_COLUMNS = 256

_GAP_INDEX = 0  # in the palette
_FIRST_INDEX = np.uint8(1)  # of the lowest level


@dataclass(frozen=True)
class Layout:
    """The places of the maps in a grid, in pixels: side by side, row by row, with a gap between them."""

    columns: int
    rows: int
    map_height: int
    map_width: int
    gap: int

    @property
    def width(self) -> int:
        return self.columns * (self.map_width + self.gap) - self.gap

    @property
    def height(self) -> int:
        return self.rows * (self.map_height + self.gap) - self.gap


@dataclass(frozen=True)
class Grid(Layout):
    """The picture of a layer's feature maps, in the order of their channels; or of a vector's units, as a strip.

    low, high: the values at the colour map's ends; None if each map has its own (Scale.MAP). first: the channel of the
    first map that is drawn.
    """

    png: bytes
    colormap: Colormap
    scale: Scale
    low: float | None
    high: float | None
    first: int = 0


def lay_out_grid(map_height: int, map_width: int, count: int, columns: int = COLUMNS) -> Layout:
    """Return the layout of a number of maps."""
    columns = min(columns, count)
    return Layout(columns, -(-count // columns), map_height, map_width, GAP)


def lay_out_strip(count: int, columns: int = STRIP_COLUMNS) -> Layout:
    """Return the layout of a number of units. The gaps have no width."""
    columns = min(columns, count)
    return Layout(columns, -(-count // columns), 1, 1, 0)


def draw_grid(
    activation: NDArray[np.float32],
    colormap: Colormap = Colormap.VIRIDIS,
    scale: Scale = Scale.LAYER,
    columns: int = COLUMNS,
    extremes: Extremes | None = None,
    first: int = 0,
    count: int | None = None,
) -> Grid:
    """Draw the feature maps of an activation, (height, width, channels), as one picture.

    A diverging colour map is symmetric about zero. A constant map is drawn in one colour. Values that are not finite,
    or beyond ±1e30, are drawn as the lowest.

    columns: maps in a row. extremes: the activation's, if they are known already. first, count: draw only some maps, in
    the colours that they have among all of them.
    """
    levels, low, high = quantise(activation, colormap, scale, extremes, _maps(first, count))
    return _lay_out(levels, low, high, colormap, scale, columns, first)


def draw_grids(
    activations: Sequence[NDArray[np.float32]],
    colormap: Colormap = Colormap.VIRIDIS,
    scale: Scale = Scale.LAYER,
    columns: int = COLUMNS,
    count: int | None = None,
) -> list[Grid]:
    """Draw several activations of one shape, (height, width, channels), like draw_grid but on a common scale.

    A colour means the same value in all of them: the ends are the extremes over all activations, or with Scale.MAP
    over all activations of one map.
    """
    levels, low, high = quantise(np.concatenate(activations), colormap, scale, maps=_maps(0, count))
    parts = np.split(levels, len(activations))
    return [_lay_out(part, low, high, colormap, scale, columns) for part in parts]


def _maps(first: int, count: int | None) -> slice:
    return slice(first, None if count is None else first + count)


def _lay_out(
    levels: NDArray[np.uint8],
    low: float | None,
    high: float | None,
    colormap: Colormap,
    scale: Scale,
    columns: int,
    first: int = 0,
) -> Grid:
    """Lay out the maps of an activation's levels, (height, width, channels), side by side."""
    height, width, channels = levels.shape
    layout = lay_out_grid(height, width, channels, columns)
    rows, columns = layout.rows, layout.columns
    # The gap before the first map of a row is the PNG row's filter byte, which is 0 as well.
    cells = np.zeros((rows, height + GAP, columns, GAP + width), dtype=np.uint8)
    for row, band in enumerate(cells):
        maps = levels[:, :, row * columns : (row + 1) * columns].transpose(0, 2, 1)
        np.add(maps, _FIRST_INDEX, out=band[:height, : maps.shape[1], GAP:])
    pixel_rows = cells.reshape(rows * (height + GAP), columns * (GAP + width))[:-GAP]
    png = encode_palette_rows(pixel_rows, _palette(colormap), transparent=_GAP_INDEX)
    return Grid(**vars(layout), png=png, colormap=colormap, scale=scale, low=low, high=high, first=first)


def draw_map(
    activation: NDArray[np.float32], channel: int, colormap: Colormap = Colormap.VIRIDIS, scale: Scale = Scale.LAYER
) -> Grid:
    """Draw one feature map of an activation, (height, width, channels), in the colours that it has in the grid."""
    height, width, _ = activation.shape
    levels, low, high = quantise(activation, colormap, scale, maps=_maps(channel, 1))
    png = encode_palette(levels[:, :, 0] + _FIRST_INDEX, _palette(colormap))
    layout = lay_out_grid(height, width, 1)
    return Grid(**vars(layout), png=png, colormap=colormap, scale=scale, low=low, high=high, first=channel)


def draw_strip(
    values: NDArray[np.float32],
    colormap: Colormap = Colormap.VIRIDIS,
    columns: int = STRIP_COLUMNS,
    first: int = 0,
    count: int | None = None,
) -> Grid:
    """Draw a vector, (units,), in rows of cells without gaps.

    columns: units in a row. first, count: draw only some units, in the colours that they have among all of them.
    """
    return draw_strips([values], colormap, columns, first, count)[0]


def draw_strips(
    vectors: Sequence[NDArray[np.float32]],
    colormap: Colormap = Colormap.VIRIDIS,
    columns: int = STRIP_COLUMNS,
    first: int = 0,
    count: int | None = None,
) -> list[Grid]:
    """Draw several vectors of one length, (units,), like draw_strip but on a common scale."""
    levels, low, high = quantise(np.stack(vectors)[:, :, np.newaxis], colormap, Scale.LAYER)
    shown = levels[:, _maps(first, count)]
    return [_lay_out_strip(row.ravel(), low, high, colormap, columns, first) for row in shown]


def _lay_out_strip(
    levels: NDArray[np.uint8], low: float | None, high: float | None, colormap: Colormap, columns: int, first: int
) -> Grid:
    layout = lay_out_strip(levels.size, columns)
    picture = np.full(layout.rows * layout.columns, _GAP_INDEX, dtype=np.uint8)
    picture[: levels.size] = levels + _FIRST_INDEX
    png = encode_palette(picture.reshape(layout.rows, -1), _palette(colormap), transparent=_GAP_INDEX)
    return Grid(**vars(layout), png=png, colormap=colormap, scale=Scale.LAYER, low=low, high=high, first=first)


@cache
def _palette(colormap: Colormap) -> bytes:
    return bytes(3) + colours(colormap).tobytes()
