import keras
import pytest
from keras import layers

from app.cnn.kinds import Layer
from app.cnn.kinds.convolution import Conv2D
from app.cnn.kinds.dense import Dense
from app.cnn.kinds.training_only import Dropout
from app.cnn.types import PoolingMode
from app.cnn.windows import Window
from tests.keras_layers import computing_layers, describe_layers
from tests.small_models import build_branches, build_digits, build_logistic, build_picture


def described(model: keras.Model, name: str) -> Layer:
    return next(layer for layer in describe_layers(model) if layer.name == name)


def describe_one(layer: layers.Layer) -> Layer:
    """The layer as described in a model of its own, on an image of 12×16 with 2 channels."""
    return describe_layers(keras.Sequential([keras.Input((12, 16, 2)), layer]))[0]


def test_layers_come_in_the_order_of_the_data_without_the_input() -> None:
    names = [layer.name for layer in describe_layers(build_digits())]
    assert names == ["conv1", "pool1", "conv2", "pool2", "flatten", "dropout", "answer"]


def test_a_graph_s_layers_follow_those_they_read() -> None:
    seen: set[str] = set()
    for layer in describe_layers(build_branches()):
        assert set(layer.inputs) <= seen
        seen.add(layer.name)


def test_a_layer_knows_what_it_reads() -> None:
    model = build_branches()
    assert described(model, "trunk").inputs == ()
    assert described(model, "both").inputs == ("left_max", "right_average")


def test_a_convolution_is_described() -> None:
    layer = describe_one(layers.Conv2D(5, (3, 2), strides=(1, 2), padding="same", activation="relu", name="conv"))
    assert isinstance(layer, Conv2D)
    assert (layer.name, layer.kind, layer.inputs, layer.output_shape) == ("conv", "Conv2D", (), (12, 8, 5))
    assert (layer.parameters, layer.biases) == (3 * 2 * 2 * 5 + 5, 5)
    assert layer.window == Window((3, 2), (1, 2), (1, 1), "same")
    assert (layer.activation, layer.filters, layer.pooling) == ("relu", 5, None)


def test_a_pooling_layer_is_described() -> None:
    layer = describe_one(layers.AveragePooling2D(2, name="pool"))
    assert layer.window == Window((2, 2), (2, 2))
    assert layer.pooling is PoolingMode.AVERAGE
    assert (layer.parameters, layer.biases) == (0, 0)


def test_a_dense_layer_is_described() -> None:
    layer = described(build_logistic(), "hidden")
    assert isinstance(layer, Dense)
    assert (layer.window, layer.units, layer.parameters, layer.biases) == (None, 3, 784 * 3 + 3, 3)


def test_a_convolution_without_bias_has_none() -> None:
    assert describe_one(layers.Conv2D(5, 3, use_bias=False)).biases == 0


def test_dropout_keeps_its_rate() -> None:
    layer = describe_one(layers.Dropout(0.25))
    assert isinstance(layer, Dropout)
    assert layer.rate == 0.25


def test_sizes_that_may_be_any_are_none() -> None:
    assert described(build_picture(), "conv1").output_shape == (None, None, 2)


@pytest.mark.parametrize(
    ("size", "dilation", "extent"),
    [((3, 3), (1, 1), (3, 3)), ((3, 2), (2, 3), (5, 4)), ((1, 1), (4, 4), (1, 1))],
)
def test_a_window_s_extent_includes_the_gaps_of_dilation(
    size: tuple[int, int], dilation: tuple[int, int], extent: tuple[int, int]
) -> None:
    assert Window(size, dilation=dilation).extent == extent


@pytest.mark.parametrize(
    ("layer", "spatial"), [(layers.Conv2D(1, 1), True), (layers.Flatten(), False), (layers.Activation("relu"), True)]
)
def test_a_layer_with_height_and_width_is_spatial(layer: layers.Layer, spatial: bool) -> None:
    assert describe_one(layer).is_spatial is spatial


@pytest.mark.parametrize(
    ("layer", "mixes"),
    [
        (layers.Flatten(), True),
        (layers.GlobalMaxPooling2D(), True),
        (layers.MaxPooling2D(), False),
        (layers.Conv2D(1, 1), False),
        (layers.BatchNormalization(), False),
        (layers.Dropout(0.1), False),
    ],
)
def test_what_depends_on_all_of_its_input_is_known(layer: layers.Layer, mixes: bool) -> None:
    assert describe_one(layer).mixes_everything is mixes


def test_the_layers_that_compute_are_keras_own() -> None:
    model = build_digits()
    assert list(computing_layers(model)) == [layer for layer in model.layers if layer.name != "image"]
