import numpy as np
import pytest
from numpy.typing import NDArray

from app.imaging.colormap import Colormap, Scale, colours, find_extremes, quantise
from app.imaging.grid import (
    STRIP_COLUMNS,
    Grid,
    draw_grid,
    draw_grids,
    draw_map,
    draw_strip,
    lay_out_grid,
    lay_out_strip,
)
from tests.imaging.values import BOTH_KINDS, BOTH_SCALES, activation, expected_levels
from tests.pictures import decode_rgba


def cut_out(grid: Grid, channel: int) -> NDArray[np.uint8]:
    """One map's pixels in the picture of the grid: (height, width, 4)."""
    top = channel // grid.columns * (grid.map_height + grid.gap)
    left = channel % grid.columns * (grid.map_width + grid.gap)
    return decode_rgba(grid.png)[top : top + grid.map_height, left : left + grid.map_width]


def viridis_levels(pixels: NDArray[np.uint8]) -> list[int]:
    """The level of each opaque pixel, looked up by its colour."""
    table = {tuple(colour): level for level, colour in enumerate(colours(Colormap.VIRIDIS).tolist())}
    return [table[tuple(pixel)] for pixel in pixels[pixels[..., 3] == 255][:, :3].tolist()]


@BOTH_SCALES
@BOTH_KINDS
@pytest.mark.parametrize(
    ("shape", "columns"), [((5, 7, 6), 3), ((3, 2, 7), 4), ((4, 4, 3), 16), ((1, 2, 5), 2), ((2, 9, 1), 1)]
)
def test_every_pixel_has_its_value_s_colour(
    shape: tuple[int, int, int], columns: int, colormap: Colormap, scale: Scale
) -> None:
    values = activation(*shape)
    grid = draw_grid(values, colormap, scale, columns)
    expected = expected_levels(values, colormap, scale)
    for channel in range(shape[2]):
        pixels = cut_out(grid, channel)
        assert (pixels[..., 3] == 255).all()
        # A value right between two levels may be rounded either way in float32.
        found = colours(colormap)[np.clip(expected[..., channel, np.newaxis] + [-1, 0, 1], 0, 254)]
        matches = (found == pixels[:, :, np.newaxis, :3]).all(axis=-1)
        assert matches.any(axis=-1).all()
        assert matches[..., 1].mean() >= 0.9


def test_everything_between_and_after_the_maps_is_transparent() -> None:
    grid = draw_grid(activation(3, 4, 5), columns=3)
    pixels = decode_rgba(grid.png)
    is_map = np.zeros(pixels.shape[:2], dtype=bool)
    for channel in range(5):
        top, left = channel // 3 * 4, channel % 3 * 5
        is_map[top : top + 3, left : left + 4] = True
    np.testing.assert_array_equal(pixels[..., 3], np.where(is_map, 255, 0))


def test_a_grid_knows_its_geometry() -> None:
    grid = draw_grid(activation(3, 4, 5), columns=3)
    assert (grid.columns, grid.rows, grid.map_height, grid.map_width) == (3, 2, 3, 4)
    assert (grid.height, grid.width) == decode_rgba(grid.png).shape[:2] == (7, 14)


def test_there_are_no_more_columns_than_maps() -> None:
    grid = draw_grid(activation(2, 2, 3), columns=64)
    assert (grid.columns, grid.rows) == (3, 1)


def test_with_layer_scale_the_ends_are_the_layer_s_extremes() -> None:
    values = activation(4, 4, 3)
    grid = draw_grid(values)
    assert (grid.low, grid.high) == (values.min(), values.max())
    levels, _, _ = quantise(values, Colormap.VIRIDIS, Scale.LAYER)
    assert (levels.min(), levels.max()) == (0, 254)


def test_with_map_scale_every_map_spans_all_colours() -> None:
    values = activation(4, 4, 3) * np.array([1, 100, 1e-3], dtype=np.float32)
    grid = draw_grid(values, scale=Scale.MAP)
    assert (grid.low, grid.high) == (None, None)
    levels, _, _ = quantise(values, Colormap.VIRIDIS, Scale.MAP)
    assert levels.min(axis=(0, 1)).tolist() == [0, 0, 0]
    assert levels.max(axis=(0, 1)).tolist() == [254, 254, 254]


@BOTH_SCALES
@pytest.mark.parametrize("value", [0.0, -3.5, 1e-38, 7e5])
def test_a_constant_layer_is_drawn_in_one_colour(value: float, scale: Scale) -> None:
    pixels = decode_rgba(draw_grid(np.full((3, 3, 1), value, dtype=np.float32), scale=scale).png)
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) == 1


def test_a_constant_map_beside_others_keeps_its_place_on_the_scale() -> None:
    values = np.zeros((2, 2, 2), dtype=np.float32)
    values[..., 0] = [[0, 10], [5, 5]]
    values[..., 1] = 5
    assert viridis_levels(cut_out(draw_grid(values), 1)) == [127] * 4


