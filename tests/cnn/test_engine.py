import gc
import sys
import weakref
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.errors import ImageTooSmall
from app.cnn.litert.engine import LiteEngine
from app.cnn.network import Engine, Network, make_engine
from app.cnn.tensorflow import TensorFlowEngine, layer_class, with_pooling
from app.cnn.types import PoolingMode
from tests.small_models import build_branches, build_digits, card, parts, with_random_weights


def engine_of(model: keras.Model) -> Engine:
    return make_engine(parts(model))


def unknown_model() -> keras.Model:
    """It pools, and has a layer that LiteRT is not given."""
    normalization = layers.Normalization()
    chain = [normalization, layers.Conv2D(3, 3, activation="celu"), layers.MaxPooling2D(2), layers.LayerNormalization()]
    model = with_random_weights(keras.Sequential([keras.Input((8, 8, 2)), *chain]))
    normalization.finalize_state()
    return model


def test_litert_runs_what_it_knows() -> None:
    assert isinstance(engine_of(build_digits()), LiteEngine)
    assert isinstance(engine_of(build_branches()), LiteEngine)


@pytest.mark.parametrize("mode", [None, *PoolingMode])
def test_tensorflow_runs_the_rest(mode: PoolingMode | None) -> None:
    model = unknown_model()
    engine = engine_of(model)
    assert isinstance(engine, TensorFlowEngine)
    image = np.random.default_rng(0).random((8, 8, 2), dtype=np.float32)
    expected = np.asarray((with_pooling(model, mode) if mode else model)(image[np.newaxis], training=False))[0]
    np.testing.assert_allclose(engine.run(image, mode)[-1], expected, atol=1e-5)


def test_tensorflow_runs_everything_where_there_is_no_litert(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_digits()
    image = np.random.default_rng(0).random((28, 28, 1), dtype=np.float32)
    fast = engine_of(model)
    monkeypatch.setitem(sys.modules, "app.cnn.litert.engine", None)  # importing it raises ImportError
    plain = engine_of(model)
    assert isinstance(plain, TensorFlowEngine)
    for one, other in zip(plain.run(image, None), fast.run(image, None), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("garbage", [np.nan, np.inf])
def test_garbage_in_weights_becomes_what_keras_makes_of_it(garbage: float) -> None:
    model = build_digits()
    model.get_layer("conv1").bias.assign([0, garbage, 0, 0])
    image = np.random.default_rng(0).random((28, 28, 1), dtype=np.float32)
    forward = Network("garbage", parts(model), card(model, pooling="max")).run(image)
    for layer in model.layers:
        expected = np.asarray(keras.Model(model.inputs[0], layer.output)(image[np.newaxis]))[0]
        np.testing.assert_allclose(forward.activations[layer.name], expected, rtol=1e-4, atol=1e-4)


def test_a_transposed_convolution_is_dilated_on_every_processor() -> None:
    layer = layer_class("Conv2DTranspose")(3, (3, 2), dilation_rate=(2, 3), padding="valid", activation="relu")
    model = with_random_weights(keras.Sequential([keras.Input((4, 5, 2)), layer]))
    image = np.random.default_rng(3).normal(size=(4, 5, 2)).astype(np.float32)
    kernel, bias = (np.asarray(each) for each in layer.weights)
    expected = np.broadcast_to(bias, (8, 8, 3)).copy()
    for row, column in np.ndindex(3, 2):
        down, across = 2 * row, 3 * column
        expected[down : down + 4, across : across + 5] += image @ kernel[row, column].T
    found = np.asarray(model(image[np.newaxis]))[0]
    np.testing.assert_allclose(found, np.maximum(expected, 0), rtol=1e-5, atol=1e-5)


def test_tensorflow_says_that_an_image_is_too_small() -> None:
    model = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(1, 5, activation="celu")])
    engine = engine_of(model)
    assert isinstance(engine, TensorFlowEngine)
    with pytest.raises(ImageTooSmall, match="too small"):
        engine.run(np.zeros((3, 3, 1), np.float32), None)


@pytest.mark.parametrize("build", [build_digits, unknown_model])
def test_a_network_that_is_dropped_is_collected(build: Any) -> None:
    model = build()
    network = Network("short", parts(model), card(model, pooling="max", classes=[]))
    network.run(np.zeros(model.inputs[0].shape[1:], np.float32), PoolingMode.MIN)
    gone = weakref.ref(network.engine)
    del network
    gc.collect()
    assert gone() is None
