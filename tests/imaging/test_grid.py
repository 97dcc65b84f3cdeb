import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.imaging.colormap import Colormap, colours
from app.imaging.grid import STRIP_COLUMNS, Grid, Scale, draw_grid, draw_map, draw_strip, quantise
from tests.pictures import decode_rgba

BOTH_SCALES = pytest.mark.parametrize("scale", list(Scale))
BOTH_KINDS = pytest.mark.parametrize("colormap", [Colormap.VIRIDIS, Colormap.BERLIN])


def activation(height: int, width: int, channels: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(1, 3, (height, width, channels)).astype(np.float32)


def expected_levels(values: NDArray[np.float32], colormap: Colormap, scale: Scale) -> NDArray[np.int64]:
    """Each value's level by the book, map by map, in float64."""
    levels = np.zeros(values.shape, dtype=np.int64)
    for channel in range(values.shape[2]):
        extremes = values[:, :, channel] if scale is Scale.MAP else values
        low, high = float(extremes.min()), float(extremes.max())
        if colormap.diverging:
            high = max(abs(low), abs(high))
            low = -high
        levels[:, :, channel] = np.floor((values[:, :, channel].astype(float) - low) / (high - low) * 254 + 0.5)
    return levels


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


@BOTH_SCALES
@BOTH_KINDS
def test_levels_are_those_of_the_reference(colormap: Colormap, scale: Scale) -> None:
    values = activation(20, 20, 8)
    levels, _, _ = quantise(values, colormap, scale)
    expected = expected_levels(values, colormap, scale)
    assert np.abs(levels - expected).max() <= 1
    assert (levels == expected).mean() > 0.999


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


@BOTH_SCALES
def test_zero_has_the_middle_colour_of_a_diverging_map(scale: Scale) -> None:
    values = activation(4, 4, 3)
    values[0, 0] = 0
    levels, _, _ = quantise(values, Colormap.BERLIN, scale)
    assert levels[0, 0].tolist() == [127, 127, 127]


@given(st.floats(0.125, 1000, width=32), st.floats(-1, 1, width=32))
def test_a_diverging_map_is_symmetric_about_zero(largest: float, part: float) -> None:
    value = np.float32(largest * part)
    values = np.array([largest, value, -value], dtype=np.float32).reshape(1, 3, 1)
    levels, low, high = quantise(values, Colormap.BERLIN, Scale.LAYER)
    assert low is not None and high is not None and low == -high
    above, below = levels[0, 1:, 0].astype(int)
    assert abs((above - 127) + (below - 127)) <= 1


def test_the_ends_of_a_diverging_map_are_symmetric() -> None:
    grid = draw_grid(np.array([-1, 4], dtype=np.float32).reshape(1, 2, 1), Colormap.BERLIN)
    assert (grid.low, grid.high) == (-4, 4)


@BOTH_SCALES
@BOTH_KINDS
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_a_value_that_is_not_one_leaves_the_others_as_they_are(odd: float, colormap: Colormap, scale: Scale) -> None:
    values = activation(4, 4, 2) + np.array([100, 30], dtype=np.float32)
    others = np.ones(values.shape, dtype=bool)
    others[1, 1, 0] = False
    values[1, 1, 0] = 100  # neither the lowest nor the highest
    without, low, high = quantise(values, colormap, scale)
    values[1, 1, 0] = odd
    levels, low_with, high_with = quantise(values, colormap, scale)
    np.testing.assert_array_equal(levels[others], without[others])
    assert (low_with, high_with) == (low, high)


def test_a_value_that_is_not_one_is_drawn_as_the_lowest() -> None:
    values = activation(4, 4, 1)
    values[1, 2, 0] = np.nan
    levels, _, _ = quantise(values, Colormap.VIRIDIS, Scale.LAYER)
    assert levels[1, 2, 0] == 0


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
