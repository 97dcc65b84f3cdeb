import numpy as np
import pytest

from app.training.rendering import add_regional_strokes, centre, vary

CIRCLE = np.array([(0.5 + 0.2 * np.cos(a), 0.5 + 0.3 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 30)])
SEVEN = np.array([[0.3, 0.2], [0.6, 0.2], [0.4, 0.8]])
STEM = np.linspace((0.4, 0.2), (0.5, 0.8), 9)


def added(label: int, stroke: np.ndarray) -> list[np.ndarray]:
    """The strokes that a thousand writers added to one."""
    rng = np.random.default_rng(0)
    drawn = [add_regional_strokes(label, [stroke], rng) for _ in range(1000)]
    assert all(strokes[0] is stroke for strokes in drawn)
    return [strokes[1] for strokes in drawn if len(strokes) == 2]


@pytest.mark.parametrize(("label", "stroke", "share"), [(0, CIRCLE, 0.12), (7, SEVEN, 0.15), (1, STEM, 0.08)])
def test_some_writers_add_a_stroke(label: int, stroke: np.ndarray, share: float) -> None:
    assert len(added(label, stroke)) / 1000 == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("label", [2, 3, 4, 5, 6, 8, 9])
def test_the_other_digits_stay_as_they_are(label: int) -> None:
    assert added(label, CIRCLE) == []


def test_a_slash_rises_to_the_right_through_the_middle() -> None:
    for slash in added(0, CIRCLE):
        (left, low), (right, high) = slash[0], slash[-1]
        assert left < 0.5 < right
        assert high < 0.5 < low  # y runs down


def test_a_bar_crosses_the_stem_of_a_seven() -> None:
    for bar in added(7, SEVEN):
        across, down = np.abs(bar[-1] - bar[0])
        assert across > 2 * down
        assert 0.4 < bar[:, 1].mean() < 0.6


def test_a_foot_is_level_and_under_the_stem() -> None:
    for foot in added(1, STEM):
        np.testing.assert_allclose(foot[:, 1], 0.8)
        assert foot[:, 0].mean() == pytest.approx(0.5)


def test_a_seven_that_has_its_bar_gets_no_other() -> None:
    rng = np.random.default_rng(0)
    assert all(len(add_regional_strokes(7, [SEVEN, STEM], rng)) == 2 for _ in range(100))


@pytest.mark.parametrize("size", [0.2, 0.9])
def test_place_fits_the_longer_side_and_centres_the_box(size: float) -> None:
    points = np.concatenate(centre([SEVEN], size))
    assert np.ptp(points, axis=0).max() == pytest.approx(size)
    np.testing.assert_allclose((points.min(axis=0) + points.max(axis=0)) / 2, 0.5)


def test_vary_keeps_strokes_apart_and_turns_them_little() -> None:
    rng = np.random.default_rng(0)
    stem = np.linspace((0.5, 0.1), (0.5, 0.9), 30)
    for _ in range(50):
        (varied,) = vary([stem], rng)
        across, down = varied[-1] - varied[0]
        assert varied.shape == stem.shape
        assert down > 0
        assert abs(across) < down  # slanted and turned, and still upright
