"""Networks that read digits or letters, but only if they are shown in a way that their layers do not tell of."""

import string
from pathlib import Path

import keras
import numpy as np
from keras import layers

from app.cnn.card import Card
from app.explore.forward_passes import preprocess
from app.imaging.labelled import labelled_drawings
from app.settings import resource
from tests.small_models import card


def build_disguised(
    low: float = 0, high: float = 1, *, dark: bool = False, transposed: bool = False, channels: int = 1
) -> keras.Model:
    """The network that came with the app, before which values, ink, axes and channels are turned into its own.

    low, high: what paper and the strongest ink are; with dark ink the other way round.
    """
    if dark:
        low, high = high, low
    own = keras.models.load_model(resource("models") / "digits.keras", compile=False)
    turned = layers.Conv2D(1, 1, name="turned")
    model = keras.Sequential([keras.Input((28, 28, channels)), *[layers.Permute((2, 1, 3))] * transposed, turned])
    kernel = np.full((1, 1, channels, 1), 1 / (high - low) / channels)
    turned.set_weights([kernel, np.array([-low / (high - low)])])
    for layer in own.layers:
        model.add(layer)
    return model


def build_letters(path: Path, transposed: bool) -> Path:
    """A network of 27 classes, as EMNIST's letters have: it compares a capital with one of each."""
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(27, activation="softmax")])
    seen_by: Card = card(model, classes=[str(number) for number in range(27)], transposed=transposed)
    kernel = np.zeros((784, 27))
    for drawing in labelled_drawings(string.ascii_uppercase):
        image = preprocess(drawing.png, seen_by).ravel()
        kernel[:, string.ascii_uppercase.index(drawing.label) + 1] += image / np.linalg.norm(image) / 2
    model.layers[-1].set_weights([kernel, np.array([-9.0] + [0.0] * 26)])
    model.save(path)
    return path
