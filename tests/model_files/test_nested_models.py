"""Models within models: where each Keras keeps their weights, and what they compute."""

import io
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tf_keras

from app.cnn.network import Network
from app.model_files.errors import ModelError
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model
from tests.model_files.files import image, members, save_zip
from tests.model_files.keras_2 import ENDINGS, KERAS, Build, both, with_random_weights

pytestmark = pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning")


def build_depthwise(of: ModuleType) -> Any:
    """The kernel of a depthwise convolution has another name in Keras 2."""
    made = [of.layers.DepthwiseConv2D(3), of.layers.BatchNormalization(), of.layers.SeparableConv2D(4, 3)]
    base = of.Sequential([of.Input((12, 12, 3)), *made], name="base")
    return of.Sequential([of.Input((12, 12, 3)), base, of.layers.GlobalAveragePooling2D(), of.layers.Dense(3)])


def build_deep(of: ModuleType) -> Any:
    """Names twice, and a model within a model within a model."""
    norm = of.layers.BatchNormalization(name="norm")
    inner = of.Sequential([of.layers.Conv2D(3, 3, name="conv"), norm], name="inner")
    middle = of.Sequential([inner, of.layers.Conv2D(4, 3, name="conv2"), of.layers.Flatten()], name="middle")
    return of.Sequential([of.Input((9, 9, 1)), middle, of.layers.Dense(3, name="conv")])


def build_frozen(of: ModuleType) -> Any:
    model = build_deep(of)
    model.layers[0].layers[0].trainable = False
    return model


def build_teachable_machine(of: ModuleType) -> Any:
    """As Teachable Machine puts its models together, with a shorter MobileNet."""
    source = of.Input((16, 16, 3), name="input_1")
    x = of.layers.Conv2D(4, 3, strides=2, use_bias=False, name="Conv1")(source)
    x = of.layers.ReLU(6.0)(of.layers.BatchNormalization(name="bn_Conv1")(x))
    x = of.layers.DepthwiseConv2D(3, use_bias=False, name="expanded_conv_depthwise")(x)
    base = of.Model(source, of.layers.BatchNormalization(name="expanded_conv_depthwise_BN")(x), name="model1")
    head = [of.layers.Dense(20, activation="relu"), of.layers.Dense(3, activation="softmax", use_bias=False)]
    model = of.Sequential([of.Sequential([base, of.layers.GlobalAveragePooling2D()]), of.Sequential(head)])
    model.build((None, 16, 16, 3))
    return model


def build_two_heads(of: ModuleType) -> Any:
    """The second answer's layer is listed before the first's, of the same class and shape."""
    source = of.Input((8, 8, 1))
    flat = of.layers.Flatten()(source)
    other = of.layers.Dense(5)(of.layers.Dense(5)(of.layers.Dense(5)(flat)))
    return of.Model(source, [of.layers.Dense(3)(of.layers.Dense(5)(flat)), other])


def build_normalized(of: ModuleType) -> Any:
    """An adapted Normalization, whose weights have no layer's name in Keras 2."""
    base = of.Sequential([of.Input((8, 8, 3)), of.layers.Normalization(), of.layers.Conv2D(4, 3)], name="base")
    return of.Sequential([of.Input((8, 8, 3)), base, of.layers.GlobalAveragePooling2D(), of.layers.Dense(3)])


BUILDS = [
    build_depthwise,
    build_deep,
    build_frozen,
    build_teachable_machine,
    build_two_heads,
    build_normalized,
]


def saved(build: Build, of: ModuleType, path: Path) -> tuple[Path, Any]:
    model = with_random_weights(build(of))
    model.save(path)
    return path, model


