"""What runs a network: the fast way where it knows every layer, TensorFlow itself where it does not."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from app.cnn.layers import Layer
from app.cnn.lite.unknown import Unknown
from app.cnn.plain import TensorFlowEngine
from app.cnn.pooling import PoolingMode

Array = NDArray[np.float32]

_log = logging.getLogger(__name__)


class Engine(Protocol):
    """Runs a network. Safe to share between threads."""

    def run(self, image: Array, mode: PoolingMode | None) -> list[Array]:
        """Every layer's output, without the batch, as copies. mode: None is each layer's own. Raises: UnfitImage."""


def make_engine(model: keras.Model, layers: Sequence[Layer], weights: Mapping[str, Mapping[str, Array]]) -> Engine:
    """The fastest engine that knows the model, ready to run it as trained."""
    try:
        from app.cnn.lite.engine import LiteEngine  # here, because not every machine has LiteRT

        return LiteEngine(layers, weights, model.inputs[0].shape[1:])
    except (ImportError, Unknown) as reason:
        _log.info("TensorFlow itself runs %s, because LiteRT does not: %s.", model.name, reason)
        return TensorFlowEngine(model)
