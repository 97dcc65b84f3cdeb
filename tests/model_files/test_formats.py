"""Files of another kind: each is told for what it is, with the way out."""

import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from app.model_files.errors import ModelError
from app.model_files.loading import load_model
from tests.model_files.files import small_file, small_model

TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("m.keras", b"", "is empty"),
        ("m.h5", b"", "is empty"),
        ("m.h5", b"hello", "is not a Keras model"),
        ("m.keras", b"PK\x03\x04", "has no end"),
        ("m.h5", b"\x89HDF\r\n\x1a\n", "damaged or cut"),
        ("m.tflite", b"\x1c\x00\x00\x00TFL3", "TensorFlow Lite"),
        ("m.h5", b"\x1c\x00\x00\x00TFL3", "TensorFlow Lite"),
        ("m.pt", TORCH, "PyTorch"),
        ("m.pth", TORCH, "PyTorch"),
        ("m.h5", TORCH, "PyTorch"),
        ("m.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00{}", "safetensors"),
        ("m.keras", b"\x10\x00\x00\x00\x00\x00\x00\x00{\"a\"", "safetensors"),
        ("m.onnx", b"\x08\x07\x12\x07pytorch", "ONNX"),
        ("m.pb", b"\x08\x01", "TensorFlow graph"),
        ("model.json", b'{"modelTopology": {}}', "tensorflowjs_converter"),
        ("m.h5", b"<!DOCTYPE html><html>", "web page"),
        ("m.h5", b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("m.keras", b"\x1f\x8b\x08", "packed file"),
    ],
)  # fmt: skip
def test_another_kind_of_file(name: str, data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=says) as raised:
        load_model(tmp_path / name)
    assert str(raised.value).endswith(".")


def test_a_new_pytorch_file_is_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        file.writestr("archive/data.pkl", TORCH)
    with pytest.raises(ModelError, match="PyTorch"):
        load_model(tmp_path / "m.keras")


def test_a_file_that_goes_while_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small_file(tmp_path)
    monkeypatch.setattr(Path, "is_file", lambda self: self.unlink() is None)
    with pytest.raises(ModelError, match=r"The file “small\.keras” cannot be read: No such file or directory\."):
        load_model(path)


@pytest.mark.parametrize(
    ("member", "says"), [("saved_model.pb", "SavedModel"), ("config.json", "unpacked"), ("x", "folder")]
)
def test_a_folder(member: str, says: str, tmp_path: Path) -> None:
    (tmp_path / member).touch()
    with pytest.raises(ModelError, match=says):
        load_model(tmp_path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no file “m\.keras”"):
        load_model(tmp_path / "m.keras")


def test_weights_only_of_this_keras(tmp_path: Path) -> None:
    small_model().save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ModelError, match=r"weights only.*load_weights\('name\.weights\.h5'\)"):
        load_model(tmp_path / "m.weights.h5")


def test_weights_only_of_keras_2(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["layer_names"] = [b"a"]
    with pytest.raises(ModelError, match="weights only"):
        load_model(tmp_path / "m.h5")


def test_an_hdf5_file_of_something_else(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"] = [1.0]
    with pytest.raises(ModelError, match="holds no Keras model but “data”"):
        load_model(tmp_path / "m.h5")


@pytest.mark.parametrize("name", ["m.h5", "m.zip", "m"])
def test_a_keras_file_opens_by_what_it_is_whatever_its_ending(name: str, tmp_path: Path) -> None:
    path = small_file(tmp_path).rename(tmp_path / name)
    opened = load_model(path).model
    ones = np.ones((1, 8, 8, 1), np.float32)
    assert opened(ones).shape == (1, 3)
    assert opened.layers[1].__class__ is keras.layers.Conv2D