def assert_opens_as(model: Any, path: Path) -> None:
    """It computes what the model does that was saved."""
    images = image(model)[:1]
    expected = model(images, training=False)
    first = expected[0] if isinstance(expected, list) else expected
    opened = load_model(path)
    output = Network("m", opened.definition, infer_card(opened, "m")).run(images[0]).output
    np.testing.assert_allclose(output, np.asarray(first)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("ending", ENDINGS)
@both
def test_it_computes_what_was_saved(build: Build, ending: str, written_by: ModuleType, tmp_path: Path) -> None:
    path, model = saved(build, written_by, tmp_path / f"model{ending}")
    assert_opens_as(model, path)


def test_layers_whose_names_hold_a_slash(tmp_path: Path) -> None:
    """As in the DenseNets of Keras 2: conv1/conv and conv are two layers."""
    made = [tf_keras.layers.Conv2D(3, 3, name=name) for name in ("conv1/conv", "conv", "2/conv1/conv")]
    norm = tf_keras.layers.BatchNormalization(name="conv1/bn")
    base = tf_keras.Sequential([tf_keras.Input((9, 9, 3)), *made, norm], name="base/net")
    model = with_random_weights(tf_keras.Sequential([tf_keras.Input((9, 9, 3)), base, tf_keras.layers.Flatten()]))
    model.save(path := tmp_path / "model.h5")
    assert_opens_as(model, path)


def rename_weights(path: Path, rename: Callable[[str], str], group: str = "base") -> None:
    """Give the weights of a nested model other names, in the same order."""
    with h5py.File(path, "r+") as file:
        place = file["model_weights"][group]
        names = list(place.attrs["weight_names"])
        for name in names:
            place.move(name, rename(name))
        place.attrs["weight_names"] = [rename(name) for name in names]


@pytest.mark.parametrize("frozen", [False, True])
def test_names_that_tell_nothing_leave_the_order(frozen: bool, tmp_path: Path) -> None:
    """TensorFlow 1 gave the weights of a model that was loaded a second time names of their own: conv_1/kernel_1."""
    model = build_depthwise(tf_keras)
    model.layers[0].layers[0].trainable = not frozen
    with_random_weights(model).save(path := tmp_path / "model.h5")
    rename_weights(path, lambda name: "again/" + name.partition(":")[0] + "_1:0")
    assert_opens_as(model, path)


def test_neither_names_nor_order(tmp_path: Path) -> None:
    path, _ = saved(build_depthwise, tf_keras, tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        base = file["model_weights/base"]
        base.attrs["weight_names"] = base.attrs["weight_names"][::-1]
    rename_weights(path, lambda name: "again/" + name.partition(":")[0] + "_1:0")
    with pytest.raises(ModelError, match=r"no weights for the layer “base/depthwise_conv2d.*”"):
        load_model(path)


def test_a_weight_under_two_names_is_not_guessed_at(tmp_path: Path) -> None:
    path, _ = saved(build_depthwise, tf_keras, tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        base = file["model_weights/base"]
        names = list(base.attrs["weight_names"])
        base["x/" + names[0]] = np.zeros((3, 3, 3, 1), np.float32)
        base.attrs["weight_names"] = [*names, "x/" + names[0]]
    with pytest.raises(ModelError, match="no weights for the layer"):
        load_model(path)


@pytest.mark.parametrize("written_by", KERAS)
def test_a_list_of_names_too_long_for_one_attribute(written_by: ModuleType, tmp_path: Path) -> None:
    """HDF5 keeps at most 64 kB in an attribute, so Keras writes weight_names0, weight_names1, ..."""
    names = [f"{number}{'x' * 1000}" for number in range(70)]
    made = [written_by.layers.PReLU(shared_axes=[1, 2], name=name) for name in names]
    source = written_by.Input((2, 2, 1))
    base = written_by.Sequential([source, *made], name="base")
    model = with_random_weights(written_by.Sequential([source, base, written_by.layers.Flatten()]))
    model.save(path := tmp_path / "model.h5")
    with h5py.File(path) as file:
        assert "weight_names1" in file["model_weights/base"].attrs
    assert_opens_as(model, path)


def as_windows_wrote_it(path: Path) -> Path:
    """The same .keras file with its groups named as paths of Windows: one group, layers\\conv2d."""
    contents, buffer = members(path), io.BytesIO()
    with h5py.File(io.BytesIO(contents["model.weights.h5"])) as source, h5py.File(buffer, "w") as target:

        def copy(name: str, found: h5py.Group | h5py.Dataset) -> None:
            if isinstance(found, h5py.Dataset) and "/vars/" in name:
                group, _, number = name.rpartition("/vars/")
                target.require_group(group.replace("/", "\\")).require_group("vars")[number] = found[()]

        source.visititems(copy)
        assert target and all("\\" in name for name in target)
    return save_zip(path, contents | {"model.weights.h5": buffer.getvalue()})


@pytest.mark.parametrize("build", [build_deep, build_two_heads, build_normalized])
@both
def test_an_archive_that_was_written_on_windows(build: Build, written_by: ModuleType, tmp_path: Path) -> None:
    path, model = saved(build, written_by, tmp_path / "model.keras")
    assert_opens_as(model, as_windows_wrote_it(path))


@pytest.mark.parametrize("name", ["layers\\dense\\vars", "layers\\dense\\vars\\0", "layers\\dense\\vars\\0\\deeper"])
def test_what_backslashes_make_two_things_of(name: str, tmp_path: Path) -> None:
    keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]).save(
        path := tmp_path / "model.keras"
    )
    contents = members(path)
    buffer = io.BytesIO(contents["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        file[name] = np.zeros((16, 2), np.float32)
    save_zip(path, contents | {"model.weights.h5": buffer.getvalue()})
    with pytest.raises(ModelError, match=r"The HDF5 file holds .* (twice|below an array)"):
        load_model(path)
