"""Each way of writing a digit does to its strokes what it says, and to those that it does not fit nothing."""

import numpy as np
import pytest

from app.training import styles
from app.training.pen import StrokePoints
from app.training.styles import STYLES, Strokes, restyle


def arc(middle: tuple[float, float], radii: tuple[float, float], first: float, last: float) -> StrokePoints:
    """Part of an ellipse, from one angle to another in degrees; 90 is its top."""
    angles = np.radians(np.linspace(first, last, 40))
    return np.asarray(middle) + np.stack([np.cos(angles), -np.sin(angles)], axis=1) * radii


CIRCLE = arc((0.5, 0.5), (0.2, 0.3), 90, 450)
STEM = np.linspace((0.5, 0.2), (0.5, 0.8), 13)
SEVEN = np.concatenate([np.linspace((0.3, 0.2), (0.6, 0.2), 8), np.linspace((0.6, 0.2), (0.4, 0.8), 12)])
BAR = np.linspace((0.35, 0.5), (0.65, 0.5), 6)
FOUR = [np.array([[0.4, 0.2], [0.3, 0.5], [0.7, 0.5]]), np.linspace((0.6, 0.3), (0.6, 0.8), 9)]
FIVE = [np.concatenate([np.linspace((0.35, 0.2), (0.35, 0.45), 6), arc((0.4, 0.62), (0.2, 0.18), 90, -120)])]
FIVE.append(np.linspace((0.35, 0.2), (0.65, 0.2), 6))
SIX = np.concatenate([np.linspace((0.6, 0.1), (0.3, 0.65), 15), arc((0.45, 0.65), (0.15, 0.15), 180, 520)])
NINE = np.concatenate([arc((0.5, 0.3), (0.15, 0.15), 0, 360), np.linspace((0.65, 0.3), (0.6, 0.9), 15)])

DIGITS: dict[int, Strokes] = {0: [CIRCLE], 1: [STEM], 4: FOUR, 5: FIVE, 6: [SIX], 7: [SEVEN, BAR], 9: [NINE]}
EVERY_STYLE = [(label, style.write) for label, all_styles in STYLES.items() for style in all_styles]


def written(label: int, write: styles.Write, count: int = 200) -> list[Strokes]:
    rng = np.random.default_rng(0)
    return [write(list(DIGITS[label]), rng) for _ in range(count)]


def test_shares_are_those_of_the_styles() -> None:
    rng = np.random.default_rng(0)
    for label, all_styles in STYLES.items():
        original = DIGITS[label]
        changed = [
            len(drawn) != len(original) or any(a is not b for a, b in zip(drawn, original, strict=True))
            for drawn in (restyle(label, original, rng) for _ in range(500))
        ]
        expected = sum(style.share for style in all_styles if style.write is not styles.bar_seven)
        assert np.mean(changed) == pytest.approx(expected, abs=0.07), label


@pytest.mark.parametrize("label", [2, 3, 8])
def test_the_other_digits_stay_as_they_are(label: int) -> None:
    rng = np.random.default_rng(0)
    assert all(restyle(label, [CIRCLE], rng)[0] is CIRCLE for _ in range(50))


