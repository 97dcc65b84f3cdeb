import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.colormap import Colormap, Scale, find_extremes, quantise
from tests.imaging.values import BOTH_KINDS, BOTH_SCALES, activation, expected_levels


def test_the_extremes_are_those_of_each_map() -> None:
    values = activation(5, 7, 3)
    extremes = find_extremes(values)
    np.testing.assert_array_equal(extremes.low, values.min(axis=(0, 1)))
    np.testing.assert_array_equal(extremes.high, values.max(axis=(0, 1)))


@BOTH_SCALES
@BOTH_KINDS
def test_some_maps_have_the_levels_that_they_have_among_all(colormap: Colormap, scale: Scale) -> None:
    values = activation(6, 5, 9)
    whole, low, high = quantise(values, colormap, scale)
    some, low_of_some, high_of_some = quantise(values, colormap, scale, maps=slice(2, 6))
    np.testing.assert_array_equal(some, whole[:, :, 2:6])
    assert (low_of_some, high_of_some) == (low, high)


@BOTH_SCALES
@BOTH_KINDS
def test_levels_are_those_of_the_reference(colormap: Colormap, scale: Scale) -> None:
    values = activation(20, 20, 8)
    levels, _, _ = quantise(values, colormap, scale)
    expected = expected_levels(values, colormap, scale)
    assert np.abs(levels - expected).max() <= 1
    assert (levels == expected).mean() > 0.999


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
