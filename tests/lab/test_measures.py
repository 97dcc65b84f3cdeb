"""Numbers about pictures against NumPy's own."""

import math

import numpy as np
import pytest

from app.lab.chain import read_chain
from app.lab.laboratory import Laboratory
from app.lab.measures import Statistics, compare_enlarged, compare_shifted, difference, enlarge, reach_of, shift
from app.library.kept import Kept
from tests.lab.test_pooling import picture


@pytest.mark.parametrize("size", [(2, 1), (1, 5), (7, 9), (300, 411)])
def test_statistics_are_numpys(size: tuple[int, int]) -> None:
    planes = picture(size, channels=3, low=-1)
    planes[1] += 5
    found = Statistics.of(planes)
    correlations = []
    for plane in planes.astype(np.float64):
        first = np.concatenate([plane[:, :-1].ravel(), plane[:-1].ravel()])
        second = np.concatenate([plane[:, 1:].ravel(), plane[1:].ravel()])
        if len(first) > 1:
            correlations.append(np.corrcoef(first, second)[0, 1])
    assert (found.minimum, found.maximum) == (planes.min(), planes.max())
    assert found.mean == pytest.approx(planes.mean(dtype=np.float64), rel=1e-5)
    assert found.energy == pytest.approx(np.square(planes.astype(np.float64)).mean(), rel=1e-5)
    assert found.deviation == pytest.approx(math.sqrt(planes.astype(np.float64).var(axis=(1, 2)).mean()), rel=1e-4)
    if correlations:
        assert found.neighbours == pytest.approx(np.mean(correlations), abs=1e-4)


def test_neighbours_of_a_checkerboard_never_agree() -> None:
    board = (np.indices((8, 8)).sum(axis=0) % 2).astype(np.float32)
    assert Statistics.of(board[None]).neighbours == pytest.approx(-1)


@pytest.mark.parametrize("planes", [np.full((1, 5, 5), 0.3, np.float32), np.ones((1, 1, 1), np.float32)])
def test_where_nothing_differs_there_is_no_correlation(planes: np.ndarray) -> None:
    assert Statistics.of(planes).neighbours is None


def test_values_that_are_not_finite_are_no_error() -> None:
    planes = np.array([[[np.inf, 1], [np.nan, 2]]], np.float32)
    assert math.isnan(Statistics.of(planes).mean) and Statistics.of(planes).neighbours is None
    assert compare_shifted(planes, planes, 0) is None


@pytest.mark.parametrize("size", [(6, 8), (7, 9), (1, 1), (5, 12)])
def test_enlarging_repeats_each_cell(size: tuple[int, int]) -> None:
    planes = picture((3, 4) if size != (1, 1) else (1, 1))
    made = enlarge(planes, size)
    for row, column in np.ndindex(size):
        height, width = planes.shape[1:]
        expected = planes[:, row * height // size[0], column * width // size[1]]
        np.testing.assert_array_equal(made[:, row, column], expected)


def test_rmse_and_psnr_are_as_defined() -> None:
    before, after = picture((8, 8)), picture((4, 4), seed=1)
    apart = np.repeat(np.repeat(after, 2, 1), 2, 2).astype(np.float64) - before
    found = compare_enlarged(after, before)
    assert found.rmse == pytest.approx(np.sqrt((apart**2).mean()), rel=1e-5)
    assert found.psnr == pytest.approx(10 * math.log10(1 / (apart**2).mean()), rel=1e-5)
    np.testing.assert_allclose(difference(after, before), apart, atol=1e-6)
    assert compare_enlarged(before, before).psnr is None


def change(text: str, seed: int = 2) -> float | None:
    planes, chain = picture((64, 64), channels=1, seed=seed), read_chain(text)
    here, moved = planes, shift(planes)
    for step in chain:
        here, moved = step.compute(here), step.compute(moved)
    return compare_shifted(here, moved, reach_of(chain))


@pytest.mark.parametrize(
    "text", ["convolution", "convolution:kernel=blur,activation", "swap", "max:stride=1", "polyphase"]
)
def test_what_moves_along_with_the_picture_does_not_change(text: str) -> None:
    assert change(text) == 0


def test_a_shift_changes_a_pooling_less_where_it_is_blurred() -> None:
    plain, blurred = change("max"), change("blurred")
    assert plain is not None and blurred is not None and 0 < blurred < plain


def test_a_picture_too_narrow_has_no_change() -> None:
    planes = picture((4, 4))
    assert compare_shifted(planes, shift(planes), 3) is None


def test_the_photograph_is_halved_and_its_neighbours_agree() -> None:
    """The claims that a pooling of 2×2 keeps a quarter of the pixels, and that neighbours in a photograph agree."""
    laboratory = Laboratory(Kept())
    whole, half = laboratory.run(laboratory.sample("raccoon"), read_chain("average"))
    assert whole.size == (1200, 1600) and whole.channels == 3
    assert half.size == (600, 800) and half.share == 0.25
    assert whole.statistics.neighbours is not None and whole.statistics.neighbours > 0.95
    assert half.enlarged is not None and half.enlarged.psnr is not None and half.enlarged.psnr > 30
