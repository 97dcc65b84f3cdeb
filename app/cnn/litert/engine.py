"""A network run by LiteRT: its layers written as graphs, one for each pooling mode and size of image that is asked for.

It needs the layers' description and their weights, and no Keras model.
"""

from collections import OrderedDict
from threading import Lock

import numpy as np

from app.cnn.definition import ModelDefinition
from app.cnn.errors import ImageTooSmall, UnsupportedLayer
from app.cnn.litert.builder import GraphBuilder
from app.cnn.litert.graph import Tensor
from app.cnn.litert.interpreters import Interpreters
from app.cnn.types import Array, PoolingMode

_ANY = 32  # stands for a side of any size
_MOST = 8  # graphs that are kept; beyond, the one that was asked for the longest ago goes


class LiteEngine:
    """Safe to share between threads."""

    def __init__(self, definition: ModelDefinition) -> None:
        """Write the graph that runs as trained.

        Raises: UnsupportedLayer, where LiteRT is not given a layer or one of its settings, or where weights are not
        finite, which LiteRT and TensorFlow carry on in different ways.
        """
        for name, arrays in definition.weights.items():
            if not all(np.isfinite(array).all() for array in arrays.values()):
                raise UnsupportedLayer(f"weights of {name} that are no finite numbers")
        self._layers, self._weights = definition.layers, definition.weights
        self._ready: OrderedDict[tuple[PoolingMode | None, tuple[int, ...]], Interpreters] = OrderedDict()
        self._lock = Lock()
        self._interpreters(None, tuple(size or _ANY for size in definition.input_shape))

    def run(self, image: Array, mode: PoolingMode | None) -> list[Array]:
        """Every layer's output, without the batch. mode: None is each layer's own. Raises: ImageTooSmall."""
        try:
            interpreters = self._interpreters(mode, image.shape)
        except UnsupportedLayer as error:  # every layer was known when the engine was made, so it is the image's size
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
        graph = GraphBuilder(shape)
        made: dict[str | None, Tensor] = {None: graph.image}
        for layer in self._layers:
            inputs = [made[source] for source in layer.sources]
            made[layer.name] = layer.with_pooling(mode).write(graph, self._weights[layer.name], inputs)
        try:
            return Interpreters(graph, [made[layer.name] for layer in self._layers])
        except (RuntimeError, ValueError) as error:
            raise UnsupportedLayer(f"what LiteRT does not take: {error}") from error
