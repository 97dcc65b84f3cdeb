import numpy as np

from app.imaging.strokes import draw_strokes


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
