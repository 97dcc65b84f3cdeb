from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.formatting import add_up, fixed, full, group_by_kind, name_place, say_several

floats = st.floats(-1000, 1000, allow_nan=False)


@given(st.lists(floats, min_size=1, max_size=12))
def test_what_is_shown_adds_up_exactly(parts: list[float]) -> None:
    total = sum(parts)
    shown = [Decimal(fixed(part).replace("\N{MINUS SIGN}", "-")) for part in add_up(parts, total)]
    assert sum(shown) == Decimal(fixed(total).replace("\N{MINUS SIGN}", "-"))


@given(st.lists(floats, min_size=1, max_size=12))
def test_no_part_moves_by_more_than_a_unit_of_its_last_digit(parts: list[float]) -> None:
    for part, shown in zip(parts, add_up(parts, sum(parts)), strict=True):
        assert abs(part - shown) <= 1.5e-4 + 1e-9


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.1235"), (-1.5, "−1.5000"), (-0.00001, "0.0000"), (float("inf"), "inf")],  # noqa: RUF001
)
def test_fixed(value: float, text: str) -> None:
    assert fixed(value) == text


def test_full_tells_neighbouring_floats_apart() -> None:
    assert full(0.1) != full(0.1 + 1e-8)
    assert full(-0.25) == "−0.25"  # noqa: RUF001


def test_mends_of_a_kind_are_said_once() -> None:
    renamed = [f"The layer “block/{number}” is called “block_{number}” here." for number in range(125)]
    assert group_by_kind(["One.", *renamed, "Two."]) == [("One.", []), (renamed[0], renamed[1:]), ("Two.", [])]


@pytest.mark.parametrize(
    ("count", "places"),
    [
        (2, ["left", "right"]),
        (3, ["left", "middle", "right"]),
        (4, ["first", "second", "third", "fourth"]),
    ],
)
def test_several_digits_have_names(count: int, places: list[str]) -> None:
    assert [name_place(number, count) for number in range(count)] == places


def test_many_digits_are_counted_in_figures() -> None:
    assert name_place(11, 12) == "12th"
    assert say_several(3) == "This looks like three digits"
    assert say_several(12) == "This looks like 12 digits"
