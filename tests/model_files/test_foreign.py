"""Files of other formats, by what they hold and by their names: each is told for what it is, with a way out."""

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from app.model_files.errors import ModelError
from app.model_files.loading import load_model
from tests.model_files.files import small_file

NAMES = ("m.h5", "m.keras", "m")  # whatever it is called


def field(number: int, value: bytes | int) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    return (bytes((value & 127 | 128,)) + varint(value >> 7)) if value > 127 else bytes((value,))


OPERATIONS = field(1, field(2, field(1, field(1, b"AssignVariableOp"))))
SAVED_MODEL = field(1, 1) + field(2, OPERATIONS)
NODE = field(1, field(1, b"x") + field(2, b"Placeholder") + field(5, field(1, b"shape")))
CORE_ML = field(1, 4) + field(2, field(1, field(1, b"image") + field(3, field(4, 28))))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
NOTEBOOK = json.dumps({"cells": [{"source": "import keras"}], "nbformat": 4}).encode()
TO_JSON = json.dumps({"class_name": "Sequential", "config": {"layers": []}, "keras_version": "3.5.0"}).encode()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (TO_JSON, "architecture of a Keras model without its weights.*model_from_json.*load_weights"),
        (b'{"format": "layers-model", "modelTopology": {}, "weightsManifest": []}', "tensorflowjs_converter"),
        (b'{"format": "graph-model", "modelTopology": {}, "weightsManifest": []}', "graph model, made to be run only"),
        (NOTEBOOK, "Jupyter notebook"),
        (b'{"cells": [' + b'{"source": "x"}, ' * 9000, "Jupyter notebook"),  # cut
        (b'{"message": "Not Found", "status": "404"}', "what a server answered in place of the model: “Not Found”"),
        (b'{"labels": ["cat", "dog"], "tfjsVersion": "1.3.1"}', "names of classes"),
        (b'{"classes": ["a"], "value_range": [0, 1]}', "a card of Layerglass"),
        (b"[1, 2, 3]", "JSON"),
        (b"import keras\nmodel = keras.Sequential()\n", "Python source"),
        (b"#!/usr/bin/env python\nprint()\n", "Python source"),
        (b"class_name: Sequential\nconfig:\n- class_name: Dense\n", "to_yaml"),
        (b"label,pixel0,pixel1\n5,0,0\n0,0,12\n4,0,255\n", "table of values"),
        (b"0.1;0.2\n1.5;2\n3;4\n", "table of values"),
        (b"0 cat\n1 dog\n", "names of classes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "git lfs pull"),
        (b"\n\n<!DOCTYPE html>\n<html><link href='https://github.com'>", "GitHub's page about a file"),
        (b"<!DOCTYPE html><html><title>Google Drive - Virus scan warning</title>", "Google Drive's page"),
        (b"<html><body>hello</body></html>", "web page"),
        (b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', "what a server answered"),
        (b"404: Not Found", "what a server answered in place of the model: “404: Not Found”"),
        (b"Entry not found", "what a server answered"),
        (b"Invalid username or password.", "what a server answered"),
        (b"hello", "a text that begins with “hello”"),
        ("größer".encode("utf-16"), "a text that begins with “größer”"),
        (b'model_checkpoint_path: "name"\n', "part of a TensorFlow checkpoint"),
        (b"\x00\x01data" * 30 + bytes.fromhex("57fb808b247547db"), "part of a TensorFlow checkpoint"),
        (SAVED_MODEL, "SavedModel that was exported"),
        (SAVED_MODEL + field(2, b"_tf_keras_layer"), "SavedModel of Keras 2.*tf_keras.models.load_model"),
        (NODE * 3, "TensorFlow graph, without the layers"),
        (b'node {\n  name: "x"\n}', "TensorFlow graph, without the layers"),
        (field(1, 8) + field(2, b"pytorch") + field(7, NODE), "ONNX"),
        (field(1, 8) + field(7, NODE), "ONNX"),
        (CORE_ML, "Core ML"),
        (b'name: "LeNet"\nlayer {\n  name: "conv1"\n}', "configuration of a Caffe"),
        (b"[net]\nwidth=416\n[convolutional]\nfilters=32\n", "configuration of a Darknet"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(24), "TensorFlow Lite"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", r"PyTorch.*permute\(2, 3, 1, 0\)"),
        (b"\x80\x04\x95\x10\x00", "Python pickle"),
        (b'\x40\x00\x00\x00\x00\x00\x00\x00{"a": {}}', "safetensors"),
        (b"\x93NUMPY\x01\x00", "NumPy array"),
        (PNG, r"picture \(PNG\).*Drop it on the page"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", r"picture \(JPEG\)"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC picture.*share it as JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing in SVG"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF document"),
        (b"\x1f\x8b\x08\x00", r"packed file \(gzip\)"),
        (b"7z\xbc\xaf\x27\x1c\x00", r"packed file \(7z\)"),
        (b"Rar!\x1a\x07\x01\x00", r"packed file \(rar\)"),
        (bytes(4096), "nothing but zeros"),
        (b"\xde\xad\xbe\xef", "not a Keras model: it begins with the bytes “de ad be ef”"),
        (b"", "is empty"),
    ],
)  # fmt: skip
def test_what_a_file_holds(name: str, data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert_refused(tmp_path / name, says)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("m.pth", "PyTorch"),
        ("m.onnx", "ONNX"),
        ("m.pb", "TensorFlow graph"),
        ("m.tflite", "TensorFlow Lite"),
        ("m.mlmodel", "Core ML"),
        ("m.caffemodel", "Caffe"),
        ("yolo.weights", "Darknet"),
        ("variables.data-00000-of-00001", "checkpoint"),
        ("model.ckpt-1000.meta", "TensorFlow graph"),
        ("model.ckpt", "checkpoint"),
    ],
)
def test_what_only_a_name_tells(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\xf0\x01\xde\xad\xbe\xef" * 9)
    assert_refused(tmp_path / name, says)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        (["archive/data.pkl", "archive/version"], "PyTorch"),
        (["m/saved_model.pb", "m/variables/variables.index"], "SavedModel that was exported"),
        (["m/saved_model.pb", "m/keras_metadata.pb"], "SavedModel of Keras 2"),
        (["x.npy", "y.npy"], "NumPy arrays"),
        (["cats/1.png", "cats/2.jpg", "dogs/3.png"], "zip of pictures"),
        (["model.json", "weights.bin", "metadata.json"], "TensorFlow.js"),
        (["model_unquant.tflite", "labels.txt"], "TensorFlow Lite.*Teachable Machine, choose Export Model"),
        (["model.onnx", "readme"], "ONNX"),
        (["frozen.pb"], "TensorFlow graph"),
        (["m.mlpackage/Manifest.json", "m.mlpackage/Data/model.mlmodel"], "Core ML"),
        (["ck/name.index", "ck/name.data-00000-of-00001"], "checkpoint"),
        (["[Content_Types].xml", "word/document.xml"], "office program"),
        (["configuration.json", "coefficients.bin"], "Deeplearning4j"),
        ([f"{number}.png" for number in range(90)], "zip of pictures"),
        (["readme"], "holds no Keras model"),
    ],
)
def test_what_a_zip_holds(members: list[str], says: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        for member in members:
            file.writestr(member, b"x")
    assert_refused(tmp_path / "m.keras", says)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_archive(share: float, tmp_path: Path) -> None:
    whole = small_file(tmp_path).read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: int(len(whole) * share)])
    assert_refused(tmp_path / "cut.keras", "no end: it was cut in the download")


def test_a_cut_hdf5_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "whole.h5", "w") as file:
        file["data"] = np.arange(2000)
    (tmp_path / "cut.h5").write_bytes((tmp_path / "whole.h5").read_bytes()[:4000])
    assert_refused(tmp_path / "cut.h5", "shorter than it says: it was cut in the download")


def assert_refused(path: Path, says: str) -> None:
    with pytest.raises(ModelError, match=f"(?s){says}") as raised:
        load_model(path)
    sentence = str(raised.value)
    assert sentence.endswith(".") and "“”" not in sentence and len(sentence) < 500
