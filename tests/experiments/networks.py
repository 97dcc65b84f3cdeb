"""Small networks and few digits, to run experiments on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from app.cnn.network import Network
from app.datasets.digits import Digits, load_test_digits
from app.experiments.experiment import Result, Subject
from app.library.library import Library
from tests.small_models import DIGITS, card, parts

BUILT_IN = Path(__file__).parents[2] / "models"
SOME: Digits = load_test_digits().take(slice(30))


class FewNetworks(Library):
    """A library of networks that are in memory already."""

    def __init__(self, networks: Mapping[str, Network] | None = None) -> None:
        self.networks = networks or {}

    def network(self, name: str) -> Network:
        return self.networks[name]

    def sibling_name(self, network: Network, pooling: Any) -> str:
        name = network.card.siblings.get(pooling, network.name)
        return name if name in self.networks else network.name


def make_network(model: keras.Model, name: str = "small", **facts: Any) -> Network:
    """Return a model that reads digits, as a network."""
    definition = parts(model)
    return Network(name, definition, card(model, **{"classes": DIGITS, "pooling": definition.pooling, **facts}))


def make_subject(network: Network, networks: Mapping[str, Network] | None = None, digits: Digits = SOME) -> Subject:
    return Subject(network, FewNetworks(networks), digits)


def template_matcher() -> keras.Model:
    """A network that reads some digits without training: it compares them with one picture of each.

    Its convolution passes the picture on, so that there is something to pool.
    """
    digits = load_test_digits()
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(2, 1, activation="relu", name="same"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, activation="softmax", name="answer"),
        ]
    )
    model.get_layer("same").set_weights([np.ones((1, 1, 1, 2)), np.zeros(2)])
    pooled = digits.images[:5000].reshape(-1, 14, 2, 14, 2).max(axis=(2, 4)) / 255
    means = np.stack([pooled[digits.labels[:5000] == label].mean(axis=0) for label in range(10)])
    kernel = np.repeat(means.reshape(10, -1).T, 2, axis=0) / 2
    bias = -0.5 * (means.reshape(10, -1) ** 2).sum(axis=1)
    model.get_layer("answer").set_weights([kernel, bias])
    return model


def values(result: Result, *fields: str, **where: Any) -> list[Any]:
    """Return these fields of the rows whose other fields are so."""
    rows = [row for row in result.rows if all(getattr(row, name) == value for name, value in where.items())]
    found = [tuple(getattr(row, each) for each in fields) for row in rows]
    return [each[0] for each in found] if len(fields) == 1 else found
