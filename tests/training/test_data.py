from pathlib import Path

import numpy as np

from app.training.data import MNIST_REPEATS, VARIANTS, gather
from app.training.mnist import Mnist
from app.training.pen import read_pen_digits


def test_without_strokes_mnist_is_split_in_its_order(small_mnist: Mnist) -> None:
    data = gather(small_mnist, None, seed=1)
    assert (len(data.train), len(data.validation), len(data.mnist_test)) == (220 * MNIST_REPEATS, 20, 60)
    assert data.pen_test is None
    both = np.concatenate([data.train.images[-220:], data.validation.images])
    np.testing.assert_array_equal(both, small_mnist.train.images)


def test_strokes_are_split_by_writer_and_drawn_many_times(small_mnist: Mnist, strokes_file: Path) -> None:
    # Twenty writers of ten digits each: 5 and 15 for validation, 10 and 20 for the test.
    data = gather(small_mnist, read_pen_digits(strokes_file), seed=1)
    assert len(data.train) == 220 * MNIST_REPEATS + 160 * VARIANTS
    assert len(data.validation) == 20 + 20 * 3
    assert data.pen_test is not None
    assert len(data.pen_test) == 20
    assert "16 people" in data.sources
    assert "2 other writers served for validation, 2 for the test." in data.sources


def test_the_test_set_is_mnist_s_own(small_mnist: Mnist) -> None:
    assert gather(small_mnist, None, seed=1).mnist_test is small_mnist.test
