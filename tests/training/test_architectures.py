import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.tensorflow import trained_pooling
from app.cnn.types import PoolingMode
from app.training import architectures


@pytest.mark.parametrize("mode", PoolingMode)
def test_digits_is_plain_and_as_small_in_every_mode(mode: PoolingMode) -> None:
    network = architectures.digits(mode)
    assert [layer.name for layer in network.layers] == [
        *("conv_1", "conv_2", "pool_1", "conv_3", "conv_4", "pool_2", "flatten", "dense_1", "digit")
    ]
    assert trained_pooling(network) is mode
    assert network.count_params() == 160 + 2_320 + 6_960 + 20_784 + 98_432 + 1_290


def test_dropout_adds_layers_and_no_weights() -> None:
    network = architectures.digits(dropout=0.1)
    kinds = [type(layer) for layer in network.layers]
    assert kinds.count(layers.Dropout) == 2
    plain = architectures.digits()
    plain.set_weights(network.get_weights())
    images = np.random.default_rng(0).random((4, 28, 28, 1), dtype=np.float32)
    np.testing.assert_allclose(plain(images), network(images, training=False), atol=1e-6)


def test_figure_6_3_has_four_layers_and_one_logistic_neuron() -> None:
    network = architectures.figure_6_3()
    assert [type(layer) for layer in network.layers] == [
        *(layers.Conv2D, layers.MaxPooling2D, layers.Flatten, layers.Dense)
    ]
    assert network.output_shape == (None, 1)
    assert network.layers[-1].activation is keras.activations.sigmoid
    assert network.count_params() == 16 * 9 + 16 + 13 * 13 * 16 + 1


def test_section_6_3_has_the_layers_that_the_text_imports() -> None:
    network = architectures.section_6_3()
    assert [type(layer).__name__ for layer in network.layers] == [
        *("Conv2D", "Activation", "Conv2D", "Activation", "MaxPooling2D", "Dropout", "Flatten"),
        *("Dense", "Activation", "Dropout", "Dense", "Activation"),
    ]
    # Four bytes a parameter: the file stays under 2 MB.
    assert network.count_params() == 320 + 9_248 + 12 * 12 * 32 * 96 + 96 + 970
    assert network.count_params() * 4 < 1_900_000


def test_five_dense_layers_have_98_500_weights_and_301_biases() -> None:
    weights = architectures.five_layer_dense().get_weights()
    assert sum(weight.size for weight in weights if weight.ndim == 2) == 98_500
    assert sum(weight.size for weight in weights) == 98_801


def test_five_convolutions_have_45_weights_and_5_biases() -> None:
    network = architectures.five_layer_convolutional()
    assert [weight.shape for weight in network.get_weights()] == [(3, 3, 1, 1), (1,)] * 5
    assert sum(weight.size for weight in network.get_weights()) == 50


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (50, 70)])
def test_five_convolutions_take_any_size(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((1, *shape, 1), dtype=np.float32)
    answer = architectures.five_layer_convolutional()(picture).numpy()
    assert answer.shape == picture.shape
    assert 0 <= answer.min() <= answer.max() <= 1
