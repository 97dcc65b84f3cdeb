import numpy as np
import pytest
from numpy.typing import NDArray

from app.imaging.colormap import LEVELS, Colormap, colours, legend
from tests.pictures import decode_rgba

EVERY = pytest.mark.parametrize("colormap", list(Colormap))
SEQUENTIAL = pytest.mark.parametrize("colormap", [each for each in Colormap if not each.diverging])


def luminance(colormap: Colormap) -> NDArray[np.float64]:
    levels: NDArray[np.float64] = colours(colormap) @ np.array([0.2126, 0.7152, 0.0722])
    return levels


@EVERY
def test_every_level_has_a_colour(colormap: Colormap) -> None:
    assert colours(colormap).shape == (LEVELS, 3)
    assert colours(colormap).dtype == np.uint8


@SEQUENTIAL
def test_a_sequential_map_grows_brighter(colormap: Colormap) -> None:
    assert (np.diff(luminance(colormap)) > -1).all()
    assert luminance(colormap)[-1] - luminance(colormap)[0] > 100


def test_gray_goes_from_black_to_white_evenly() -> None:
    gray = colours(Colormap.GRAY).astype(int)
    assert (gray[0].tolist(), gray[-1].tolist()) == ([0, 0, 0], [255, 255, 255])
    assert np.abs(gray - np.linspace(0, 255, LEVELS)[:, np.newaxis]).max() < 1


def test_viridis_goes_from_purple_to_yellow() -> None:
    viridis = colours(Colormap.VIRIDIS)
    assert (viridis[0].tolist(), viridis[-1].tolist()) == ([68, 1, 84], [253, 231, 37])


DIVERGING = pytest.mark.parametrize("colormap", [Colormap.BERLIN, Colormap.RDBU])


def test_two_are_diverging() -> None:
    assert [each for each in Colormap if each.diverging] == [Colormap.BERLIN, Colormap.RDBU]


def test_one_is_darkest_in_its_middle_and_the_other_brightest() -> None:
    assert abs(int(luminance(Colormap.BERLIN).argmin()) - LEVELS // 2) <= 3
    assert abs(int(luminance(Colormap.RDBU).argmax()) - LEVELS // 2) <= 3
    assert luminance(Colormap.BERLIN).min() < 30 and luminance(Colormap.RDBU).max() > 240


@DIVERGING
def test_a_diverging_map_is_blue_below_and_red_above(colormap: Colormap) -> None:
    table = colours(colormap).astype(int)
    assert table[0, 2] > table[0, 0]
    assert table[-1, 0] > table[-1, 2]


@EVERY
def test_a_legend_is_all_levels_in_a_row(colormap: Colormap) -> None:
    pixels = decode_rgba(legend(colormap))
    np.testing.assert_array_equal(pixels[0, :, :3], colours(colormap))
    assert pixels.shape[0] == 1
