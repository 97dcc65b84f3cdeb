import hashlib
from pathlib import Path

import numpy as np

from app.datasets import digits
from app.training.mnist import SHA256

FOLDER = Path(digits.__file__).parent


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def test_the_test_digits_are_all_of_mnist_s_pixel_for_pixel() -> None:
    test = digits.load_test_digits()
    assert (test.images.shape, test.labels.shape, len(test)) == ((10_000, 28, 28), (10_000,), 10_000)
    assert sha256(test.images) == SHA256["x_test"] and sha256(test.labels) == SHA256["y_test"]


def test_there_are_training_digits_of_every_class_and_none_is_a_test_digit() -> None:
    training, test = digits.load_training_digits(), digits.load_test_digits()
    assert training.images.shape == (6_000, 28, 28) and (np.bincount(training.labels, minlength=10) > 500).all()
    assert not {sha256(image) for image in training.images} & {sha256(image) for image in test.images}


def test_they_cannot_be_changed_by_those_who_share_them() -> None:
    test = digits.load_test_digits()
    assert not test.images.flags.writeable and not test.labels.flags.writeable
    assert digits.load_test_digits() is test


def test_some_are_taken_by_slice_index_or_mask() -> None:
    test = digits.load_test_digits()
    sevens = test.take(test.labels == 7)
    assert len(sevens) == 1_028 and set(sevens.labels) == {7}
    assert np.array_equal(test.take(slice(2)).labels, [7, 2])
    assert np.array_equal(test.take(np.array([1, 0])).labels, [2, 7])


def test_they_take_less_than_3_mb_and_name_their_makers_and_licence() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 3_000_000
    text = (FOLDER / "LICENSE.md").read_text(encoding="utf-8")
    assert "Yann LeCun and Corinna Cortes" in text and "Attribution-ShareAlike 3.0" in text
