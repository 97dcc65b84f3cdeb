"""What Keras saved opens again, and computes the same."""

from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from app.model_files.loading import LoadedModel, load_model
from tests.model_files.files import change_weights, image
from tests.small_models import (
    build_branches,
    build_digits,
    build_logistic,
    build_picture,
    build_without_pooling,
    with_random_weights,
)


def build_everything() -> keras.Model:
    """Nearly every kind of layer, in one graph."""
    source = keras.Input((16, 16, 2), name="source")
    x = layers.Rescaling(2.0, offset=-1.0)(source)
    x = layers.ZeroPadding2D(((1, 0), (2, 1)))(x)
    x = layers.Cropping2D(((1, 0), (2, 1)))(x)
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, groups=2)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(max_value=6.0, negative_slope=0.1, threshold=0.05)(x)
    y = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="tanh")(x)
    y = layers.SeparableConv2D(4, 3, padding="same", depth_multiplier=2)(y)
    y = layers.PReLU(shared_axes=[1, 2])(y)
    z = layers.UpSampling2D(2)(layers.AveragePooling2D(2)(x))
    z = layers.Conv2DTranspose(4, 3, padding="same", dilation_rate=1)(z)
    z = layers.LeakyReLU(negative_slope=0.2)(z)
    x = layers.Add()([x, y, z])
    x = layers.Concatenate()([x, layers.Multiply()([y, z]), layers.Maximum()([x, y]), layers.Subtract()([y, z])])
    x = layers.LayerNormalization()(x)
    x = layers.GroupNormalization(4)(x)
    x = layers.SpatialDropout2D(0.1)(layers.GaussianNoise(0.1)(layers.GaussianDropout(0.1)(x)))
    x = layers.Activation("silu")(x)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Permute((3, 1, 2))(x)
    x = layers.Reshape((16,))(x)
    x = layers.ELU(0.5)(layers.AlphaDropout(0.1)(x))
    x = layers.Softmax()(layers.Dense(5)(layers.UnitNormalization()(x)))
    return with_random_weights(keras.Model(source, x), seed=7)


def build_nested() -> keras.Model:
    """A model within a model, its names twice."""
    inner_input = keras.Input((14, 14, 3))
    inner = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv")(inner_input))
    trunk = keras.Model(inner_input, layers.ReLU()(layers.BatchNormalization(name="norm2")(inner)), name="trunk")
    head = keras.Sequential([keras.Input((12, 12, 4)), layers.Flatten(), layers.Dense(4, name="conv")], name="head")
    outer_input = keras.Input((16, 16, 1))
    outer = layers.Conv2D(3, 3, name="conv")(outer_input)
    return with_random_weights(keras.Model(outer_input, head(trunk(outer))), seed=8)


def build_recurrent() -> keras.Model:
    """Rows of an image one after the other."""
    made = [layers.Reshape((12, 12)), layers.LSTM(5, return_sequences=True), layers.GRU(4, return_sequences=True)]
    return with_random_weights(keras.Sequential([keras.Input((12, 12, 1)), *made, layers.SimpleRNN(3)]), seed=9)


def build_shared() -> keras.Model:
    """One layer, used twice."""
    source = keras.Input((8, 8, 1))
    shared = layers.Conv2D(1, 3, padding="same", name="shared")
    return with_random_weights(keras.Model(source, layers.Flatten()(shared(shared(source)))), seed=10)


def build_normalized() -> keras.Model:
    normalization = layers.Normalization(axis=-1)
    normalization.adapt(np.random.default_rng(0).normal(100, 30, (20, 6, 6, 2)).astype(np.float32))
    return keras.Sequential([keras.Input((6, 6, 2)), normalization, layers.Flatten(), layers.Dense(2)])


def reopen(model: keras.Model, path: Path) -> LoadedModel:
    model.save(path)
    return load_model(path)


@pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning", "ignore:.*HDF5 format:UserWarning")
@pytest.mark.parametrize("ending", [".keras", ".h5", ".hdf5"])
@pytest.mark.parametrize(
    "build",
    [
        build_digits,
        build_branches,
        build_without_pooling,
        build_logistic,
        build_picture,
        build_everything,
        build_nested,
        build_recurrent,
        build_normalized,
    ],
)
def test_a_saved_model_opens_and_every_layer_computes_the_same(
    build: Callable[[], keras.Model], ending: str, tmp_path: Path
) -> None:
    model = build()
    opened = reopen(model, tmp_path / f"model{ending}")
    images = image(model)
    np.testing.assert_array_equal(opened.model(images, training=False), model(images, training=False))
    assert opened.model.count_params() == model.count_params()
    assert opened.mends == ()
    assert opened.keras_version == keras.__version__


def test_each_layer_keeps_its_name_and_its_activation(tmp_path: Path) -> None:
    model = build_digits()
    opened = reopen(model, tmp_path / "digits.keras").model
    names = [layer.name for layer in model.layers]
    assert [layer.name for layer in opened.layers[1:]] == names
    images = image(model)
    for name in names:
        there = keras.Model(opened.inputs[0], opened.get_layer(name).output)(images, training=False)
        here = keras.Model(model.inputs[0], model.get_layer(name).output)(images, training=False)
        np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning")
def test_a_layer_used_twice_is_two_layers_with_the_same_weights(ending: str, tmp_path: Path) -> None:
    model = build_shared()
    opened = reopen(model, tmp_path / f"shared{ending}")
    images = image(model)
    np.testing.assert_array_equal(opened.model(images), model(images))
    assert opened.mends == ("The model uses the layer “shared” several times; each use is a layer of its own here.",)


def test_the_archives_of_keras_2_number_their_layers_with_gaps(tmp_path: Path) -> None:
    """They name each layer with weights twice, and skip the second: conv2d, conv2d_2, conv2d_4."""
    made = [layers.Conv2D(2, 3), layers.ReLU(), layers.Conv2D(3, 3), layers.Conv2D(2, 1)]
    model = with_random_weights(keras.Sequential([keras.Input((8, 8, 1)), *made]))
    path = tmp_path / "model.keras"
    model.save(path)

    def as_keras_2(file: h5py.File) -> None:
        old = file.create_group("_layer_checkpoint_dependencies")
        for number in (2, 1, 0):
            file.move(f"layers/conv2d_{number}" if number else "layers/conv2d", f"{old.name}/conv2d_{2 * number}")
        file.move(f"{old.name}/conv2d_0", f"{old.name}/conv2d")
        old.create_group("conv2d_1/vars")
        del file["layers"]

    images = image(model)
    np.testing.assert_array_equal(load_model(change_weights(path, as_keras_2)).model(images), model(images))


def test_our_own_models_open() -> None:
    for path in (Path(__file__).parents[2] / "models").glob("*.keras"):
        opened = load_model(path)
        images = image(opened.model)
        expected = keras.models.load_model(path, compile=False)
        np.testing.assert_array_equal(opened.model(images), expected(images))
        assert opened.mends == ()


def test_how_it_was_compiled_is_left_unread(tmp_path: Path) -> None:
    model = build_logistic()
    model.compile("adam", "binary_crossentropy")
    images = image(model)
    np.testing.assert_array_equal(reopen(model, tmp_path / "compiled.keras").model(images), model(images))


@pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning")
def test_augmentation_is_left_out(tmp_path: Path) -> None:
    flip = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)])
    model = keras.Sequential([keras.Input((8, 8, 1)), flip, layers.Flatten(), layers.Dense(2)])
    opened = reopen(model, tmp_path / "model.keras")
    images = image(model)
    np.testing.assert_allclose(opened.model(images), model(images, training=False), rtol=1e-6)
    assert len(opened.mends) == 2
