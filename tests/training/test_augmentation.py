import numpy as np
import pytest
import tensorflow as tf

from app.training import batches as augmentation
from app.training.batches import augment


@pytest.fixture(autouse=True)
def all_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmentation, "UNCHANGED", 0.0)


@pytest.fixture
def images() -> np.ndarray:
    """A grey square, off the middle, 64 times."""
    images = np.zeros((64, 28, 28, 1), dtype=np.float32)
    images[:, 8:18, 10:22] = 0.8
    return images


def test_every_picture_changes_otherwise_and_stays_in_range(images: np.ndarray) -> None:
    changed = augment(images, tf.constant([1, 2])).numpy()
    assert changed.shape == images.shape
    assert 0 <= changed.min() <= changed.max() <= 1
    assert len(np.unique(changed.reshape(64, -1), axis=0)) == 64


def test_the_same_seed_makes_the_same_change(images: np.ndarray) -> None:
    first, again, other = (augment(images, tf.constant(seed)).numpy() for seed in ([1, 2], [1, 2], [1, 3]))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_some_pictures_stay_as_they_are(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmentation, "UNCHANGED", 0.3)
    changed = augment(images, tf.constant([1, 2])).numpy()
    same = (changed == images).all(axis=(1, 2, 3))
    assert same.mean() == pytest.approx(0.3, abs=0.15)


def test_without_limits_nothing_changes(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("TURN", "SLANT", "ZOOM", "SHIFT", "BEND", "THICKEN", "THIN", "INK", "SPECKLED"):
        monkeypatch.setattr(augmentation, limit, 0.0)
    np.testing.assert_allclose(augment(images, tf.constant([1, 2])), images, atol=1e-5)


def test_a_picture_is_changed_about_its_middle(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("SHIFT", "BEND", "THICKEN", "THIN", "INK", "SPECKLED"):
        monkeypatch.setattr(augmentation, limit, 0.0)
    images = np.zeros_like(images)
    images[:, 12:16, 12:16] = 1.0
    changed = augment(images, tf.constant([1, 2])).numpy()[..., 0]
    mass = changed.sum(axis=(1, 2))
    rows, columns = (np.tensordot(changed.sum(axis=axis), np.arange(28), 1) / mass for axis in (2, 1))
    np.testing.assert_allclose(rows, 13.5, atol=0.05)
    np.testing.assert_allclose(columns, 13.5, atol=0.05)


def test_pens_get_thicker_and_thinner(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("TURN", "SLANT", "ZOOM", "SHIFT", "BEND", "INK", "SPECKLED"):
        monkeypatch.setattr(augmentation, limit, 0.0)
    ink = augment(images, tf.constant([1, 2])).numpy().sum(axis=(1, 2, 3)) / images[0].sum()
    assert ink.max() > 1.05
    assert ink.min() < 0.97
    assert (np.abs(ink - 1) < 1e-4).mean() == pytest.approx(0.5, abs=0.2)


def test_bending_moves_a_line_smoothly_and_keeps_its_ink(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("TURN", "SLANT", "ZOOM", "SHIFT", "THICKEN", "THIN", "INK", "SPECKLED"):
        monkeypatch.setattr(augmentation, limit, 0.0)
    line = np.zeros_like(images)
    line[:, 4:24, 13:15] = 1.0
    bent = augment(line, tf.constant([1, 2])).numpy()[..., 0]
    centres = np.tensordot(bent[:, 6:22], np.arange(28), 1) / bent[:, 6:22].sum(axis=2)
    assert centres.std(axis=1).mean() > 0.1  # no longer straight
    assert np.abs(np.diff(centres, axis=1)).max() < 1  # and nowhere torn
    np.testing.assert_allclose(bent.sum(axis=(1, 2)).mean(), line[0].sum(), rtol=0.05)
