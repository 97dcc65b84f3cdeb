from pathlib import Path

import keras
import numpy as np
import pytest

from app.training.mnist import SHA256, SHAPES, BadInput, load_mnist


def test_reads_the_arrays_of_a_file(mnist_file: Path) -> None:
    mnist = load_mnist(mnist_file)
    assert mnist.train.images.shape == (240, 28, 28)
    assert mnist.test.labels.tolist() == [n % 10 for n in range(60)]


def test_knows_the_real_arrays() -> None:
    assert SHAPES["x_train"] == (60_000, 28, 28)
    assert SHAPES["x_test"] == (10_000, 28, 28)
    assert all(len(digest) == 64 for digest in SHA256.values())


def test_refuses_an_altered_pixel(mnist_file: Path) -> None:
    arrays = dict(np.load(mnist_file))
    arrays["x_test"][0, 0, 0] += 1
    np.savez(mnist_file, **arrays)
    with pytest.raises(BadInput, match="contents of x_test were altered"):
        load_mnist(mnist_file)


@pytest.mark.parametrize("array", [np.zeros((240, 28, 28), np.float32), np.zeros((240, 784), np.uint8)])
def test_refuses_another_shape_or_type(mnist_file: Path, array: np.ndarray) -> None:
    arrays = dict(np.load(mnist_file)) | {"x_train": array}
    np.savez(mnist_file, **arrays)
    with pytest.raises(BadInput, match=r"x_train must be uint8 of shape \(240, 28, 28\)\. Received"):
        load_mnist(mnist_file)


def test_refuses_a_file_that_lacks_an_array(mnist_file: Path) -> None:
    arrays = dict(np.load(mnist_file))
    del arrays["y_test"]
    np.savez(mnist_file, **arrays)
    with pytest.raises(BadInput, match="lacks an array"):
        load_mnist(mnist_file)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_refuses_a_truncated_file(mnist_file: Path, share: float) -> None:
    whole = mnist_file.read_bytes()
    mnist_file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadInput, match="cut short"):
        load_mnist(mnist_file)


def test_refuses_a_file_with_flipped_bytes(mnist_file: Path) -> None:
    whole = bytearray(mnist_file.read_bytes())
    whole[2000:2010] = b"\xff" * 10
    mnist_file.write_bytes(whole)
    with pytest.raises(BadInput, match=r"mnist\.npz"):
        load_mnist(mnist_file)


@pytest.mark.parametrize("content", [b"not a zip", b"\x93NUMPY\x01\x00", b"\x80\x04K\x01."])
def test_refuses_what_is_no_npz(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="not an npz file"):
        load_mnist(path)


def test_refuses_a_lone_array(tmp_path: Path) -> None:
    path = tmp_path / "lone.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(BadInput, match="not an npz file"):
        load_mnist(path)


def test_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"There is no file .*missing\.npz"):
        load_mnist(tmp_path / "missing.npz")


def test_says_what_to_bring_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with pytest.raises(BadInput, match=r"could not be downloaded.*--mnist mnist\.npz"):
        load_mnist()
