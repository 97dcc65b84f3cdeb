"""Files opened in a child process, so that a crash costs one refusal and no server.

That process may neither write a file nor take more memory or time than it is given. It outlives a file; one that a file
has stopped is replaced for the next. It cannot import Keras, which takes seconds to start: a file that needs Keras is
opened by another one, which can.
"""

import json
import os
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

from ..model_files.errors import ModelError
from ..model_files.limits import WEIGHTS_BYTES
from ..model_files.serialization import HEADER_BYTES, ScanResult, parse_scan_result
from .opener import MEMORY, NEEDS, READY
from .process import PROGRAM, Deadline, end, start

_PROGRAM = PROGRAM.format(module="opener")
_START_SECONDS = 180  # what TensorFlow may take to start: 3 seconds, many more on a busy machine
_MODEL_BYTES = WEIGHTS_BYTES + 2 * HEADER_BYTES
_PIECE_BYTES = 2**20

_TIME = "Opening the file took longer than {seconds:g} seconds: it is too large, or damaged. Bring a smaller one."
_CRASH = "Opening the file stopped the process that tried it, so it is damaged or does harm. Save the model again."
_NO_START = (
    "The file was not opened: the process that opens files does not start. Most likely this machine has too little "
    "free memory. Start the server again when it has more."
)
_STOPPED = "The file was not opened: the server is shutting down."
# Aborted by a library that got no memory, killed for memory, out of processor time.
_ENDS = {6: MEMORY, 9: MEMORY, 24: _TIME}


class SerializedModel(NamedTuple):
    """A model that a child process opened."""

    scan: ScanResult
    file: BinaryIO  # for app.model_files.serialization.deserialize; it has no name, and whoever takes it closes it


class Sandbox:
    """A child process that opens untrusted files, one after another.

    One thread opens files; any thread may stop it.
    """

    def __init__(self, seconds: float = 60, megabytes: int = 1024) -> None:
        """seconds, megabytes: what one file may take, beyond what the process itself takes to start.

        Where the system cannot limit memory, time alone is.
        """
        self._limits = {"seconds": seconds, "megabytes": megabytes}
        self._process: subprocess.Popen[bytes] | None = None
        self._has_keras = False
        self._stopped = False
        self._lock = threading.Lock()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the next file starts another."""
        process, self._process = self._process, None
        self._has_keras = False
        if process is not None:
            end(process)

    def stop(self) -> None:
        """Open no file any more. One that is being opened is refused."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def open(self, path: Path, lambdas: str = "") -> SerializedModel:
        """Open a .keras, .h5 or .hdf5 file. Only the child reads it.

        lambdas: what the file's Lambda layers compute, as JSON.
        Raises: ModelError, also where the child ran out of time or memory.
        """
        answer, file = self._ask(path, lambdas)
        if NEEDS in answer and not self._has_keras:
            file.close()
            self.close()
            self._has_keras = True
            answer, file = self._ask(path, lambdas)
        try:
            found = parse_scan_result(answer)
        except (ValueError, RecursionError):
            file.close()
            raise self._refusal(_CRASH) from None
        if isinstance(found, ModelError):
            file.close()
            raise found
        return SerializedModel(found, file)

    def _ask(self, path: Path, lambdas: str) -> tuple[Any, BinaryIO]:
        """Return what the process answers for a file. Raises: ModelError."""
        process = self._ready()
        deadline = Deadline(process, self._limits["seconds"])
        try:
            with deadline:
                answer = _ask(process, path, lambdas)
        except (OSError, EOFError):  # it ended, and its status tells why
            status = end(process, seconds=2)
            raise self._refusal(_TIME if deadline.passed else _ENDS.get(-status, _CRASH)) from None
        except (ValueError, RecursionError):  # it says what it should not
            raise self._refusal(_CRASH) from None
        if deadline.passed:  # just after the answer
            self.close()
        return answer

    def _refusal(self, sentence: str) -> ModelError:
        """Return the refusal of a file whose process is of no use any more."""
        self.close()
        return ModelError(_STOPPED if self._stopped else sentence.format(**self._limits))

    def _ready(self) -> subprocess.Popen[bytes]:
        """Return the process, waiting for a file. Raises: ModelError, where none can be started."""
        if self._process is not None and self._process.poll() is not None:  # it ended between two files
            self.close()
        if self._process is not None:
            return self._process
        process = self._start()
        assert process.stdout is not None
        with Deadline(process, _START_SECONDS):
            answer = process.stdout.readline(len(READY))
        if answer != READY:
            raise self._refusal(_NO_START)
        return process

    def _start(self) -> subprocess.Popen[bytes]:
        arguments = [str(self._limits["megabytes"]), str(self._limits["seconds"]), *["keras"] * self._has_keras]
        with self._lock:
            if self._stopped:
                raise ModelError(_STOPPED)
            try:
                process = self._process = start(_PROGRAM, arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            except OSError as error:
                raise ModelError(_NO_START) from error
        return process


def open_in_sandbox(path: Path, seconds: float = 60, megabytes: int = 1024, lambdas: str = "") -> SerializedModel:
    """Open one file in a process that ends with it. Raises: ModelError, as Sandbox.open."""
    with Sandbox(seconds, megabytes) as opener:
        return opener.open(path, lambdas)


def _ask(process: subprocess.Popen[bytes], path: Path, lambdas: str) -> tuple[Any, BinaryIO]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps([str(path.absolute()), lambdas]).encode() + b"\n")
    process.stdin.flush()
    return _read_answer(process.stdout)


def _read_answer(pipe: IO[bytes]) -> tuple[Any, BinaryIO]:
    """Raises: ValueError, EOFError for a process that ended, or that says something else than it should."""
    header = pipe.readline(HEADER_BYTES)
    if not header.endswith(b"\n"):
        raise EOFError
    answer = json.loads(header)
    size = answer.get("size") if isinstance(answer, dict) else None
    if not isinstance(size, int) or not 0 <= size <= _MODEL_BYTES:
        raise ValueError(size)
    file = _nameless_file()  # never a whole model in the server's own memory
    try:
        while size:
            piece = pipe.read(min(size, _PIECE_BYTES))
            if not piece:
                raise EOFError
            file.write(piece)
            size -= len(piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return answer, file


def _nameless_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("layerglass"), "w+b")
    return cast(BinaryIO, tempfile.TemporaryFile())
