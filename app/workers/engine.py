"""A network run by worker processes, for the server. It is not trusted, and neither is what a worker says.

A worker runs one network, one image at a time. What comes back is numbers in a block of memory that the server has
made, of the size that it expects.
"""

import logging
import math
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import accumulate, pairwise
from typing import Any, BinaryIO
from weakref import WeakSet, finalize

import numpy as np

from ..cnn.cost import RunLimits, output_shapes
from ..cnn.edits import Edits
from ..cnn.errors import ImageTooSmall, NeedsKeras, RunFailed, RunInterrupted, WrongImageSize
from ..cnn.kinds import Layer
from ..cnn.types import Array, PoolingMode
from .memory import SharedBlocks, give_back_pages
from .process import PROGRAM, end, kill_soon, private_bytes, resident_bytes, start
from .runner import NEEDS_KERAS, NO_MEMORY, TOO_SMALL, receive, send

_log = logging.getLogger("layerglass")

_PROGRAM = PROGRAM.format(module="runner")
_START_SECONDS = 180  # what TensorFlow may take to start: 3 seconds, many more on a busy machine
_ENFORCED = {"memory", "files", "system calls"}
_COPIED_BYTES = 4 * 2**20  # smaller outputs are copied, so that few blocks and their descriptors are kept
_LARGE = 2**20  # numbers: networks with smaller outputs are done in less time than another worker takes to start
_MAX_CELLS = 2**31  # of a layer, as a worker describes it
_FLOAT = 4  # bytes
_RESIDENT_BYTES = 224 * 2**20  # of the server, before it gives back what it has read of forward passes
DESCRIPTION_BYTES = 2**20  # about what a network of some hundred layers takes in the server

_TIME = (
    "Running this network took longer than {seconds:g} seconds, and was ended. Send a smaller drawing or a smaller "
    "model, or have the limit raised with LAYERGLASS_RUN_SECONDS."
)
_MEMORY = (
    "Running this network took more than {megabytes:,} MB of memory, and was ended. Send a smaller drawing or a "
    "smaller model, or have the limit raised with LAYERGLASS_RUN_MEGABYTES."
)
_CRASH = "Running this network stopped the process that ran it. Try another drawing, or save the model again."
_NO_START = (
    "The network was not run: the process that runs it does not start. Most likely this machine has too little free "
    "memory. Try again later."
)
_NO_ROOM = "The network was not run: this machine has no memory left for what it computes. Try again later."
_STOPPED = "The network was not run: the server is shutting down."
# Aborted by a library that got no memory, killed for memory, out of processor time.
_ENDS = {6: _MEMORY, 9: _MEMORY, 24: _TIME}


class Workers:
    """All worker processes that run networks, and one that waits for the next network. Thread-safe."""

    def __init__(self, limits: RunLimits | None = None, parallel: int = 1) -> None:
        """limits: of one run. parallel: how many workers one network may have."""
        self.limits = limits or RunLimits()
        self.parallel = parallel
        self._spare: _Worker | None = None
        self._living: WeakSet[_Worker] = WeakSet()
        self._is_closed = False
        self._lock = threading.Lock()
        self._preparing = threading.Lock()
        self._warned = False

    def take(self, has_keras: bool) -> "_Worker":
        """Return a worker without a network. Raises: RunInterrupted."""
        with self._lock:
            spare = None
            if not has_keras:
                spare, self._spare = self._spare, None
        worker = spare if spare is not None and spare.is_alive else self._start(has_keras)
        self._warn(worker.wait_until_ready())
        return worker

    def prepare(self) -> None:
        """Have a worker wait for the next network."""
        with suppress(RunInterrupted), self._preparing:
            if self._spare is None or not self._spare.is_alive:
                self._spare = self._start(has_keras=False)

    def close(self) -> None:
        """End all workers, those that are running a network too."""
        with self._lock:
            self._is_closed = True
            living = list(self._living)
        for worker in living:
            worker.kill()
        for worker in living:
            worker.wait()

    def _start(self, has_keras: bool) -> "_Worker":
        with self._lock:
            if self._is_closed:
                raise RunInterrupted(_STOPPED)
            worker = _Worker(self.limits, has_keras)
            self._living.add(worker)
            return worker

    def explain(self, sentence: str) -> RunFailed:
        """Return the error for a worker that ended."""
        return RunInterrupted(_STOPPED) if self._is_closed else RunFailed(sentence)

    def _warn(self, enforced: Sequence[str]) -> None:
        missing = _ENFORCED.difference(enforced)
        if missing and not self._warned:
            self._warned = True
            _log.warning("This system does not bound these of networks out of files: %s.", ", ".join(sorted(missing)))


