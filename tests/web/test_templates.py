import base64
import gc
import math
import re
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.grid import draw_grid
from app.web.templates import count, data_url, display_width, number, percent, shape, templates
from tests.pictures import four_png


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
    match = re.fullmatch(r"(\d)·10\^-(\d+)", percent(probability))
    assert match
    assert math.isclose(float(match[1]) * 10.0 ** -int(match[2]), probability * 100, rel_tol=0.51)


def test_nearly_certain_is_said_as_more_than() -> None:
    assert percent(1 - 1e-9) == "> 99.9999"


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (3.14159, "3.142"), (-0.00012345, "-0.0001234"), (5.0, "5")])
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


@pytest.mark.parametrize(("side", "width"), [(13, 3 * 96), (280, 3 * 280)])
def test_maps_are_shown_at_a_size_to_look_at_or_at_their_own(side: int, width: int) -> None:
    assert display_width(draw_grid(np.zeros((side, side, 5), dtype=np.float32), columns=3)) == width


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