def test_the_ends_of_a_diverging_map_are_symmetric() -> None:
    grid = draw_grid(np.array([-1, 4], dtype=np.float32).reshape(1, 2, 1), Colormap.BERLIN)
    assert (grid.low, grid.high) == (-4, 4)


@BOTH_SCALES
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 3e38])
def test_a_layer_without_any_value_can_be_drawn(odd: float, scale: Scale) -> None:
    pixels = decode_rgba(draw_grid(np.full((2, 2, 2), odd, dtype=np.float32), scale=scale).png)
    assert pixels.shape == (2, 5, 4)


@BOTH_SCALES
@BOTH_KINDS
@pytest.mark.parametrize("channel", [0, 4, 6])
def test_one_map_looks_as_it_does_in_the_grid(channel: int, colormap: Colormap, scale: Scale) -> None:
    values = activation(5, 3, 7)
    alone = draw_map(values, channel, colormap, scale)
    whole = draw_grid(values, colormap, scale, columns=3)
    np.testing.assert_array_equal(decode_rgba(alone.png), cut_out(whole, channel))
    assert (alone.low, alone.high) == (whole.low, whole.high)


def test_a_short_vector_is_one_row_of_cells_without_gaps() -> None:
    values = np.array([0, 1, 2, 4], dtype=np.float32)
    strip = draw_strip(values)
    pixels = decode_rgba(strip.png)
    assert (strip.height, strip.width) == pixels.shape[:2] == (1, 4)
    assert viridis_levels(pixels) == [0, 64, 127, 254]
    assert (strip.low, strip.high) == (0, 4)


def test_a_long_vector_is_several_rows_whose_last_may_be_short() -> None:
    values = np.arange(7, dtype=np.float32)
    strip = draw_strip(values, columns=3)
    pixels = decode_rgba(strip.png)
    assert (strip.rows, strip.columns) == (3, 3)
    assert pixels.shape == (3, 3, 4)
    assert pixels[2, :, 3].tolist() == [255, 0, 0]
    assert viridis_levels(pixels) == [0, 42, 85, 127, 169, 212, 254]


def test_a_vector_s_rows_have_a_width_of_their_own() -> None:
    strip = draw_strip(np.arange(STRIP_COLUMNS + 1, dtype=np.float32))
    assert (strip.rows, strip.columns) == (2, STRIP_COLUMNS)


@BOTH_SCALES
@BOTH_KINDS
@pytest.mark.parametrize(("first", "count"), [(0, 4), (4, 4), (8, 4), (9, None), (3, 1)])
def test_some_maps_look_as_they_do_among_all(first: int, count: int | None, colormap: Colormap, scale: Scale) -> None:
    values = activation(5, 3, 10)
    whole = draw_grid(values, colormap, scale, columns=3)
    some = draw_grid(values, colormap, scale, columns=3, first=first, count=count)
    shown = range(first, min(10, first + (count or 10)))
    assert (some.first, some.low, some.high) == (first, whole.low, whole.high)
    assert (some.columns, some.rows) == (min(3, len(shown)), -(-len(shown) // 3))
    for place, channel in enumerate(shown):
        np.testing.assert_array_equal(cut_out(some, place), cut_out(whole, channel))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -3e38])
def test_a_value_that_is_not_one_changes_no_page_but_its_own(odd: float) -> None:
    values = activation(4, 4, 6)
    values[0, 0, 5] = values.mean()
    before = draw_grid(values, first=0, count=3)
    values[0, 0, 5] = odd
    assert draw_grid(values, first=0, count=3) == before


def test_known_extremes_change_nothing() -> None:
    values = activation(5, 3, 10)
    assert draw_grid(values, extremes=find_extremes(values)) == draw_grid(values)


def test_several_grids_may_show_some_maps_only() -> None:
    both = [activation(3, 3, 6, seed=1), activation(3, 3, 6, seed=2)]
    for some, whole in zip(draw_grids(both, count=2), draw_grids(both), strict=True):
        assert (some.low, some.high) == (whole.low, whole.high)
        for channel in range(2):
            np.testing.assert_array_equal(cut_out(some, channel), cut_out(whole, channel))


def test_some_units_look_as_they_do_among_all() -> None:
    values = np.arange(10, dtype=np.float32)
    some = draw_strip(values, columns=4, first=3, count=5)
    assert (some.first, some.columns, some.rows, some.low, some.high) == (3, 4, 2, 0, 9)
    levels = viridis_levels(decode_rgba(draw_strip(values, columns=10).png))
    assert viridis_levels(decode_rgba(some.png)) == levels[3:8]


@pytest.mark.parametrize(("channels", "columns"), [(1, 16), (5, 3), (64, 16)])
def test_a_layout_is_that_of_the_picture_to_come(channels: int, columns: int) -> None:
    grid, layout = draw_grid(activation(3, 4, channels), columns=columns), lay_out_grid(3, 4, channels, columns)
    assert (layout.width, layout.height, layout.columns) == (grid.width, grid.height, grid.columns)
    strip, row = draw_strip(np.arange(channels, dtype=np.float32)), lay_out_strip(channels)
    assert (row.width, row.height, row.columns) == (strip.width, strip.height, strip.columns)
