"""A network run by LiteRT: its layers written as graphs, one for each pooling mode and size of image that is asked for.

It needs the layers' description and their weights, and no Keras model.
"""

import math
import mmap
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import accumulate, pairwise
from threading import BoundedSemaphore, Lock
from typing import TypeVar

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ..cost import output_shapes, trial_shape
from ..definition import ModelDefinition
from ..edits import Edits
from ..errors import NeedsKeras, UnsupportedLayer
from ..kinds.held_cells import as_scale_and_offset
from ..types import Array, PoolingMode
from .builder import GraphBuilder
from .graph import Graph, Tensor

T = TypeVar("T")

_SPARE = 3  # unused blocks that are kept; several may be given back at once, by the garbage collector
LARGE = 2**20  # numbers
_SMALL = 2**14  # numbers; of smaller blocks a page or two would be wasted, and they leave small holes
_UNUSED = 2  # references to a block that nothing reads: the list's, and the one that counts them


# Private, and all pages at once: one by one, each would cost a page fault.
_FLAGS = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE} if sys.platform == "linux" else {}
# An interpreter computes outside the GIL, so as many run at once as there are cores; more only take memory.
# Of a small graph there is one: it is done in less time than another would take to be made, and to be kept.
MAX_INTERPRETERS = min(os.cpu_count() or 1, 4)  # of one large graph
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
        self._inputs = [tensor.index for tensor in graph.inputs]
        self._outputs = outputs
        self._ends = [0, *accumulate(math.prod(tensor.shape) for tensor in outputs)]
        self._blocks = Blocks(self._ends[-1])
        self._turns = BoundedSemaphore(MAX_INTERPRETERS if self._ends[-1] >= LARGE else 1)
        self._made = 0
        self._idle = [self._make()]

    def run(self, *inputs: Array) -> list[Array]:
        """Return the outputs, without the batch, as copies of their own. inputs: the image, then the held ones."""
        return self.use(inputs, self._copy)

    def use(self, inputs: Sequence[Array], receive: Callable[[list[Array]], T], wanted: slice = slice(None)) -> T:
        """Run once, and return what receive makes of the outputs, which are there until it returns.

        wanted: of the outputs.
        """
        with self._turns:
            try:
                interpreter = self._idle.pop()
            except IndexError:
                interpreter = self._make()
            for index, values in zip(self._inputs, inputs, strict=True):
                interpreter.set_tensor(index, values[np.newaxis])
            interpreter.invoke()
            received = receive([interpreter.tensor(tensor.index)()[0] for tensor in self._outputs[wanted]])
            self._idle.append(interpreter)  # one that failed is not used again
        return received

    @property
    def nbytes(self) -> int:
        """The memory of the graph, which each interpreter packs anew, and of what each of them computes, in bytes."""
        return len(self._bytes) + self._made * (len(self._bytes) + 4 * self._ends[-1])

    def _copy(self, outputs: list[Array]) -> list[Array]:
        """Copy all outputs into one block of memory: a block of its own for each takes four times as long."""
        block = self._blocks.take()
        parts = [block[start:end] for start, end in pairwise(self._ends)]
        for output, part in zip(outputs, parts, strict=True):
            np.copyto(part, output.reshape(-1))
        return [part.reshape(tensor.shape[1:]) for tensor, part in zip(self._outputs, parts, strict=True)]

    def _make(self) -> Interpreter:
        self._made += 1
        interpreter = Interpreter(model_content=self._bytes, num_threads=1)
        interpreter.allocate_tensors()
        if any(interpreter.tensor(tensor.index)().shape != tensor.shape for tensor in self._outputs):
            raise ValueError("a shape that LiteRT computes otherwise")
        return interpreter


class LiteEngine:
    """Runs a network by LiteRT. Safe to share between threads."""

    is_apart = False
    give_back: Callable[[], None] | None = None

    def __init__(self, definition: ModelDefinition) -> None:
        """Write the graph that runs as trained.

        Raises: UnsupportedLayer, where LiteRT is not given a layer or one of its settings, or where weights are not
        finite, which LiteRT and TensorFlow carry on in different ways.
        """
        for name, arrays in definition.weights.items():
            if not all(np.isfinite(array).all() for array in arrays.values()):
                raise UnsupportedLayer(f"weights of {name} that are no finite numbers")
        self._definition = definition
        self._layers, self._weights = definition.layers, definition.weights
        self._weight_bytes = sum(each.nbytes for arrays in definition.weights.values() for each in arrays.values())
        self._ready: OrderedDict[tuple[PoolingMode | None, tuple[int, ...]], Interpreters] = OrderedDict()
        self._lock = Lock()
        self._interpreters(None, trial_shape(definition.layers, definition.input_shape))

    def run(self, image: Array, mode: PoolingMode | None, held: Sequence[Array] = ()) -> list[Array]:
        """Return every layer's output, without the batch. mode: None is each layer's own. Raises: WrongImageSize."""
        return self._interpreters_for(image, mode).run(image, *held)

    def answer(self, image: Array, mode: PoolingMode | None, held: Sequence[Array] = ()) -> Array:
        """Return the last layer's output, without the batch. mode: None is each layer's own. Raises: WrongImageSize."""
        interpreters = self._interpreters_for(image, mode)
        return interpreters.use((image, *held), lambda outputs: outputs[0].copy(), slice(-1, None))

    def use(
        self,
        image: Array,
        mode: PoolingMode | None,
        receive: Callable[[list[Array]], T],
        held: Sequence[Array] = (),
    ) -> T:
        """Run, and return what receive makes of the outputs, which are there until then. Raises: WrongImageSize."""
        return self._interpreters_for(image, mode).use((image, *held), receive)

    def output_shapes(self, image: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the shape of every layer's output for an image of this shape. Raises: WrongImageSize."""
        shapes = output_shapes(self._layers, image)
        return [shapes[layer.name] for layer in self._layers]

    def edited(self, edits: Edits) -> "LiteEngine":
        """Return an engine of the same network with these edits made in it. Raises: InvalidEdit."""
        return LiteEngine(self._definition.edited(edits))

    def shuffling(self, seed: int) -> "LiteEngine":
        """Return an engine of the same network with the numbers of each of its weights in a random order."""
        return LiteEngine(self._definition.shuffling(seed))

    @property
    def nbytes(self) -> int:
        """The memory of weights and graphs, in bytes."""
        with self._lock:
            return self._weight_bytes + sum(each.nbytes for each in self._ready.values())

    def close(self) -> None:
        """Drop the graphs."""
        with self._lock:
            self._ready.clear()

    def _interpreters_for(self, image: Array, mode: PoolingMode | None) -> Interpreters:
        return self._interpreters(mode, image.shape)

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
        with suppress(NeedsKeras):
            output_shapes(self._layers, shape)
        graph = GraphBuilder(shape)
        made: dict[str | None, Tensor] = {None: graph.image}
        for layer in self._layers:
            inputs = [made[source] for source in layer.sources]
            output = layer.with_pooling(mode).write(graph, self._weights[layer.name], inputs)
            if layer.held_cells:
                output = graph.scale_and_shift_each(output, *as_scale_and_offset(layer.held_cells, output.shape[1:]))
            made[layer.name] = output
        try:
            return Interpreters(graph, [made[layer.name] for layer in self._layers])
        except (RuntimeError, ValueError) as error:
            raise UnsupportedLayer(f"what LiteRT does not take: {error}") from error
