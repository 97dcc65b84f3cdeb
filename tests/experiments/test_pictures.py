"""What becomes of digits before a network sees them, pixel by pixel."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.datasets.digits import load_test_digits
from app.experiments.pictures import Order, Shrinking, coarsen, erase, keep_bits, randomize_bits, shift, shrink

IMAGES = load_test_digits().images[:20]
REDUCE: dict[Shrinking, Callable[..., Any]] = {
    Shrinking.MAX: max,
    Shrinking.AVERAGE: lambda cells: sum(cells) / 4,
    Shrinking.MIN: min,
}


def window(image: np.ndarray, row: int, column: int) -> list[int]:
    return [int(image[2 * row + down, 2 * column + right]) for down in (0, 1) for right in (0, 1)]


@pytest.mark.parametrize("how", Shrinking)
@pytest.mark.parametrize("side", [28, 7])
def test_each_cell_is_made_of_its_window(how: Shrinking, side: int) -> None:
    images = IMAGES[:, 28 - side :, :side]
    made = shrink(images, how)
    assert made.shape == (20, side // 2, side // 2)
    for index in np.ndindex(made.shape):
        cells = window(images[index[0]], *index[1:])
        if how in REDUCE:
            assert made[index] == REDUCE[how](cells)
        else:
            assert made[index] == cells[0] if how is Shrinking.CORNER else made[index] in cells


def test_a_random_cell_is_each_of_the_four_about_as_often() -> None:
    places = np.tile(np.array([[0, 1], [2, 3]], np.uint8), (500, 14, 14))
    counts = np.bincount(shrink(places, Shrinking.RANDOM).ravel(), minlength=4) / (500 * 14 * 14)
    assert np.abs(counts - 0.25).max() < 0.005
    assert np.array_equal(shrink(places, Shrinking.RANDOM), shrink(places, Shrinking.RANDOM))


@pytest.mark.parametrize(("times", "factor", "reached"), [(1, 2, 28), (2, 4, 28), (3, 8, 24)])
def test_cells_are_repeated_to_the_full_size_again(times: int, factor: int, reached: int) -> None:
    """Pooled twice by 2×2 is pooled once by 4×4; with 8×8, what is in no window is paper."""
    for how, reduce in ((Shrinking.MAX, np.max), (Shrinking.AVERAGE, np.mean), (Shrinking.MIN, np.min)):
        cells = reached // factor
        windows = IMAGES[:, :reached, :reached].reshape(20, cells, factor, cells, factor)
        expected = np.zeros((20, 28, 28))
        expected[:, :reached, :reached] = np.kron(reduce(windows, axis=(2, 4)), np.ones((1, factor, factor)))
        assert np.allclose(coarsen(IMAGES, how, times), expected)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 0), (-3, 0), (0, 4), (0, -1), (2, -2)])
def test_ink_moves_and_paper_comes_in(down: int, right: int) -> None:
    expected = np.zeros_like(IMAGES)
    for row in range(28):
        for column in range(28):
            if 0 <= row - down < 28 and 0 <= column - right < 28:
                expected[:, row, column] = IMAGES[:, row - down, column - right]
    assert np.array_equal(shift(IMAGES, down, right), expected)


@pytest.mark.parametrize("bits", range(1, 9))
def test_grey_levels_are_spread_evenly(bits: int) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    made = keep_bits(levels, bits)
    expected = [round((level // 2 ** (8 - bits)) * 255 / (2**bits - 1)) for level in range(256)]
    assert made.ravel().tolist() == expected
    assert len(np.unique(made)) == 2**bits and made.min() == 0 and made.max() == 255


@pytest.mark.parametrize("bits", range(9))
def test_only_the_lowest_bits_become_random(bits: int) -> None:
    made = randomize_bits(IMAGES, bits)
    assert np.array_equal(made.astype(int) // 2**bits, IMAGES.astype(int) // 2**bits)
    low = made.astype(int) % 2**bits
    assert abs(low.mean() - (2**bits - 1) / 2) <= 0.01 * 2**bits


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_of_the_ink_is_erased_in_order(order: Order, share: float) -> None:
    for image, made in zip(IMAGES, erase(IMAGES, share, order), strict=True):
        erased = (image > 0) & (made == 0)
        assert erased.sum() == np.rint(share * (image > 0).sum())
        kept = (image > 0) & ~erased
        assert np.array_equal(made[~erased], image[~erased])
        if order is Order.STRONGEST:
            assert image[erased].min() >= image[kept].max()
        if order is Order.FAINTEST:
            assert image[erased].max() <= image[kept].min()
