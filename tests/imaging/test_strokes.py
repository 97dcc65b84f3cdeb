import io

import numpy as np
import pytest
from PIL import Image

from app.imaging.drawing import CANVAS_SIDE, FIRST_SAMPLE, SAMPLES, draw_sample, draw_strokes
from app.imaging.ink import normalise, read_ink


def test_nothing_drawn_is_white_paper() -> None:
    picture = draw_strokes([])
    assert (picture.mode, picture.size) == ("L", (280, 280))
    assert picture.getextrema() == (255, 255)


def test_a_stroke_of_one_point_is_a_round_dot() -> None:
    ink = 1 - np.asarray(draw_strokes([[(140, 140)]])) / 255
    assert abs(ink.sum() - np.pi * 9**2) < 0.05 * np.pi * 9**2


def test_a_stroke_is_as_wide_as_the_pen_with_round_caps() -> None:
    ink = 1 - np.asarray(draw_strokes([[(60, 140), (220, 140)]], pen_width=20)) / 255
    assert abs(ink[:, 140].sum() - 20) < 1
    assert abs(ink[140].sum() - (160 + 20)) < 1.5


def test_edges_are_smooth() -> None:
    levels = np.unique(np.asarray(draw_strokes([[(60, 60), (220, 150)]])))
    assert len(levels) > 5


def test_strokes_are_not_joined_to_each_other() -> None:
    pixels = np.asarray(draw_strokes([[(40, 40), (40, 100)], [(240, 40), (240, 100)]]))
    assert (pixels[:, 140] == 255).all()


def test_the_picture_has_the_side_that_is_asked_for() -> None:
    assert draw_strokes([[(10, 10)]], side=56, pen_width=4).size == (56, 56)


def test_there_is_a_sample_of_each_digit() -> None:
    assert sorted(SAMPLES) == list("0123456789")
    assert FIRST_SAMPLE in SAMPLES


@pytest.mark.parametrize("digit", "0123456789")
def test_a_sample_lies_on_the_canvas(digit: str) -> None:
    points = np.array([point for stroke in SAMPLES[digit] for point in stroke])
    assert points.shape[1] == 2
    assert points.min() >= 0
    assert points.max() <= CANVAS_SIDE


@pytest.mark.parametrize("digit", "0123456789")
def test_a_sample_is_a_drawing_that_can_be_read(digit: str) -> None:
    png = draw_sample(digit)
    assert Image.open(io.BytesIO(png)).size == (CANVAS_SIDE, CANVAS_SIDE)
    assert normalise(read_ink(png)).max() == 255


def test_samples_differ_from_each_other() -> None:
    assert len({draw_sample(digit) for digit in SAMPLES}) == 10
