"""The process that runs one network, out of somebody's file, for the server.

Before it reads the model it has given up whatever it does not need: see confinement.py. It is sent the model's file and
blocks of memory by their descriptors, and answers in JSON.
"""

import json
import math
import mmap
import os
import socket
import sys
from collections import OrderedDict
from collections.abc import Sequence
from errno import ENOMEM
from functools import reduce
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..cnn.definition import ModelDefinition
from ..cnn.edits import Edits
from ..cnn.errors import ImageTooSmall
from ..cnn.network import LocalEngine, make_engine
from ..cnn.types import Array, PoolingMode
from ..model_files.serialization import deserialize
from .confinement import confine, limit_time

MESSAGE_BYTES = 2**20
_MAPPED_SHARE = 4

NEEDS_KERAS, TOO_SMALL, NO_MEMORY, FAILED = "needs keras", "too small", "no memory", "failed"
# Python's, TensorFlow's, and LiteRT's while and before it computes: by then every layer and size is known to it.
_NO_MEMORY = ("MemoryError", "ResourceExhaustedError", "RuntimeError", "UnsupportedLayer")


def serve(channel: str, megabytes: str, keras: str = "") -> None:
    """Load the model that is sent first, then run it on each image that is sent, until the server hangs up."""
    with socket.socket(fileno=int(channel)) as server:
        readable = _start_keras() if keras else _start_litert()
        send(server, {"ready": confine(int(megabytes), readable)})
        try:
            request, descriptors = receive(server)
            limit_time(request["seconds"])
            engine = _load(descriptors[0], request["edits"], request["seed"])
            blocks = _Blocks(int(megabytes) * 2**20)
            send(server, {"loaded": True})
            while True:
                request, descriptors = receive(server)
                limit_time(request["seconds"])
                send(server, _answer(engine, blocks, request, descriptors))
        except EOFError:
            pass
        except Exception as error:  # the server starts another process
            send(server, {"problem": _problem(error), "kind": type(error).__name__})


def send(channel: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message as a line of JSON. Raises: OSError."""
    data = json.dumps(message).encode() + b"\n"
    if descriptors:
        socket.send_fds(channel, [data], list(descriptors))
    else:
        channel.sendall(data)


def receive(channel: socket.socket) -> tuple[Any, list[int]]:
    """Return the next message, and the descriptors that came with it. Raises: EOFError, OSError, ValueError."""
    data, descriptors = b"", list[int]()
    while not data.endswith(b"\n"):
        piece, came, _, _ = socket.recv_fds(channel, 65_536, 1)
        descriptors += came
        data += piece
        if not piece:
            raise EOFError
        if len(data) > MESSAGE_BYTES:
            raise ValueError(len(data))
    return json.loads(data), descriptors


def _start_litert() -> list[Path]:
    """Import all that running a LiteRT graph needs, since nothing can be imported later."""
    # None: not to be imported. A network that needs Keras is run by another process, which has it.
    package = __package__.rpartition(".")[0]
    names = ("keras", "tensorflow", f"{package}.cnn.tensorflow", f"{package}.model_files.keras_builder")
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]
    try:
        from ..cnn.litert.builder import GraphBuilder
        from ..cnn.litert.engine import Interpreters

        graph = GraphBuilder((1, 1, 1))
        # An operator that XNNPACK runs has it look now, in files, at what this processor can do.
        Interpreters(graph, [graph.relu(graph.image)]).run(np.zeros((1, 1, 1), np.float32))
    except ImportError:  # a machine without LiteRT
        pass
    return []


def _start_keras() -> list[Path]:
    """Start TensorFlow. Returns: the folders that it goes on importing from."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.zeros(1)  # starts its threads
    from ..cnn.tensorflow import TensorFlowEngine as TensorFlowEngine

    folders = {Path(folder) for folder in (*sys.path, sys.prefix, sys.base_prefix, "/proc", "/sys") if folder}
    return [folder for folder in folders if folder.exists()]


def _load(descriptor: int, edits: Sequence[str], seed: int | None) -> LocalEngine:
    data = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    os.close(descriptor)
    definition = reduce(ModelDefinition.edited, map(Edits.parse, edits), deserialize(data).definition)
    return make_engine(definition if seed is None else definition.shuffling(seed))


def _answer(engine: LocalEngine, blocks: "_Blocks", request: Any, descriptors: Sequence[int]) -> dict[str, Any]:
    try:
        if request["do"] == "describe":
            return {"shapes": engine.output_shapes(tuple(request["image"]))}
        (descriptor,) = descriptors
        try:
            block = blocks.map(request["block"], descriptor)
        finally:
            os.close(descriptor)
        if engine.nbytes + 3 * block.nbytes > blocks.max_bytes:
            engine.close()  # the graphs of other modes and sizes would leave too little for this one
        return _run(engine, request, block)
    except ImageTooSmall:
        return {"problem": TOO_SMALL}


def _run(engine: LocalEngine, request: Any, block: Array) -> dict[str, Any]:
    """Read the inputs from the start of a block, and write every layer's output behind them."""
    ends = list(accumulate((math.prod(shape) for shape in request["inputs"]), initial=0))
    size = ends[-1]
    image, *held = (
        block[begin:end].reshape(shape) for (begin, end), shape in zip(pairwise(ends), request["inputs"], strict=True)
    )
    mode = request["pooling"] and PoolingMode(request["pooling"])

    def write(outputs: list[Array]) -> None:
        ends = list(accumulate((output.size for output in outputs), initial=size))
        if ends[-1] != block.size:
            raise ValueError("outputs of another size than the server expects")
        for output, (begin, end) in zip(outputs, pairwise(ends), strict=True):
            np.copyto(block[begin:end], output.reshape(-1))

    engine.use(image, mode, write, held)
    return {"done": True}


class _Blocks:
    """Blocks of memory that the server made, those that come often kept mapped."""

    def __init__(self, max_bytes: int) -> None:
        """max_bytes: of memory; blocks take a quarter of it at most, beside the one that is used."""
        self.max_bytes = max_bytes
        self._mapped: OrderedDict[int, Array] = OrderedDict()

    def map(self, number: int, descriptor: int) -> Array:
        """Return a block's numbers, to read and to write. number: that no other block has."""
        block = self._mapped.pop(number, None)
        if block is None:
            flags = {"flags": mmap.MAP_SHARED | mmap.MAP_POPULATE} if sys.platform == "linux" else {}
            block = np.frombuffer(mmap.mmap(descriptor, os.fstat(descriptor).st_size, **flags), np.float32)
        self._mapped[number] = block
        while sum(each.nbytes for each in self._mapped.values()) > self.max_bytes // _MAPPED_SHARE:
            self._mapped.popitem(last=False)  # this one, too, where it is too large
        return block


def _problem(error: Exception) -> str:
    if isinstance(error, ImportError):
        return NEEDS_KERAS
    has_no_memory = type(error).__name__ in _NO_MEMORY or (isinstance(error, OSError) and error.errno == ENOMEM)
    return NO_MEMORY if has_no_memory else FAILED
