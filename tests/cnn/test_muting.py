"""Feature maps made zero by zeros among the weights, against Keras."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.edits import Edits
from app.cnn.errors import InvalidEdit
from app.cnn.kinds.activation_functions import FUNCTIONS
from app.cnn.network import Network
from app.cnn.tensorflow import TensorFlowEngine
from tests.keras_layers import define
from tests.small_models import build_digits, card, with_random_weights

CONVOLUTIONS = [
    layers.Conv2D(6, 3, activation="relu"),
    layers.Conv2D(6, 3, groups=2, use_bias=False),
    layers.DepthwiseConv2D(3, depth_multiplier=3, activation="tanh"),
    layers.SeparableConv2D(6, 3, depth_multiplier=2, activation="elu"),
    layers.Conv2DTranspose(6, 3, strides=2, activation="gelu"),
]


@pytest.mark.parametrize("layer", CONVOLUTIONS, ids=lambda layer: type(layer).__name__)
def test_the_muted_maps_are_zero_and_the_others_as_they_were(layer: layers.Layer) -> None:
    model = with_random_weights(keras.Sequential([keras.Input((9, 8, 2)), layer]))
    network = Network("small", define(model), card(model))
    image = np.random.default_rng(3).normal(size=(9, 8, 2)).astype(np.float32)
    whole, muted = network.run(image).output, network.edited(Edits.muting({layer.name: [1, 4]})).run(image).output
    assert not muted[..., [1, 4]].any()
    others = [0, 2, 3, 5]
    np.testing.assert_array_equal(muted[..., others], whole[..., others])
    np.testing.assert_array_equal(network.run(image).output, whole)  # the network itself is as it was


def test_the_answer_is_that_of_keras_with_zeroed_weights() -> None:
    model, zeroed = build_digits(), build_digits()
    for name, maps in {"conv1": [0], "conv2": [3, 19]}.items():
        kernel, bias = zeroed.get_layer(name).get_weights()
        kernel[..., maps], bias[maps] = 0, 0
        zeroed.get_layer(name).set_weights([kernel, bias])
    image = np.random.default_rng(3).random((28, 28, 1), dtype=np.float32)
    expected = zeroed(image[np.newaxis]).numpy()[0]
    network = Network("small", define(model), card(model)).edited(Edits.muting({"conv1": [0], "conv2": {19, 3}}))
    np.testing.assert_allclose(network.run(image).output, expected, atol=1e-6)
    engine = TensorFlowEngine(define(model)).edited(Edits.muting({"conv1": [0], "conv2": {19, 3}}))
    np.testing.assert_allclose(engine.run(image, None)[-1], expected, atol=1e-6)


def test_what_no_zeros_mute_is_refused_with_a_reason() -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(2, 3, activation="sigmoid", name="bright"), layers.Flatten(name="flat")]
    )
    network = Network("small", define(model), card(model))
    with pytest.raises(InvalidEdit, match="“bright” makes its maps by sigmoid"):
        network.edited(Edits.muting({"bright": [0]}))
    with pytest.raises(InvalidEdit, match="“flat” has no weights"):
        network.edited(Edits.muting({"flat": [0]}))
    assert network.edited(Edits.muting({"flat": []})).layers == network.layers


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_is_known_which_activation_functions_keep_zero(name: str) -> None:
    function: Any = keras.activations.get(name)
    value = np.asarray(function(np.zeros((1, 4), np.float32)))
    assert FUNCTIONS[name].keeps_zero == (not value.any())
