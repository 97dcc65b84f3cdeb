"""The process that runs one network, out of somebody's file, for the server.

Before it reads the model it has given up whatever it does not need: see confinement.py. It is sent the model's file and
blocks of memory by their descriptors, and answers in JSON.
"""

import json
import mmap
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..cnn.errors import ImageTooSmall
from ..cnn.network import LocalEngine, make_engine
from ..cnn.types import Array, PoolingMode
from ..model_files.serialization import deserialize
from .confinement import confine, limit_time

MESSAGE_BYTES = 2**20
_MOST_BUFFERS = 512  # that one call of pwritev takes; systems allow 1024

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
            engine = _load(descriptors[0])
            send(server, {"loaded": True})
            while True:
                request, descriptors = receive(server)
                limit_time(request["seconds"])
                send(server, _answer(engine, request, descriptors))
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


def _load(descriptor: int) -> LocalEngine:
    data = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    os.close(descriptor)
    return make_engine(deserialize(data).definition)


def _answer(engine: LocalEngine, request: Any, descriptors: Sequence[int]) -> dict[str, Any]:
    try:
        if request["do"] == "describe":
            return {"shapes": engine.output_shapes(tuple(request["image"]))}
        (block,) = descriptors
        try:
            return _run(engine, request, block)
        finally:
            os.close(block)
    except ImageTooSmall:
        return {"problem": TOO_SMALL}


def _run(engine: LocalEngine, request: Any, block: int) -> dict[str, Any]:
    """Read the image from the start of a block, and write every layer's output behind it."""
    image = np.empty(request["image"], np.float32)
    os.preadv(block, [image.data.cast("B")], 0)
    mode = request["pooling"] and PoolingMode(request["pooling"])

    def write(outputs: list[Array]) -> None:
        if sum(output.nbytes for output in outputs) != request["bytes"]:
            raise ValueError("outputs of another size than the server expects")
        _write(block, outputs, image.nbytes)

    engine.use(image, mode, write)
    return {"done": True}


def _write(block: int, outputs: Sequence[Array], offset: int) -> None:
    """Write arrays one behind the other, without a copy of them in this process."""
    views = [np.ascontiguousarray(output).data.cast("B") for output in outputs if output.size]
    while views:
        written = os.pwritev(block, views[:_MOST_BUFFERS], offset)
        offset += written
        views = list(_after(views, written))


def _after(views: Sequence[memoryview], written: int) -> Iterator[memoryview]:
    for view in views:
        if written < len(view):
            yield view[written:]
        written = max(0, written - len(view))


def _problem(error: Exception) -> str:
    if isinstance(error, ImportError):
        return NEEDS_KERAS
    return NO_MEMORY if type(error).__name__ in _NO_MEMORY else FAILED
