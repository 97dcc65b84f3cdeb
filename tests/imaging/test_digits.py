"""Several digits in one picture: found where there are, and never in one digit."""

import numpy as np
import pytest
from PIL import Image, ImageChops

from app.imaging.digits import find_digits
from app.imaging.drawing import SAMPLES, Box, Stroke, draw_strokes
from app.imaging.ink import normalise, read_digit, read_ink
from tests.pictures import draw_four, draw_row, encode


@pytest.mark.parametrize("digits", ["42", "10", "11", "123", "90817"])
def test_digits_side_by_side_are_told_apart(digits: str) -> None:
    found = find_digits(ImageChops.invert(draw_row(digits)))
    assert len(found) == len(digits)
    for digit, each in zip(digits, found, strict=True):
        alone = read_ink(encode(draw_strokes(SAMPLES[digit])))
        assert np.abs(normalise(each.ink).astype(float) - normalise(alone)).mean() < 1


@pytest.mark.parametrize("pen_width", [1.5, 6, 18, 36])
@pytest.mark.parametrize("digit", SAMPLES)
def test_one_digit_is_one(digit: str, pen_width: float) -> None:
    assert find_digits(ImageChops.invert(draw_strokes(SAMPLES[digit], pen_width=pen_width))) == []


@pytest.mark.parametrize(
    "strokes",
    [
        [[(90, 90), (85, 200), (190, 205)], [(120, 60), (200, 55)]],  # a five whose top lies apart
        [[(90, 60), (80, 150), (150, 155)], [(180, 100), (175, 240)]],  # a four in two strokes that do not touch
        [[(100, 60), (100, 220)], [(180, 215), (186, 220)]],  # a one and a dot
        [[(60, 140), (120, 140)], [(180, 60), (180, 220)]],  # a dash and a one
    ],
    ids=["five", "four", "dot", "dash"],
)
def test_strokes_of_one_digit_are_not_two(strokes: list[Stroke]) -> None:
    assert find_digits(ImageChops.invert(draw_strokes(strokes, pen_width=8))) == []


def test_slanted_digits_whose_boxes_overlap_do_not_reach_into_each_other() -> None:
    strokes: list[Stroke] = [[(100, 60), (60, 220)], [(150, 60), (110, 220)]]
    first, second = find_digits(ImageChops.invert(draw_strokes(strokes, pen_width=8)))
    assert first.box.right > second.box.left
    for each in (first, second):
        assert each.ink.size == (each.box.right - each.box.left, each.box.bottom - each.box.top)
        alone = draw_strokes([[(40 + 40, 60), (40, 220)]], pen_width=8)
        assert np.abs(normalise(each.ink).astype(float) - normalise(read_ink(encode(alone)))).mean() < 2


@pytest.mark.parametrize("step", [1, 2, 5])
def test_a_pattern_is_no_row_of_digits(step: int) -> None:
    pattern = np.zeros((280, 280), np.uint8)
    pattern[::2, :: 2 * step] = 255
    assert find_digits(Image.fromarray(pattern)) == []


def test_no_ink_holds_no_digits() -> None:
    assert find_digits(Image.new("L", (280, 280))) == []


def test_the_leftmost_of_several_is_read_and_any_other_by_its_box() -> None:
    drawing = encode(draw_row("42"))
    ink, (left, right) = read_digit(drawing)
    assert left.right < right.left
    for box, digit in ((None, "4"), (left, "4"), (right, "2")):
        ink, boxes = read_digit(drawing, region=box)
        assert boxes == (left, right)
        alone = read_ink(encode(draw_strokes(SAMPLES[digit])))
        assert np.abs(normalise(ink).astype(float) - normalise(alone)).mean() < 1


def test_boxes_are_in_pixels_of_the_picture() -> None:
    small = draw_row("42")
    large = small.resize((small.width * 5, small.height * 5))
    for box, expected in zip(read_digit(encode(large)).boxes, read_digit(encode(small)).boxes, strict=True):
        assert np.abs(np.array(box) - 5 * np.array(expected)).max() <= 20


def test_several_digits_in_a_region_have_boxes_in_the_whole_picture() -> None:
    row = draw_row("123")
    whole = read_digit(encode(row)).boxes
    part = read_digit(encode(row), region=Box(190, 0, row.width, 280)).boxes
    assert np.abs(np.array(part) - np.array(whole[1:])).max() <= 6


def test_a_region_that_holds_one_digit_names_no_others() -> None:
    picture = Image.new("L", (560, 280), 255)
    picture.paste(draw_four())
    picture.paste(draw_four(), (280, 0))
    ink, boxes = read_digit(encode(picture), region=Box(0, 0, 280, 280))
    assert boxes == ()
    np.testing.assert_array_equal(normalise(ink), normalise(read_ink(encode(draw_four()))))


def test_digits_on_a_photograph_are_told_apart() -> None:
    row = np.asarray(draw_row("42")).astype(float) / 255
    light = np.linspace(1, 0.5, row.shape[1]) * (60 + 165 * np.pad(row[10:-10, 10:-10], 10, constant_values=1))
    picture = light + np.random.default_rng(0).normal(0, 3, row.shape)
    drawing = encode(Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)))
    assert len(read_digit(drawing).boxes) == 2
