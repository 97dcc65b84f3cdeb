import numpy as np

from app.training.pen import PenDigit
from app.training.rendering import draw_as_written, draw_varied

SEVEN = PenDigit(7, 1, (np.array([[0.3, 0.2], [0.6, 0.2], [0.4, 0.7]]),))


def test_a_digit_fits_20_of_28_pixels_whatever_its_size() -> None:
    small = PenDigit(7, 1, (SEVEN.strokes[0] * 0.4,))
    digits = draw_as_written([SEVEN, small])
    assert digits.images.shape == (2, 28, 28)
    assert digits.images.dtype == np.uint8
    assert digits.labels.tolist() == [7, 7]
    for image in digits.images:
        rows = np.flatnonzero(image.any(axis=1))
        assert rows[-1] - rows[0] + 1 == 20
        assert image.max() == 255


def test_a_broader_pen_leaves_more_ink() -> None:
    ink = [draw_as_written([SEVEN], pen).images.sum() for pen in (6, 18, 30)]
    assert ink == sorted(ink)
    assert ink[2] > 1.5 * ink[0]


def test_every_variation_differs_and_the_same_seed_repeats_it() -> None:
    first, second = draw_varied([SEVEN] * 4, seed=1), draw_varied([SEVEN] * 4, seed=1)
    np.testing.assert_array_equal(first.images, second.images)
    assert len(np.unique(first.images.reshape(4, -1), axis=0)) == 4
    assert not np.array_equal(first.images, draw_varied([SEVEN] * 4, seed=2).images)


def test_a_dot_can_be_drawn() -> None:
    dot = PenDigit(1, 1, (np.array([[0.5, 0.5]]),))
    assert draw_varied([dot], seed=0).images.max() == 255
