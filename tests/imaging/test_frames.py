"""Boxes around a digit: removed where they are, and nothing else removed."""

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from app.imaging.drawing import SAMPLES, Stroke, draw_strokes
from app.imaging.frames import remove_frames


def ink_of(strokes: list[Stroke], pen_width: float = 10) -> Image.Image:
    return ImageChops.invert(draw_strokes(strokes, 280, pen_width))


def boxed(ink: Image.Image, corners: list[tuple[int, int]], width: int = 4) -> Image.Image:
    picture = ink.copy()
    ImageDraw.Draw(picture).line([*corners, corners[0]], fill=255, width=width)
    return picture


@pytest.mark.parametrize("digit", SAMPLES)
@pytest.mark.parametrize(
    "corners",
    [
        [(20, 20), (260, 20), (260, 260), (20, 260)],
        [(5, 10), (250, 4), (274, 270), (12, 262)],  # drawn by hand
        [(30, 4), (276, 30), (250, 276), (4, 250)],  # turned by six degrees
    ],
    ids=["square", "askew", "turned"],
)
def test_a_box_is_removed_and_the_digit_stays(digit: str, corners: list[tuple[int, int]]) -> None:
    ink = ink_of(SAMPLES[digit])
    np.testing.assert_array_equal(np.asarray(remove_frames(boxed(ink, corners))), np.asarray(ink))


@pytest.mark.parametrize("pen_width", [4, 18, 36])
@pytest.mark.parametrize("digit", SAMPLES)
def test_a_digit_is_no_box(digit: str, pen_width: float) -> None:
    ink = ink_of(SAMPLES[digit], pen_width)
    assert remove_frames(ink) is ink


def test_a_zero_with_a_dot_in_it_is_no_box() -> None:
    ink = ink_of([*SAMPLES["0"], [(140, 120), (140, 160)]])
    assert remove_frames(ink) is ink


def test_an_empty_box_stays() -> None:
    ink = boxed(Image.new("L", (280, 280)), [(60, 60), (220, 60), (220, 220), (60, 220)])
    assert remove_frames(ink) is ink


def test_no_ink_holds_no_box() -> None:
    ink = Image.new("L", (28, 28))
    assert remove_frames(ink) is ink
