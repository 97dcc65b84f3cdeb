import keras
import pytest
from keras import layers

from app.cnn.kinds import Layer
from app.cnn.tensorflow import layer_class
from app.cnn.types import PoolingMode
from tests.keras_layers import describe_layers

MinPooling2D = layer_class("MinPooling2D")


def described(layer: layers.Layer) -> Layer:
    return describe_layers(keras.Sequential([keras.Input((12, 12, 2)), layer]))[0]


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (layers.Conv2D(16, 3, activation="relu"), "3×3 convolution, 16 kernels, stride 1, no padding, ReLU"),
        (layers.Conv2D(1, (3, 5), padding="same"), "3×5 convolution, 1 kernel, stride 1, zero padding"),
        (
            layers.Conv2D(2, 1, strides=(2, 1), activation="tanh"),
            "1×1 convolution, 2 kernels, stride 2×1, no padding, tanh",
        ),
        (layers.MaxPooling2D(2), "2×2 max pooling, stride 2, no padding: the maximum of four cells"),
        (
            layers.AveragePooling2D(3, strides=2, padding="same"),
            "3×3 average pooling, stride 2, padded: the average of nine cells",
        ),
        (MinPooling2D((2, 3), strides=1), "2×3 min pooling, stride 1, no padding: the minimum of 6 cells"),
        (layers.GlobalAveragePooling2D(), "average pooling of each whole map"),
        (layers.Dense(10, activation="softmax"), "fully connected, 10 neurons, softmax"),
        (layers.Dense(1, activation="sigmoid"), "fully connected, 1 neuron, logistic function"),
        (layers.Flatten(), "all maps laid out as one row of numbers"),
        (layers.Dropout(0.25), "dropout of 25% while training; nothing happens here when the network answers"),
        (layers.Activation("relu"), "ReLU"),
        (layers.ReLU(), "ReLU"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_a_layer_in_words(layer: layers.Layer, words: str) -> None:
    assert described(layer).describe() == words


def test_any_other_layer_is_called_by_its_class() -> None:
    image = keras.Input((4, 4, 1))
    model = keras.Model(image, layers.Add()([image, image]))
    assert describe_layers(model)[0].describe() == "Add"


def test_a_layer_of_several_inputs_names_them() -> None:
    image = keras.Input((4, 4, 1))
    left, middle, right = (layers.Conv2D(2, 1, name=name)(image) for name in ("left", "middle", "right"))
    added = layers.Add(name="added")([left, middle])
    joined = layers.Concatenate(name="joined")([added, left, right])
    words = {layer.name: layer.describe() for layer in describe_layers(keras.Model(image, joined))}
    assert words["added"] == "adds left and middle"
    assert words["joined"] == "all maps of added, left and right"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (PoolingMode.MAX, "2×2 max pooling, stride 2, no padding: the maximum of four cells"),
        (PoolingMode.AVERAGE, "2×2 average pooling, stride 2, no padding: the average of four cells"),
        (PoolingMode.MIN, "2×2 min pooling, stride 2, no padding: the minimum of four cells"),
    ],
)
def test_a_pooling_layer_is_described_by_the_mode_in_effect(mode: PoolingMode, words: str) -> None:
    assert described(layers.MaxPooling2D(2)).with_pooling(mode).describe() == words


def test_the_pooling_in_effect_changes_no_other_layer_s_words() -> None:
    layer = described(layers.Conv2D(4, 3))
    assert layer.with_pooling(PoolingMode.MIN) is layer


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"), "3×3 convolution, 16 kernels, ReLU"),
        (layers.AveragePooling2D(2), "2×2 average pooling"),
        (layers.Flatten(), "flatten"),
        (layers.Dense(10, activation="softmax"), "fully connected, 10 neurons, softmax"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_a_layer_in_a_few_words(layer: layers.Layer, words: str) -> None:
    assert described(layer).describe_briefly() == words


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (
            layers.DepthwiseConv2D(3, name="l"),
            "3×3 depthwise convolution, a kernel for each map by itself, stride 1, no padding",
        ),
        (layers.SeparableConv2D(4, 3, name="l"), "3×3 separable convolution, 4 kernels, stride 1, no padding"),
        (layers.Conv2DTranspose(4, 2, name="l"), "2×2 transposed convolution, 4 kernels, stride 1, no padding"),
        (
            layers.Conv2D(4, 3, dilation_rate=2, name="l"),
            "3×3 convolution, 4 kernels, stride 1, no padding, dilation 2",
        ),
        (layers.BatchNormalization(name="l"), "batch normalisation: each map shifted and scaled"),
        (layers.LayerNormalization(name="l"), "LayerNormalization"),
    ],
)
def test_other_kinds_have_words(layer: layers.Layer, words: str) -> None:
    model = keras.Sequential([keras.Input((8, 8, 2)), layer])
    assert describe_layers(model)[0].describe() == words


def test_attention_in_words() -> None:
    rows = keras.Input((6, 8))
    scores = layer_class("AttentionScores")(heads=2, key_heads=2, name="scores")([rows, rows])
    attended = layer_class("Attend")(value_heads=2, name="attended")([scores, rows])
    output = layer_class("AttentionOutput")(name="output")([attended, rows])
    words = {layer.name: layer.describe() for layer in describe_layers(keras.Model(rows, output))}
    assert words == {
        "scores": "how much each row attends to every other one, in 2 ways",
        "attended": "the sum of all values, each as much as it is attended to",
        "output": "fully connected, 8 neurons",
    }


@pytest.mark.parametrize(("step", "words"), [(-1, "its rows, the last one first"), (2, "a part of it")])
def test_a_slice_in_words(step: int, words: str) -> None:
    assert described(layer_class("Slice")(begin=(None,), end=(None,), step=(step,))).describe() == words


def test_a_layer_on_each_part_in_words() -> None:
    made = layer_class("TimeDistributed")(layers.MaxPooling2D(2))
    layer = describe_layers(keras.Sequential([keras.Input((3, 8, 8, 2)), made]))[0]
    assert layer.describe() == (
        "each of 3 parts by itself: 2×2 max pooling, stride 2, no padding: the maximum of four cells"
    )
    assert "2×2 min pooling" in layer.with_pooling(PoolingMode.MIN).describe()
