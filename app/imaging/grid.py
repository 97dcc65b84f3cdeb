"""The picture of a layer's feature maps: one palette PNG, one pixel an activation."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .colormap import (
    Colormap,
    Extremes,
    Levelling,
    Scale,
    Values,
    colours,
    cut_blocks,
    find_levelling,
    shift,
)
from .encoding import encode_palette_rows
from .mapped import Block

GAP = 1  # transparent pixels between maps, where the page shows through
COLUMNS = 16
STRIP_COLUMNS = 256

_GAP_INDEX = 0  # in the palette
_FIRST_INDEX = np.uint8(1)  # of the lowest level
_STRIP_ROWS = 1024  # that are drawn at once
_ALL = slice(None)


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
    activation: Values,
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
    levelling = find_levelling([activation], colormap, scale, extremes)
    return _lay_out(activation, levelling, colormap, scale, columns, first, count)


def draw_grids(
    activations: Sequence[Values],
    colormap: Colormap = Colormap.VIRIDIS,
    scale: Scale = Scale.LAYER,
    columns: int = COLUMNS,
    count: int | None = None,
    extremes: Extremes | None = None,
) -> list[Grid]:
    """Draw several activations of one shape, (height, width, channels), like draw_grid but on a common scale.

    A colour means the same value in all of them: the ends are the extremes over all activations, or with Scale.MAP
    over all activations of one map. extremes: those over all activations, if they are known already.
    """
    levelling = find_levelling(activations, colormap, scale, extremes)
    return [_lay_out(each, levelling, colormap, scale, columns, 0, count) for each in activations]


def _lay_out(
    activation: Values,
    levelling: Levelling,
    colormap: Colormap,
    scale: Scale,
    columns: int,
    first: int,
    count: int | None,
) -> Grid:
    """Lay out the maps of an activation, (height, width, channels), side by side."""
    height, width, channels = activation.shape
    shown = channels - first if count is None else min(count, channels - first)
    layout = lay_out_grid(height, width, shown, columns)
    # The gap before the first map of a row is the PNG row's filter byte, which is 0 as well.
    cells = np.zeros((layout.rows, height + GAP, layout.columns, GAP + width), dtype=np.uint8)
    for block in cut_blocks((height, width, shown), layout.columns):
        wanted = shift(block, first)
        _put(levelling.levels(activation[wanted], wanted[2]), block, cells)
    pixel_rows = cells.reshape(layout.rows * (height + GAP), layout.columns * (GAP + width))[:-GAP]
    png = encode_palette_rows(pixel_rows, _palette(colormap), transparent=_GAP_INDEX)
    return _grid(layout, png, colormap, scale, levelling, first)


def _put(levels: NDArray[np.uint8], block: Block, cells: NDArray[np.uint8]) -> None:
    """Put a block's levels into the cells of a grid: (rows of maps, height, columns of maps, width)."""
    height, width, maps = levels.shape
    columns = cells.shape[2]
    lines, right = block[0], slice(GAP + block[1].start, GAP + block[1].stop)
    rows, rest = divmod(maps, columns)
    row = block[2].start // columns
    full = levels[:, :, : rows * columns].reshape(height, width, rows, columns).transpose(2, 0, 3, 1)
    np.add(full, _FIRST_INDEX, out=cells[row : row + rows, lines, :, right])
    if rest:
        last = levels[:, :, rows * columns :].transpose(0, 2, 1)
        np.add(last, _FIRST_INDEX, out=cells[row + rows, lines, :rest, right])


def _grid(layout: Layout, png: bytes, colormap: Colormap, scale: Scale, levelling: Levelling, first: int) -> Grid:
    low, high = levelling.low, levelling.high
    return Grid(**vars(layout), png=png, colormap=colormap, scale=scale, low=low, high=high, first=first)


def draw_map(
    activation: Values,
    channel: int,
    colormap: Colormap = Colormap.VIRIDIS,
    scale: Scale = Scale.LAYER,
    extremes: Extremes | None = None,
) -> Grid:
    """Draw one feature map of an activation, (height, width, channels), in the colours that it has in the grid.

    extremes: the activation's, if they are known already.
    """
    height, width, _ = activation.shape
    levelling = find_levelling([activation], colormap, scale, extremes)
    pixel_rows = np.zeros((height, 1 + width), dtype=np.uint8)  # with their filter bytes
    for block in cut_blocks((height, width, 1)):
        wanted = shift(block, channel)
        levels = levelling.levels(activation[wanted], wanted[2])
        np.add(levels[:, :, 0], _FIRST_INDEX, out=pixel_rows[:, 1:][block[:2]])
    png = encode_palette_rows(pixel_rows, _palette(colormap))
    return _grid(lay_out_grid(height, width, 1), png, colormap, scale, levelling, channel)


def draw_strip(
    values: Values,
    colormap: Colormap = Colormap.VIRIDIS,
    columns: int = STRIP_COLUMNS,
    first: int = 0,
    count: int | None = None,
    extremes: Extremes | None = None,
    scale: Scale = Scale.LAYER,
) -> Grid:
    """Draw a vector, (units,), in rows of cells without gaps.

    columns: units in a row. first, count: draw only some units, in the colours that they have among all of them.
    extremes: the vector's, as one map, if they are known already.
    """
    return draw_strips([values], colormap, columns, first, count, extremes, scale)[0]


def draw_strips(
    vectors: Sequence[Values],
    colormap: Colormap = Colormap.VIRIDIS,
    columns: int = STRIP_COLUMNS,
    first: int = 0,
    count: int | None = None,
    extremes: Extremes | None = None,
    scale: Scale = Scale.LAYER,
) -> list[Grid]:
    """Draw several vectors of one length, (units,), like draw_strip but on a common scale.

    What is no array must be a map, (units, 1, 1).
    """
    maps = [each.reshape(-1, 1, 1) if isinstance(each, np.ndarray) else each for each in vectors]
    # A vector is one map, so its own extremes are the layer's.
    levelling = find_levelling(maps, colormap, Scale.HOLD if scale is Scale.HOLD else Scale.LAYER, extremes)
    return [_lay_out_strip(each, levelling, colormap, columns, first, count) for each in maps]


def _lay_out_strip(
    vector: Values, levelling: Levelling, colormap: Colormap, columns: int, first: int, count: int | None
) -> Grid:
    units = vector.shape[0] - first if count is None else min(count, vector.shape[0] - first)
    layout = lay_out_strip(units, columns)
    pixel_rows = np.full((layout.rows, 1 + layout.columns), _GAP_INDEX, dtype=np.uint8)  # with their filter bytes
    # As a map, (rows, columns), the vector would need a copy where its last row is short.
    for row in range(0, layout.rows, _STRIP_ROWS):
        start, end = row * layout.columns, min(units, (row + _STRIP_ROWS) * layout.columns)
        wanted = (slice(first + start, first + end), _ALL, _ALL)
        levels = levelling.levels(vector[wanted], _ALL).ravel()
        full, rest = divmod(levels.size, layout.columns)
        np.add(
            levels[: levels.size - rest].reshape(full, layout.columns),
            _FIRST_INDEX,
            out=pixel_rows[row : row + full, 1:],
        )
        if rest:
            np.add(levels[-rest:], _FIRST_INDEX, out=pixel_rows[row + full, 1 : 1 + rest])
    png = encode_palette_rows(pixel_rows, _palette(colormap), transparent=_GAP_INDEX)
    return _grid(layout, png, colormap, Scale.LAYER, levelling, first)


@cache
def _palette(colormap: Colormap) -> bytes:
    return bytes(3) + colours(colormap).tobytes()
