import base64
import gc
import math
import re
import weakref
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cnn.network import Network
from app.explore.exploration import LayerView, as_maps
from app.explore.prediction import ClassProbability
from app.imaging.colormap import find_extremes
from app.imaging.grid import draw_grid, draw_strip, lay_out_grid, lay_out_strip
from app.web.layer_list import LayerEntry, MapPage
from app.web.templates import (
    bar_length,
    count,
    data_url,
    grid_geometry,
    grid_size,
    have_words,
    number,
    percent,
    picture_words,
    shape,
    spaced,
    strip_size,
    templates,
)
from tests.pictures import four_png
from tests.small_models import build_logistic, card, parts


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "0"),
        (1.0, "100"),
        (0.5, "50.0"),
        (0.123, "12.3"),
        (0.001, "0.1"),
        (0.0001, "0.01"),
    ],
)
def test_percent(probability: float, text: str) -> None:
    assert percent(probability) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_percent_never_reads_certain_where_it_is_not(probability: float) -> None:
    text = percent(probability)
    assert re.sub(r"[.,]0*$", "", text) not in {"0", "100"}
    assert not re.fullmatch(r"0(\.0*)?|100(\.0*)?", text)


@given(st.floats(0, 1, width=32, exclude_min=True, exclude_max=True))
def test_percent_is_close_to_the_probability(probability: float) -> None:
    text = percent(probability)
    if re.fullmatch(r"\d+\.\d+", text):
        assert math.isclose(float(text), probability * 100, abs_tol=0.051)


@given(st.floats(0, 5e-8, exclude_min=True))
def test_a_tiny_probability_is_a_power_of_ten(probability: float) -> None:
    match = re.fullmatch(r"(\d)·10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", percent(probability))
    assert match
    exponent = int(match[2].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
    assert math.isclose(float(match[1]) * 10.0**-exponent, probability * 100, rel_tol=0.51)


def test_nearly_certain_is_said_as_more_than() -> None:
    assert percent(1 - 1e-9) == "> 99.9999"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (3.14159, "3.142"), (-0.00012345, "\N{MINUS SIGN}0.0001234"), (5.0, "5")]
)
def test_a_number_has_four_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_large_count_has_commas() -> None:
    assert count(83_322) == "83,322"


def test_a_shape_is_written_with_crosses() -> None:
    assert shape((28, 28, 1)) == "28×28×1"


def test_a_size_that_may_be_any_says_so() -> None:
    assert shape((None, None, 3)) == "any×any×3"


def test_a_data_url_holds_the_file() -> None:
    kind, _, content = data_url(four_png()).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content) == four_png()


@pytest.mark.parametrize(("side", "size"), [(13, (288, 192)), (280, (840, 560))])
def test_maps_are_shown_at_a_size_to_look_at_or_at_their_own(side: int, size: tuple[int, int]) -> None:
    """With a pixel's gap between them, three a row, in two rows: as wide as the maps, and of the picture's shape."""
    grid = draw_grid(np.zeros((side, side, 5), dtype=np.float32), columns=3)
    width, height = grid_size(grid)
    assert (width, round(height, -1)) == (size[0], round(size[1], -1))
    assert height == round(width * grid.height / grid.width)


@pytest.mark.parametrize(("units", "size"), [(10, (600, 14)), (300, (256 * 60, 12))])
def test_a_strip_of_several_rows_has_lower_ones(units: int, size: tuple[int, int]) -> None:
    assert strip_size(lay_out_strip(units)) == size


def test_scripts_are_told_where_the_maps_are() -> None:
    assert grid_geometry(lay_out_grid(13, 11, 20), 64, 20) == "64 20 16 11 13 1"
    assert spaced((0.0, 1.5, 28.0, 28.0)) == "0.0 1.5 28.0 28.0"


def test_a_bar_is_never_longer_than_its_place() -> None:
    assert [bar_length(each) for each in (-0.5, 0, 0.25, 1, 1.5)] == [0, 0, 25, 100, 100]


def test_classes_of_several_letters_are_words() -> None:
    assert not have_words([ClassProbability("7", 0.5), ClassProbability("8", 0.5)])
    assert have_words([ClassProbability("7", 0.5), ClassProbability("ten", 0.5)])


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


class Activations:
    """Stands for the megabytes that a page is about."""


def test_what_a_page_was_about_goes_when_it_is_rendered(no_collector: None) -> None:
    """Not when the garbage collector finds it: macros that see a page's context would hold it in a circle."""
    about = Activations()
    gone = weakref.ref(about)
    templates.env.get_template("_microscope.html").render(exploration=about)
    del about
    assert gone() is None


def make_entry(shape: tuple[int, ...], first: int = 0, count: int | None = None, is_drawn: bool = True) -> LayerEntry:
    """A layer whose last map, or unit, responds most strongly."""
    activation = np.arange(math.prod(shape), dtype=np.float32).reshape(shape) - 1
    network = Network("small", parts(build_logistic()), card(build_logistic()))
    layer = replace(network.layers[0], name="<one>", output_shape=shape)
    count = shape[-1] if count is None else count
    extremes = find_extremes(as_maps(activation))
    grid = draw_grid(activation) if len(shape) == 3 else draw_strip(activation)
    view = LayerView(network, np.zeros((28, 28, 1), np.float32), layer, activation, extremes, grid)
    return LayerEntry(layer, shape, MapPage(first, count, shape[-1], count), grid, view if is_drawn else None, False)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            make_entry((2, 3, 4)),
            "4 feature maps of <one>, 2×3 each, values from \N{MINUS SIGN}1 to 22; map 3 responds most strongly",
        ),
        (
            make_entry((2, 2, 1)),
            "1 feature map of <one>, 2×2 each, values from \N{MINUS SIGN}1 to 2; map 0 responds most strongly",
        ),
        (
            make_entry((2, 3, 4), first=1, count=2),
            "Maps 1 to 2 of the 4 feature maps of <one>, 2×3 each, values from \N{MINUS SIGN}1 to 22; "
            "map 3 responds most strongly",
        ),
        (make_entry((5,)), "5 values of <one>, from \N{MINUS SIGN}1 to 3"),
        (make_entry((5,), first=2, count=2), "Values 2 to 3 of the 5 values of <one>, from \N{MINUS SIGN}1 to 3"),
        (make_entry((5,), is_drawn=False), ""),
    ],
)
def test_the_words_for_a_picture(given: LayerEntry, words: str) -> None:
    assert picture_words(given) == words
