"""A network run by LiteRT: its layers written as graphs, one for each pooling mode and size of image that is asked for.

It needs the layers' description and their weights, and no Keras model.
"""

import math
import mmap
import os
import sys
from collections import OrderedDict
from itertools import accumulate, pairwise
from threading import BoundedSemaphore, Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ..definition import ModelDefinition
from ..errors import ImageTooSmall, UnsupportedLayer
from ..types import Array, PoolingMode
from .builder import GraphBuilder
from .graph import Graph, Tensor

_SPARE = 3  # unused blocks that are kept; several may be given back at once, by the garbage collector
LARGE = 2**20  # numbers
_SMALL = 2**14  # numbers; of smaller blocks a page or two would be wasted, and they leave small holes
_UNUSED = 2  # references to a block that nothing reads: the list's, and the one that counts them


# Private, and all pages at once: one by one, each would cost a page fault.
_FLAGS = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE} if sys.platform == "linux" else {}
# An interpreter computes outside the GIL, so as many run at once as there are cores; more only take memory.
# Of a small graph there is one: it is done in less time than another would take to be made, and to be kept.
MAX_INTERPRETERS = min(os.cpu_count() or 1, 4)  # of one large graph
_ANY = 32  # stands for a side of any size
_MAX_GRAPHS = 8  # graphs that are kept; the least recently used one goes


class Blocks:
    """Blocks of one size, each given out again when no array reads from it any more. Threads may share them."""

    def __init__(self, size: int) -> None:
        """size: in float32 numbers."""
        self._size = size
        self._given: list[Array] = []
        self._lock = Lock()

    def take(self) -> Array:
        """Return a block, (size,), with anything in it. Arrays made of it keep it from being given out again."""
        if self._size < LARGE:
            return np.empty(self._size, np.float32) if self._size < _SMALL else _map(self._size)
        with self._lock:
            unused = [index for index in range(len(self._given)) if sys.getrefcount(self._given[index]) == _UNUSED]
            for index in reversed(unused[_SPARE:]):
                del self._given[index]
            if unused:
                return self._given[unused[0]]
            block = np.empty(self._size, np.float32)
            self._given.append(block)
            return block


def _map(size: int) -> Array:
    """Map a block of so many numbers, or have malloc make it where the system maps no more."""
    try:
        return np.frombuffer(mmap.mmap(-1, 4 * size, **_FLAGS), np.float32)
    except OSError:  # a process may have so many mappings and no more
        return np.empty(size, np.float32)


class Interpreters:
    """A pool of interpreters of one graph, made on demand; all read the same bytes."""

    def __init__(self, graph: Graph, outputs: list[Tensor]) -> None:
        """Make the first one. Raises: RuntimeError or ValueError, where LiteRT does not take the graph."""
        self._bytes = graph.finish(outputs)
        self._image = graph.image.index
        self._outputs = outputs
        self._ends = [0, *accumulate(math.prod(tensor.shape) for tensor in outputs)]
        self._blocks = Blocks(self._ends[-1])
        self._turns = BoundedSemaphore(MAX_INTERPRETERS if self._ends[-1] >= LARGE else 1)
        self._idle = [self._make()]

    def run(self, image: Array) -> list[Array]:
        """Return the outputs for one image, (height, width, channels), without the batch, as copies of their own."""
        with self._turns:
            try:
                interpreter = self._idle.pop()
            except IndexError:
                interpreter = self._make()
            interpreter.set_tensor(self._image, image[np.newaxis])
            interpreter.invoke()
            outputs = self._read(interpreter)
            self._idle.append(interpreter)  # one that failed is not used again
        return outputs

    def _read(self, interpreter: Interpreter) -> list[Array]:
        """Return all outputs, copied into one block of memory: a block of its own for each takes four times as long."""
        block = self._blocks.take()
        parts = [block[start:end] for start, end in pairwise(self._ends)]
        for tensor, part in zip(self._outputs, parts, strict=True):
            np.copyto(part, interpreter.tensor(tensor.index)().reshape(-1))
        return [part.reshape(tensor.shape[1:]) for tensor, part in zip(self._outputs, parts, strict=True)]

    def _make(self) -> Interpreter:
        interpreter = Interpreter(model_content=self._bytes, num_threads=1)
        interpreter.allocate_tensors()
        if any(interpreter.tensor(tensor.index)().shape != tensor.shape for tensor in self._outputs):
            raise ValueError("a shape that LiteRT computes otherwise")
        return interpreter


class LiteEngine:
    """Runs a network by LiteRT. Safe to share between threads."""

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
        """Return every layer's output, without the batch. mode: None is each layer's own. Raises: ImageTooSmall."""
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
            if len(self._ready) > _MAX_GRAPHS:
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
