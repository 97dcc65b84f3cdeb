"""The family's networks, untrained."""

import keras
from keras import layers

from ..cnn.tensorflow import window_pooling
from ..cnn.types import PoolingMode

DIGIT_SHAPE = (28, 28, 1)
ANY_SHAPE = (None, None, 1)
DIGITS = 10


def digits(pooling: PoolingMode = PoolingMode.MAX, *, dropout: float = 0.0) -> keras.Sequential:
    """Build two pairs of convolutions, each followed by pooling, then two dense layers.

    dropout: the rate before each dense layer; 0 leaves the dropout layers out, which changes no weight's shape.
    """
    pool = window_pooling(pooling)
    network = [
        layers.Input(DIGIT_SHAPE),
        _convolution("conv_1", 16),
        _convolution("conv_2", 16),
        pool(2, name="pool_1"),
        _convolution("conv_3", 48),
        _convolution("conv_4", 48),
        pool(2, name="pool_2"),
        layers.Flatten(name="flatten"),
        layers.Dropout(dropout, name="dropout_1"),
        layers.Dense(128, activation="relu", kernel_initializer="he_normal", name="dense_1"),
        layers.Dropout(dropout, name="dropout_2"),
        layers.Dense(DIGITS, activation="softmax", name="digit"),
    ]
    return keras.Sequential(
        [layer for layer in network if dropout or not isinstance(layer, layers.Dropout)], name="digits"
    )


def _convolution(name: str, filters: int) -> layers.Layer:
    return layers.Conv2D(filters, 3, activation="relu", kernel_initializer="he_normal", name=name)


def figure_6_3() -> keras.Sequential:
    """Build one convolution, one pooling, and a logistic neuron: the probability that a digit is odd."""
    return keras.Sequential(
        [
            layers.Input(DIGIT_SHAPE),
            layers.Conv2D(16, 3, activation="relu", name="convolution"),
            layers.MaxPooling2D(2, name="pooling"),
            layers.Flatten(name="flatten"),
            layers.Dense(1, activation="sigmoid", name="odd"),
        ],
        name="figure_6_3",
    )


def section_6_3() -> keras.Sequential:
    """Build the textbook's network of Convolution2D, Activation, MaxPooling2D, Dropout and Dense layers.

    The dense layer has 96 neurons where most such scripts have 128, which keeps the file under 2 MB.
    """
    return keras.Sequential(
        [
            layers.Input(DIGIT_SHAPE),
            layers.Convolution2D(32, 3, name="convolution_1"),
            layers.Activation("relu", name="relu_1"),
            layers.Convolution2D(32, 3, name="convolution_2"),
            layers.Activation("relu", name="relu_2"),
            layers.MaxPooling2D(2, name="pooling"),
            layers.Dropout(0.25, name="dropout_1"),
            layers.Flatten(name="flatten"),
            layers.Dense(96, name="dense_1"),
            layers.Activation("relu", name="relu_3"),
            layers.Dropout(0.5, name="dropout_2"),
            layers.Dense(DIGITS, name="dense_2"),
            layers.Activation("softmax", name="digit"),
        ],
        name="section_6_3",
    )


def five_layer_dense() -> keras.Sequential:
    """Build dense layers of 784, 100, 100, 100 and 1 neurons: 98,500 weights and 301 biases."""
    return keras.Sequential(
        [
            layers.Input(DIGIT_SHAPE),
            layers.Flatten(name="flatten"),
            *(layers.Dense(100, activation="relu", name=f"dense_{number}") for number in (1, 2, 3)),
            layers.Dense(1, activation="sigmoid", name="odd"),
        ],
        name="five_layer_dense",
    )


def five_layer_convolutional() -> keras.Sequential:
    """Build five convolutions of one 3×3 kernel each: 45 weights and 5 biases, for images of any size."""
    hidden = [
        layers.Conv2D(1, 3, padding="same", activation="relu", name=f"convolution_{number}") for number in (1, 2, 3, 4)
    ]
    output = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="outline")
    return keras.Sequential([layers.Input(ANY_SHAPE), *hidden, output], name="five_layer_convolutional")
