import numpy as np
import pytest

from app.training import rendering
from app.training.rendering import centre, vary

SEVEN = np.array([[0.3, 0.2], [0.6, 0.2], [0.4, 0.8]])


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


def test_each_stroke_keeps_its_place_nearly() -> None:
    rng = np.random.default_rng(0)
    apart = [vary([SEVEN, SEVEN], rng) for _ in range(200)]
    gaps = np.array([np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) for first, second in apart])
    assert 0.005 < np.median(gaps) < 0.05  # of a digit that is 0.6 high
    assert gaps.max() < 0.15


def test_warping_bends_a_line_smoothly(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("_SLANT", "_TURN", "_STRETCH", "_TREMOR"):
        monkeypatch.setattr(rendering, limit, 0.0)
    rng = np.random.default_rng(0)
    stem = np.linspace((0.5, 0.1), (0.5, 0.9), 30)
    bends = [np.diff(vary([stem], rng)[0][:, 0], n=2) for _ in range(50)]
    assert max(np.abs(bend).max() for bend in bends) < 0.01  # nowhere a corner
    assert np.median([np.abs(bend).sum() for bend in bends]) > 0.005  # and hardly ever straight
