"""A network run by LiteRT: its layers written as graphs, one for each pooling mode and size of image that is asked for.

It needs the layers' description and their weights, and no Keras model.
"""

from collections import OrderedDict
from dataclasses import replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from app.cnn.cost import is_small
from app.cnn.errors import ImageTooSmall
from app.cnn.litert.graph import Graph, Tensor
from app.cnn.litert.interpreters import Interpreters
from app.cnn.litert.operators import write_layer
from app.cnn.litert.unknown import Unknown
from app.cnn.parts import Parts
from app.cnn.pooling import PoolingMode

Array = NDArray[np.float32]

_ANY = 32  # stands for a side of any size
_MOST = 8  # graphs that are kept; beyond, the one that was asked for the longest ago goes


class LiteEngine:
    """Safe to share between threads."""

    def __init__(self, parts: Parts) -> None:
        """Write the graph that runs as trained.

        Raises: Unknown, where a layer or one of its settings is not known, or where numbers are not finite, which
        LiteRT and TensorFlow carry on in different ways.
        """
        for name, arrays in parts.weights.items():
            if not all(np.isfinite(array).all() for array in arrays.values()):
                raise Unknown(f"weights of {name} that are no finite numbers")
        self.is_small = is_small(parts)
        self._layers, self._weights = parts.layers, parts.weights
        self._ready: OrderedDict[tuple[PoolingMode | None, tuple[int, ...]], Interpreters] = OrderedDict()
        self._lock = Lock()
        self._interpreters(None, tuple(size or _ANY for size in parts.input_shape))

    def run(self, image: Array, mode: PoolingMode | None) -> list[Array]:
        """Every layer's output, without the batch. mode: None is each layer's own. Raises: ImageTooSmall."""
        try:
            interpreters = self._interpreters(mode, image.shape)
        except Unknown as error:  # every layer was known when the engine was made, so it is the image's size
            raise ImageTooSmall(*image.shape[:2]) from error
        return interpreters.run(image)

    def _interpreters(self, mode: PoolingMode | None, shape: tuple[int, ...]) -> Interpreters:
        key = (mode, shape)
        with self._lock:
            if key not in self._ready:
                self._ready[key] = self._write(mode, shape)
            self._ready.move_to_end(key)
            if len(self._ready) > _MOST:
                self._ready.popitem(last=False)
            return self._ready[key]

    def _write(self, mode: PoolingMode | None, shape: tuple[int, ...]) -> Interpreters:
        graph = Graph(shape)
        made: dict[str, Tensor] = {}
        for layer in self._layers:
            pooled = replace(layer, pooling=mode) if mode and layer.is_pooling else layer
            inputs = [made[name] for name in layer.inputs] or [graph.image]
            made[layer.name] = write_layer(graph, pooled, self._weights[layer.name], inputs)
        try:
            return Interpreters(graph, list(made.values()))
        except (RuntimeError, ValueError) as error:
            raise Unknown(f"what LiteRT does not take: {error}") from error