@pytest.mark.parametrize(("label", "write"), EVERY_STYLE, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_style_draws_lines_of_the_digit_s_size_and_changes_no_stroke_in_place(
    label: int, write: styles.Write
) -> None:
    before = [stroke.copy() for stroke in DIGITS[label]]
    for strokes in written(label, write, 50):
        points = np.concatenate(strokes)
        assert np.isfinite(points).all()
        assert 0.3 < np.ptp(points, axis=0).max() < 1.5
    for stroke, copy in zip(DIGITS[label], before, strict=True):
        np.testing.assert_array_equal(stroke, copy)


@pytest.mark.parametrize(("label", "write"), EVERY_STYLE, ids=lambda value: getattr(value, "__name__", str(value)))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_dot_or_a_short_line_can_be_written_in_any_style(label: int, write: styles.Write, count: int) -> None:
    rng = np.random.default_rng(0)
    for points in (1, 2, 5):
        strokes = [np.full((points, 2), 0.5) for _ in range(count)]
        assert np.isfinite(np.concatenate(write(strokes, rng))).all()


def test_lines_through_a_zero_take_every_direction_and_its_middle() -> None:
    lines = [strokes[1] for strokes in written(0, styles.cross_zero, 400)]
    across, up = np.array([line[-1] - line[0] for line in lines]).T * ((1,), (-1,))
    degrees = np.degrees(np.arctan2(up, across))
    for low, high, least in ((-80, -20, 0.1), (-15, 15, 0.1), (20, 80, 0.3), (70, 110, 0.08)):
        assert ((low < degrees) & (degrees < high)).mean() > least
    middles = np.array([(line[0] + line[-1]) / 2 for line in lines])
    np.testing.assert_allclose(np.median(middles, axis=0), 0.5, atol=0.02)


def test_some_lines_stay_inside_a_zero_and_some_stick_out() -> None:
    ends = np.concatenate([strokes[1][[0, -1]] for strokes in written(0, styles.cross_zero)])
    is_inside = (((ends - 0.5) / (0.2, 0.3)) ** 2).sum(axis=1) < 1
    assert 0.2 < is_inside.mean() < 0.8


def test_a_dot_is_in_the_middle_of_its_zero() -> None:
    for _, dot in written(0, styles.dot_zero):
        assert np.abs(dot - 0.5).max() < 0.2


def test_an_open_zero_lacks_a_part_of_its_ring() -> None:
    for (ring,) in written(0, styles.open_zero):
        assert 0.85 * len(CIRCLE) <= len(ring) < len(CIRCLE)


def test_ones_are_written_with_upstroke_foot_both_and_neither() -> None:
    kinds = {(strokes[0][0, 0] < 0.48, len(strokes)) for strokes in written(1, styles.write_one)}
    assert kinds == {(False, 1), (False, 2), (True, 1), (True, 2)}


def test_a_foot_is_nearly_level_and_under_the_stem() -> None:
    for strokes in written(1, styles.write_one):
        for foot in strokes[1:]:
            across, down = np.abs(foot[-1] - foot[0])
            assert across > 3 * down
            assert np.abs(foot.mean(axis=0) - STEM[-1]).max() < 0.15


def test_the_stem_of_a_four_moves_beside_its_angle() -> None:
    moved = np.array([strokes[1][0] - FOUR[1][0] for strokes in written(4, styles.open_four)])
    assert (moved.min(axis=0) < 0).all() and (moved.max(axis=0) > 0.05).all()


def test_the_top_of_a_five_leaves_its_body() -> None:
    drawn = written(5, styles.detach_top)
    assert all(strokes[1] is FIVE[0] for strokes in drawn)
    gaps = [np.linalg.norm(top[:, None] - body, axis=2).min() for top, body in drawn]
    assert min(gaps) < 0.02 and max(gaps) > 0.1


def test_a_five_in_one_stroke_ends_as_its_body_does() -> None:
    for strokes in written(5, styles.join_top):
        assert len(strokes) == 1
        np.testing.assert_array_equal(strokes[0][-len(FIVE[0]) :], FIVE[0])


def test_the_loop_of_a_six_gets_narrower_and_its_stem_stays() -> None:
    for (path,) in written(6, styles.shrink_loop):
        np.testing.assert_array_equal(path[:15], SIX[:15])
        assert np.ptp(path[26:, 0]) < np.ptp(SIX[26:, 0])


def test_a_seven_keeps_or_loses_its_bar() -> None:
    assert all(len(strokes) == 2 for strokes in written(7, styles.bar_seven))
    assert all(len(strokes) == 1 for strokes in written(7, styles.unbar_seven))
    added = styles.bar_seven([SEVEN], np.random.default_rng(0))
    across, down = np.abs(added[1][-1] - added[1][0])
    assert across > down
    assert 0.35 < added[1][:, 1].mean() < 0.65


def test_a_bar_in_one_stroke_follows_from_the_foot_of_the_stem() -> None:
    for (path,) in written(7, styles.join_bar):
        np.testing.assert_array_equal(path[: len(SEVEN)], SEVEN)
        steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
        assert steps.max() < 0.2  # no gap
        assert path[-1, 0] > path[-6, 0]  # the bar runs to the right


def test_tails_of_nines_go_left_or_down_and_some_curl_up() -> None:
    tails = [path[len(NINE) - 15 :] for (path,) in written(9, styles.bend_tail)]
    ends = np.array([tail[-1] - tail[0] for tail in tails])
    assert (ends[:, 0] < -0.3).mean() > 0.1
    assert (np.abs(ends[:, 0]) < 0.1).mean() > 0.1
    assert any(tail[-1, 1] < tail[:, 1].max() - 0.05 for tail in tails)
