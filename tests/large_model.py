"""A model of many layers with random weights: residual blocks, a layer of 200 channels, a long vector."""

from pathlib import Path

import keras
from keras import layers

from tests.small_models import card, save, with_random_weights

BLOCKS = 10
CHANNELS = 200


def build_large() -> keras.Model:
    """Each block's input is read by its convolution and by the sum at its end."""
    image = keras.Input((28, 28, 1), name="image")
    maps = layers.Conv2D(8, 3, strides=2, padding="same", name="stem")(image)
    for block in range(BLOCKS):
        shortcut = maps
        maps = layers.Conv2D(8, 3, padding="same", name=f"conv{block}")(maps)
        maps = layers.BatchNormalization(name=f"bn{block}")(maps)
        maps = layers.Add(name=f"add{block}")([shortcut, maps])
        maps = layers.ReLU(name=f"relu{block}")(maps)
    maps = layers.Conv2D(CHANNELS, 1, activation="relu", name="wide")(maps)
    maps = layers.MaxPooling2D(2, name="pool")(maps)
    values = layers.Flatten(name="flatten")(maps)
    answer = layers.Dense(10, activation="softmax", name="answer")(values)
    return with_random_weights(keras.Model(image, answer), seed=6)


def save_large(folder: Path) -> None:
    """The model and its card, as large.keras and large.json."""
    model = build_large()
    save(model, card(model, pooling="max"), folder / "large.keras")
