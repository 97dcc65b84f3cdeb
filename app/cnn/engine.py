"""What runs a network: the fast way where it knows every layer, TensorFlow itself where it does not."""

import logging
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.cnn.litert.unknown import Unknown
from app.cnn.parts import Parts
from app.cnn.pooling import PoolingMode

Array = NDArray[np.float32]

_log = logging.getLogger(__name__)


class Engine(Protocol):
    """Runs a network. Safe to share between threads."""

    @property
    def is_small(self) -> bool:
        """Running it and drawing all its layers takes a few milliseconds, as app.cnn.cost.is_small says."""

    def run(self, image: Array, mode: PoolingMode | None) -> list[Array]:
        """Every layer's output, without the batch, as copies. mode: None is each layer's own. Raises: ImageTooSmall."""


def make_engine(parts: Parts) -> Engine:
    """The fastest engine that knows every layer, ready to run the network as trained."""
    try:
        from app.cnn.litert.engine import LiteEngine  # here, because not every machine has LiteRT

        return LiteEngine(parts)
    except (ImportError, Unknown) as reason:
        _log.info("TensorFlow itself runs a network, because LiteRT does not: %s.", reason)
    from app.cnn.tensorflow.engine import TensorFlowEngine  # here, because it starts TensorFlow

    return TensorFlowEngine(parts)
