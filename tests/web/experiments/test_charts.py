"""Charts: everything measured stands within the picture, at its value."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.experiments.chart import Chart, Kind, Panel, Point, Scale, Series, number_ticks
from app.web.experiments.charts import HEIGHT, WIDTH, DrawnChart, draw_chart


def chart(*values: float | None, kind: Kind = Kind.LINES, scale: Scale = Scale.SHARE, errors: float = 0.0) -> Chart:
    points = tuple(Point(x, y, errors) for x, y in enumerate(values))
    return Chart((Panel((Series("one", points),), number_ticks(range(len(values)))),), "Shift", "Accuracy", kind, scale)


def heights(drawn: DrawnChart) -> list[float]:
    return [mark.y for mark in drawn.panels[0].series[0].marks]


def value_at(drawn: DrawnChart, y: float) -> float:
    """Read a value off the axis, between the lowest and the highest tick."""
    low, high = drawn.panels[0].y_ticks[0], drawn.panels[0].y_ticks[-1]
    first, last = (
        float(tick.label.replace("\N{MINUS SIGN}", "-").replace("%", "").replace(",", "")) for tick in (low, high)
    )
    return first + (last - first) * (low.place - y) / (low.place - high.place)


def test_points_stand_where_the_axis_says() -> None:
    drawn = draw_chart(chart(0.1, 0.55, 1.0))
    assert [round(value_at(drawn, y), 1) for y in heights(drawn)] == [10.0, 55.0, 100.0]
    assert [tick.label for tick in drawn.panels[0].y_ticks] == [f"{each} %" for each in range(0, 101, 20)]
    left, middle, right = (mark.x for mark in drawn.panels[0].series[0].marks)
    assert middle - left == pytest.approx(right - middle, abs=0.02)
    assert drawn.panels[0].series[0].line.count("L") == 2


def test_the_axis_of_high_shares_begins_below_them() -> None:
    drawn = draw_chart(chart(0.952, 0.99))
    assert [tick.label for tick in drawn.panels[0].y_ticks] == [f"{each} %" for each in range(95, 101)]
    bars = draw_chart(chart(0.952, 0.99, kind=Kind.BARS))
    assert bars.panels[0].y_ticks[0].label == "0 %"  # a bar's length is its value


def test_bars_go_from_zero_up_and_down() -> None:
    drawn = draw_chart(chart(0.5, -0.25, kind=Kind.BARS, scale=Scale.NUMBER))
    zero = next(tick.place for tick in drawn.panels[0].y_ticks if tick.label == "0")
    for mark, is_up in zip(drawn.panels[0].series[0].marks, (True, False), strict=True):
        base = float(re.match(r"M[\d.]+,([\d.]+)V", mark.path).group(1))  # type: ignore[union-attr]
        assert base == zero and (mark.y < zero) is is_up and (mark.label_y < zero) is is_up


def test_powers_of_ten_are_even_steps() -> None:
    drawn = draw_chart(chart(45, 98_500, 192_020_100, scale=Scale.LOGARITHMIC))
    ticks = drawn.panels[0].y_ticks
    small, large = ["10", "100", "1,000", "10,000", "100,000"], ["1 M", "10 M", "100 M", "1,000 M"]
    assert [tick.label for tick in ticks] == [*small, *large]
    steps = [low.place - high.place for low, high in pairwise(ticks)]
    assert max(steps) - min(steps) < 0.02


def test_what_was_not_measured_is_left_out_and_errors_are_drawn() -> None:
    drawn = draw_chart(chart(None, 0.5, errors=0.1))
    (mark,) = drawn.panels[0].series[0].marks
    assert mark.high < mark.y < mark.low and drawn.has_errors and mark.words == "one, 1: 50.00 ± 10.00 %"
    assert drawn.panels[0].series[0].line == ""
    empty = draw_chart(chart(None, None))
    assert empty.panels[0].series[0].marks == ()


def test_long_names_are_slanted_under_bars_and_thinned_under_lines() -> None:
    ticks = tuple((float(number), f"convolution_{number}") for number in range(9))
    series = (Series("one", tuple(Point(place, 0.5) for place, _ in ticks)),)
    bars = draw_chart(Chart((Panel(series, ticks),), "Layer", "Accuracy", Kind.BARS)).panels[0]
    assert bars.is_slanted and len(bars.x_ticks) == 9 and bars.height > HEIGHT
    lines = draw_chart(Chart((Panel(series, ticks),), "Layer", "Accuracy")).panels[0]
    assert not lines.is_slanted and 1 < len(lines.x_ticks) < 9 and lines.x_ticks[-1].label == "convolution_8"


def test_series_of_one_name_look_the_same_in_all_panels() -> None:
    points = (Point(0, 0.1), Point(1, 0.2))
    panels = (
        Panel((Series("max", points), Series("min", points)), number_ticks((0, 1)), "first"),
        Panel((Series("min", points),), number_ticks((0, 1)), "second"),
    )
    drawn = draw_chart(Chart(panels, "Bits", "Accuracy"))
    assert [(name, style) for name, style, _ in drawn.legend] == [("max", 0), ("min", 1)]
    assert drawn.panels[1].series[0].style == 1
    assert drawn.panels[0].words == "Accuracy by bits: max and min."


@given(
    st.lists(st.floats(-1, 1) | st.none(), min_size=1, max_size=12),
    st.sampled_from(Kind),
    st.sampled_from(Scale),
    st.floats(0, 0.5),
)
def test_everything_stays_within_the_picture(
    values: list[float | None], kind: Kind, scale: Scale, errors: float
) -> None:
    if scale is Scale.SHARE:
        values = [None if value is None else abs(value) for value in values]
    if scale is Scale.LOGARITHMIC:
        values = [None if value is None else 10 ** (9 * abs(value)) for value in values]
    drawn = draw_chart(chart(*values, kind=kind, scale=scale, errors=errors))
    panel = drawn.panels[0]
    for mark in panel.series[0].marks:
        assert panel.left <= mark.x <= panel.right
        assert panel.top <= mark.high <= mark.y <= mark.low <= panel.bottom
    assert all(0 <= tick.label_x <= WIDTH for tick in panel.x_ticks)
    places = [tick.place for tick in panel.y_ticks]
    assert len(places) >= 2 and places == sorted(places, reverse=True) and len(set(places)) == len(places)
