"""Small stand-ins for MNIST and for a file of pen strokes: bright bars in ten places, drawn by twenty writers."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.datasets.digits import Digits
from app.training import mnist as mnist_module
from app.training.data import TrainingData
from app.training.mnist import Mnist


def bars(count: int, seed: int) -> Digits:
    """A digit is a horizontal bar whose height in the picture is its value."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.uint8) % 10
    images = np.zeros((count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 4:24] = rng.integers(200, 256)
    return Digits(images, labels)


@pytest.fixture
def small_mnist() -> Mnist:
    return Mnist(bars(240, 0), bars(60, 1))


@pytest.fixture
def data() -> TrainingData:
    return TrainingData(bars(240, 0), bars(60, 1), bars(50, 2), bars(30, 3), "Bars.")


@pytest.fixture
def mnist_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return write_mnist(tmp_path, monkeypatch)


def write_mnist(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npz file that counts as MNIST until the patch is undone."""
    train, test = bars(240, 0), bars(60, 1)
    arrays: dict[str, Any] = {
        "x_train": train.images,
        "y_train": train.labels,
        "x_test": test.images,
        "y_test": test.labels,
    }
    monkeypatch.setattr(mnist_module, "SHAPES", {key: array.shape for key, array in arrays.items()})
    hashes = {key: hashlib.sha256(array.tobytes()).hexdigest() for key, array in arrays.items()}
    monkeypatch.setattr(mnist_module, "SHA256", hashes)
    path = folder / "mnist.npz"
    np.savez(path, **arrays)
    return path


def stroke_row(label: int, writer: int) -> dict[str, Any]:
    """A slanted line and a bar across it, in the tablet's pixels."""
    height = 120 + 20 * label
    return {
        "label": label,
        "writer": writer,
        "strokes": [[[200, 100], [240, 100 + height // 2], [260, 100 + height]], [[180, 200], [300, 200 + label]]],
    }


@pytest.fixture
def strokes_file(tmp_path: Path) -> Path:
    return write_strokes(tmp_path)


def write_strokes(folder: Path) -> Path:
    rows = [stroke_row(label, writer) for writer in range(1, 21) for label in range(10)]
    path = folder / "strokes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def small_digits() -> Digits:
    return bars(60, 0)
