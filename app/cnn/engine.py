"""The two engines that run a network: LiteRT, and TensorFlow for what LiteRT is not given."""

import logging
from typing import Protocol

from app.cnn.definition import ModelDefinition
from app.cnn.errors import UnsupportedLayer
from app.cnn.pooling import PoolingMode
from app.cnn.types import Array

_log = logging.getLogger(__name__)


class Engine(Protocol):
    """Runs a network. Safe to share between threads."""

    def run(self, image: Array, mode: PoolingMode | None) -> list[Array]:
        """Return every layer's output, without the batch, copied. mode: None is as trained. Raises: ImageTooSmall."""


def make_engine(definition: ModelDefinition) -> Engine:
    """Make the fastest engine that knows every layer, ready to run the network as trained."""
    try:
        from app.cnn.litert.engine import LiteEngine  # here, because not every machine has LiteRT

        return LiteEngine(definition)
    except (ImportError, UnsupportedLayer) as reason:
        _log.info("TensorFlow runs a network, because LiteRT does not: %s.", reason)
    from app.cnn.tensorflow.engine import TensorFlowEngine  # here, because it starts TensorFlow

    return TensorFlowEngine(definition)