class _Worker:
    """One worker process, for one thread at a time; any thread may kill it."""

    def __init__(self, limits: RunLimits, has_keras: bool) -> None:
        """Start it. Raises: RunInterrupted."""
        self.limits = limits
        self.blocks = SharedBlocks()
        self.runs = 0
        self._enforced: Sequence[str] | None = None
        self.timed_out = False
        try:
            self._channel, theirs = socket.socketpair()
            with theirs:
                arguments = [str(theirs.fileno()), str(limits.megabytes), *["keras"] * has_keras]
                self._process = start(
                    _PROGRAM, arguments, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
                )
        except OSError as error:
            raise RunInterrupted(_NO_START) from error

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def nbytes(self) -> int:
        """The memory that it has for itself alone, and of its blocks that nothing reads, in bytes."""
        return private_bytes(self._process.pid) + self.blocks.nbytes

    def wait_until_ready(self) -> Sequence[str]:
        """Return what the system enforces. Raises: RunInterrupted, where it does not start."""
        if self._enforced is None:
            try:
                answer = self._receive(_START_SECONDS)
                self._enforced = [each for each in answer["ready"] if isinstance(each, str)]
            except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
                self.end()
                raise RunInterrupted(_NO_START) from error
        return self._enforced

    def ask(self, question: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """Return the answer. Raises: OSError, EOFError, ValueError where the worker ended, or says something else."""
        send(self._channel, question | {"seconds": self.limits.seconds}, descriptors)
        return self._receive(self.limits.seconds)

    def _receive(self, seconds: float) -> dict[str, Any]:
        self._channel.settimeout(seconds)
        try:
            answer, descriptors = receive(self._channel)
        except TimeoutError:
            self.timed_out = True
            raise
        for descriptor in descriptors:  # nothing was asked for
            os.close(descriptor)
        if not isinstance(answer, dict):
            raise ValueError(answer)
        return answer

    def kill(self) -> None:
        with suppress(OSError):
            self._process.kill()

    def wait(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)

    def end(self) -> str:
        """End the process, and return the sentence that says why it ended."""
        if not self.timed_out:
            self.wait()
        ended_itself = not self.is_alive
        status = end(self._process)
        self._channel.close()
        sentence = _TIME if self.timed_out else _ENDS.get(-status, _CRASH) if ended_itself else _CRASH
        return sentence.format(**self.limits._asdict())

    def end_soon(self) -> None:
        """End the process without waiting for that, as where drawings are computed in the event loop."""
        self._channel.close()
        kill_soon(self._process)

    def __del__(self) -> None:
        with suppress(AttributeError):  # it did not start
            if self.is_alive:
                self.end_soon()
            self._channel.close()


class WorkerEngine:
    """Runs a network out of somebody's file in processes of its own. Safe to share between threads."""

    is_apart = True

    def __init__(
        self,
        workers: Workers,
        file: BinaryIO,
        layers: Sequence[Layer],
        edits: Sequence[Edits] = (),
        seed: int | None = None,
    ) -> None:
        """Start nothing yet. file: a serialized model; only workers read it. layers: as they were found in it.

        edits: made in it, one after the other. seed: of the order in which the weights' numbers are shuffled
        afterwards; None leaves them.
        """
        self._workers = workers
        self._seed = seed
        self._edits = tuple(edits)
        self._file = file
        finalize(self, file.close)
        self._layers = layers
        self._needs_keras = False
        self._idle: list[_Worker] = []
        self._all: WeakSet[_Worker] = WeakSet()
        self._lock = threading.Lock()
        self._one = threading.BoundedSemaphore(1)
        self._several = threading.BoundedSemaphore(workers.parallel)
        self.give_back: Callable[[], None] | None = _give_back_if_large

    def run(self, image: Array, mode: PoolingMode | None, held: Sequence[Array] = ()) -> list[Array]:
        """Return every layer's output, without the batch. mode: None is as trained. held: of the other inputs.

        Raises: WrongImageSize, RunFailed.
        """
        shapes = self._shapes(image.shape)
        sizes = [math.prod(shape) for shape in shapes]
        with self._several if sum(sizes) >= _LARGE else self._one:
            numbers = self._run_by_any((image, *held), mode, sum(sizes))
        ends = [0, *accumulate(sizes)]
        return [numbers[begin:end].reshape(shape) for (begin, end), shape in zip(pairwise(ends), shapes, strict=True)]

    def _run_by_any(self, inputs: Sequence[Array], mode: PoolingMode | None, size: int) -> Array:
        """Run once, or again where a worker failed that had run before: it may have been full of other graphs."""
        worker = self._take()
        is_new = worker.runs == 0
        try:
            return self._run_by(worker, inputs, mode, size)
        except RunInterrupted:
            raise
        except RunFailed:
            if is_new or worker.timed_out:
                raise
        return self._run_by(self._load(), inputs, mode, size)

    def _run_by(self, worker: _Worker, inputs: Sequence[Array], mode: PoolingMode | None, size: int) -> Array:
        try:
            numbers = self._run(worker, inputs, mode, size)
        except WrongImageSize:
            raise
        except (OSError, EOFError, ValueError) as error:
            raise self._workers.explain(worker.end()) from error
        except MemoryError as error:
            worker.end()
            raise RunInterrupted(_NO_ROOM) from error
        worker.runs += 1
        self._return(worker)
        return numbers

    def _run(self, worker: _Worker, inputs: Sequence[Array], mode: PoolingMode | None, size: int) -> Array:
        """Return all outputs, one behind the other. inputs: the image, then the others."""
        given = sum(each.size for each in inputs)
        try:
            _give_back_if_large()
            block = worker.blocks.take(_FLOAT * (given + size))
        except OSError as error:
            raise MemoryError from error
        _write(block.descriptor, inputs)
        question = {"do": "run", "inputs": [each.shape for each in inputs], "pooling": mode, "block": block.number}
        self._check(worker, worker.ask(question, [block.descriptor]), inputs[0].shape)
        numbers = block.array[given:]
        return numbers.copy() if numbers.nbytes < _COPIED_BYTES else numbers

    def answer(self, image: Array, mode: PoolingMode | None, held: Sequence[Array] = ()) -> Array:
        """Return the last layer's output. Takes and raises what run does."""
        return self.run(image, mode, held)[-1]

    def output_shapes(self, image: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the shape of every layer's output for an image of this shape, as a worker tells it.

        Raises: WrongImageSize, RunFailed.
        """
        with self._one:
            worker = self._take()
            try:
                answer = worker.ask({"do": "describe", "image": image})
                self._check(worker, answer, image)
                shapes = [_parse_shape(shape) for shape in answer["shapes"]]
                if len(shapes) != len(self._layers):
                    raise ValueError(len(shapes))
                self._return(worker)
            except WrongImageSize:
                raise
            except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
                raise self._workers.explain(worker.end()) from error
        return shapes

    def _shapes(self, image: tuple[int, ...]) -> list[tuple[int, ...]]:
        try:
            shapes = output_shapes(self._layers, image)
        except NeedsKeras:
            return self.output_shapes(image)
        return [shapes[layer.name] for layer in self._layers]

    def edited(self, edits: Edits) -> "WorkerEngine":
        """Return an engine of the same network with these edits, which its workers make."""
        file = os.fdopen(os.dup(self._file.fileno()), "rb")
        made = WorkerEngine(self._workers, file, self._layers, (*self._edits, edits), self._seed)
        made._needs_keras = self._needs_keras
        return made

    def shuffling(self, seed: int) -> "WorkerEngine":
        """Return an engine of the same network with the numbers of each of its weights in a random order."""
        file = os.fdopen(os.dup(self._file.fileno()), "rb")
        made = WorkerEngine(self._workers, file, self._layers, self._edits, seed)
        made._needs_keras = self._needs_keras
        return made

    @property
    def nbytes(self) -> int:
        """The memory of its workers, and of what the server knows of it, in bytes."""
        with self._lock:
            return DESCRIPTION_BYTES + sum(worker.nbytes for worker in self._all)

    def close(self) -> None:
        """End the workers that run nothing; the others end when they are done."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._all.clear()
        for worker in idle:
            worker.end_soon()

    def _take(self) -> _Worker:
        """Return a worker that has loaded the network. Raises: RunFailed."""
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is not None and worker.is_alive:
            return worker
        return self._load()

    def _load(self) -> _Worker:
        worker = self._workers.take(self._needs_keras)
        try:
            question = {"do": "load", "edits": [*map(str, self._edits)], "seed": self._seed}
            answer = worker.ask(question, [self._file.fileno()])
            if answer.get("problem") == NEEDS_KERAS and not self._needs_keras:
                self._needs_keras = True
                worker.end()
                return self._load()
            self._check(worker, answer, ())
        except (OSError, EOFError, ValueError) as error:
            raise self._workers.explain(worker.end()) from error
        with self._lock:
            self._all.add(worker)
        if not self._needs_keras:
            threading.Thread(target=self._workers.prepare, name="prepare worker", daemon=True).start()
        return worker

    def _return(self, worker: _Worker) -> None:
        with self._lock:
            if worker in self._all:
                self._idle.append(worker)
                return
        worker.end()  # closed meanwhile

    def _check(self, worker: _Worker, answer: dict[str, Any], image: tuple[int, ...]) -> None:
        """Raise the error that an answer tells of, if any."""
        problem = answer.get("problem")
        if problem is None:
            return
        if problem == TOO_SMALL:
            self._return(worker)
            raise ImageTooSmall(*image[:2])
        worker.end()
        limits = self._workers.limits._asdict()
        raise RunFailed((_MEMORY if problem == NO_MEMORY else _CRASH).format(**limits))


def _give_back_if_large() -> None:
    """Give pages back where this process has many: to map them again takes as long as to draw a tenth of them."""
    if resident_bytes() > _RESIDENT_BYTES:
        give_back_pages()


def _write(descriptor: int, inputs: Sequence[Array]) -> None:
    """Write the inputs to the start of a block, one behind the other."""
    start = 0
    for each in inputs:
        view, offset = np.ascontiguousarray(each, np.float32).data.cast("B"), 0
        while offset < len(view):
            offset += os.pwrite(descriptor, view[offset:], start + offset)
        start += len(view)


def _parse_shape(shape: Any) -> tuple[int, ...]:
    """Raises: ValueError, TypeError."""
    sizes = tuple(shape)
    if not all(isinstance(size, int) and size >= 1 for size in sizes) or math.prod(sizes) > _MAX_CELLS:
        raise ValueError(shape)
    return sizes
