"""What is a blot, and what is a digit, however small."""

from collections.abc import Sequence

import numpy as np
import pytest

from app.imaging.blots import is_blot
from app.imaging.drawing import CANVAS_SIDE, PEN_WIDTH, SAMPLES, Stroke, draw_strokes
from app.imaging.ink import find_ink, normalise

MIDDLE = CANVAS_SIDE / 2


def judge(strokes: Sequence[Stroke], pen_width: float = PEN_WIDTH) -> bool:
    return is_blot(normalise(find_ink(draw_strokes(strokes, pen_width=pen_width))))


@pytest.mark.parametrize("pen_width", [2, 6, PEN_WIDTH, 32, 36])
@pytest.mark.parametrize("place", [(MIDDLE, MIDDLE), (20.0, 250.0)])
def test_a_single_tap_is_a_blot(pen_width: float, place: tuple[float, float]) -> None:
    assert judge([[place]], pen_width)


@pytest.mark.parametrize("turn", np.linspace(0, np.pi, 7))
def test_a_tap_that_slips_is_a_blot(turn: float) -> None:
    end = (MIDDLE + 5 * np.cos(turn), MIDDLE + 5 * np.sin(turn))
    assert judge([[(MIDDLE, MIDDLE), end]])


def test_a_filled_patch_is_a_blot() -> None:
    scribble = [(x, y) for x in range(60, 220, 10) for y in (60, 220)]
    assert judge([scribble])


def test_a_short_line_that_lies_is_a_blot_and_one_that_stands_a_one() -> None:
    assert judge([[(130, 140), (155, 140)]])
    assert judge([[(130, 140), (150, 130)]])
    assert not judge([[(140, 120), (140, 160)]])


@pytest.mark.parametrize("digit", SAMPLES)
@pytest.mark.parametrize("scale", [0.08, 0.2, 1])
def test_a_digit_is_none_however_small(digit: str, scale: float) -> None:
    strokes = [[(x * scale, y * scale) for x, y in stroke] for stroke in SAMPLES[digit]]
    assert not judge(strokes, PEN_WIDTH * scale)


@pytest.mark.parametrize("digit", SAMPLES)
def test_a_digit_that_is_small_for_the_pen_is_none(digit: str) -> None:
    strokes = [[(x * 0.25 + 90, y * 0.25 + 90) for x, y in stroke] for stroke in SAMPLES[digit]]
    assert not judge(strokes, PEN_WIDTH * 0.6)


def test_ink_and_paper_may_be_swapped() -> None:
    dot, digit = (normalise(find_ink(draw_strokes(strokes))) for strokes in ([[(MIDDLE, MIDDLE)]], SAMPLES["7"]))
    assert is_blot(255 - dot)
    assert not is_blot(255 - digit)


@pytest.mark.parametrize("level", [0, 255])
def test_an_even_picture_has_no_blot(level: int) -> None:
    assert not is_blot(np.full((28, 28), level))


def test_what_runs_over_a_corner_is_no_blot() -> None:
    picture = np.zeros((28, 28))
    picture[:10, :10] = 255
    assert not is_blot(picture)
