"""Models that other people published. They are no part of the project; where a file is absent, its test is skipped."""

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from app.cnn.network import Network
from app.model_files.infer_card import infer_card
from app.model_files.loading import LoadedModel, load_model
from tests.keras_layers import describe_layers
from tests.model_files.files import image

FOLDER = Path(__file__).parents[3] / "shared" / "models-in-the-wild"


def published(name: str) -> Path:
    if not (FOLDER / name).is_file():
        pytest.skip(f"{name}, a published model, is not here")
    return FOLDER / name


def opened_and_run(path: Path) -> LoadedModel:
    """The model, whose layers are described and computed by the app as Keras does it."""
    opened = load_model(path)
    model = opened.model
    assert opened.definition.layers == describe_layers(model)
    images = image(model)
    network = Network(path.stem, opened.definition, infer_card(opened, path.stem))
    expected = np.asarray(model(images, training=False))[0]
    np.testing.assert_allclose(network.run(images[0]).output, expected, rtol=1e-4, atol=1e-4)
    return opened


@pytest.mark.parametrize(
    "name",
    [
        "moonflower_mnist_model.h5",
        "moonflower_mnist_model.keras",
        "alexalkhatib_signmnist.keras",
        "arnav_signmnist.keras",
        "fer_mini_xception_64x64x1.hdf5",
        "gender_mini_xception.hdf5",
        "kdef_tiny_xception.hdf5",
        "mlperf_tiny_resnet8_cifar10.h5",
    ],
)
def test_what_keras_opens_computes_the_same(name: str) -> None:
    path = published(name)
    opened = opened_and_run(path)
    expected = keras.models.load_model(path, compile=False)
    images = image(opened.model)
    inputs = images if isinstance(expected, keras.Sequential) else [images]
    np.testing.assert_array_equal(opened.model(images, training=False), expected(inputs, training=False))


def test_person_or_not_which_keras_refuses(tmp_path: Path) -> None:
    path = published("mlperf_tiny_vww_96.h5")
    opened = opened_and_run(path)
    assert any("DepthwiseConv2D: its setting groups" in mend for mend in opened.mends)

    def without_groups(config: Any) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "DepthwiseConv2D":
                del layer["config"]["groups"]

    assert_same_as_keras_reads(path, tmp_path, without_groups, opened)


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`:UserWarning")
def test_digits_of_tensorspace_which_keras_refuses(tmp_path: Path) -> None:
    path = published("tensorspace_mnist.h5")
    opened = opened_and_run(path)
    assert opened.model.input_shape == (None, 28, 28, 1)

    def with_a_name(config: Any) -> None:
        config["config"] = {"name": "sequential", "layers": config["config"]}

    assert_same_as_keras_reads(path, tmp_path, with_a_name, opened)


def assert_same_as_keras_reads(path: Path, folder: Path, change: Any, opened: LoadedModel) -> None:
    """A copy, mended by other means, in Keras itself."""
    copy = folder / path.name
    copy.write_bytes(path.read_bytes())
    with h5py.File(copy, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    expected = keras.models.load_model(copy, compile=False)
    images = image(opened.model)
    inputs = images[..., 0] if isinstance(expected, keras.Sequential) else [images]
    answers = expected(inputs, training=False)
    np.testing.assert_array_equal(opened.model(images, training=False), answers)
