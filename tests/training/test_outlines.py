import numpy as np
import pytest

from app.datasets.digits import Digits
from app.training.outlines import PATCH, draw_patches, extract, outline, parallel_starts


def reference_outline(picture: np.ndarray) -> np.ndarray:
    """Maximum minus minimum of each pixel's neighbourhood, pixel by pixel."""
    result = np.zeros_like(picture)
    for row, column in np.ndindex(picture.shape):
        around = picture[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        result[row, column] = around.max() - around.min()
    return result


@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (28, 28)])
def test_outline_is_dilation_minus_erosion(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random(shape, dtype=np.float32)
    actual = outline(picture[None, ..., None]).numpy()[0, ..., 0]
    np.testing.assert_allclose(actual, reference_outline(picture), atol=1e-6)


def test_patches_show_ink_at_many_scales(small_digits: Digits) -> None:
    patches = draw_patches(small_digits, 60, seed=0)
    assert patches.shape == (60, PATCH, PATCH, 1)
    assert patches.dtype == np.float32
    assert 0 <= patches.min() <= patches.max() <= 1
    shares = (patches > 0.5).mean(axis=(1, 2, 3))
    assert shares.max() > 5 * np.median(shares[shares > 0])
    np.testing.assert_array_equal(patches, draw_patches(small_digits, 60, seed=0))


def test_a_network_taken_out_answers_as_it_did_in_parallel() -> None:
    starts = parallel_starts(6, seed=0)
    pictures = np.random.default_rng(0).random((2, 12, 15, 1), dtype=np.float32)
    together = starts(pictures).numpy()
    assert together.shape == (2, 12, 15, 6)
    for index in range(6):
        alone = extract(starts, index)(pictures).numpy()
        np.testing.assert_allclose(alone[..., 0], together[..., index], atol=1e-5)
    assert together.std(axis=-1).max() > 0.01
