"""A small network, and a forward pass of it whose layers are large: nothing has run it."""

from dataclasses import replace
from functools import cache

import keras
import numpy as np
from keras import layers

from app.cnn.network import ForwardPass, Network
from app.cnn.types import PoolingMode
from tests.peaks import large
from tests.small_models import card, parts

SIDE, CHANNELS = 512, 32


@cache
def large_network() -> Network:
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(CHANNELS, 3, padding="same", name="first"),
            layers.Conv2D(CHANNELS, 3, padding="same", name="second"),
            layers.MaxPooling2D(2, name="pooled"),
            layers.GlobalMaxPooling2D(name="strongest"),
            layers.Dense(10, name="answer"),
        ]
    )
    return Network("large", parts(model), card(model, classes=[], pooling="max"))


class Mapped:
    """Counts how often the pages of a forward pass are given back."""

    def __init__(self) -> None:
        self.times = 0

    def give_back(self) -> None:
        self.times += 1


def large_pass(mapped: Mapped | None = None, mode: PoolingMode = PoolingMode.MAX) -> ForwardPass:
    """A forward pass in a pooling mode, all modes sharing their memory."""
    forward = replace(_pass(), pooling=mode)
    return forward if mapped is None else replace(forward, give_back=mapped.give_back)


@cache
def _pass() -> ForwardPass:
    maps = large(SIDE, SIDE, CHANNELS)
    shapes = {"first": maps, "second": maps * np.float32(-2), "pooled": large(SIDE // 2, SIDE // 2, CHANNELS)}
    vectors = {"strongest": np.ones(CHANNELS, np.float32), "answer": np.arange(10, dtype=np.float32)}
    return ForwardPass(large(SIDE, SIDE, 1), PoolingMode.MAX, shapes | vectors)
