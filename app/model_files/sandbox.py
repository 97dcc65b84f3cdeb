"""Files opened in a child process, so that a crash costs one refusal and no server.

That process may neither write a file nor take more memory or time than it is given. It outlives a file; one that a file
has stopped is replaced for the next. It cannot import Keras, which takes seconds to start: a file that needs Keras is
opened by another one, which can.
"""

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from .errors import ModelError
from .limits import WEIGHTS_BYTES
from .serialization import ScanResult, parse_scan_result
from .worker import MEMORY, NEEDS, READY

_PACKAGE = Path(__file__).parents[1]  # app in a checkout, layerglass once installed
# -c and not -m: a person's own folder is never searched for modules.
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    f"from {_PACKAGE.name}.model_files.worker import serve; serve(*sys.argv[2:])"
)
_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")
_SETTINGS = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
_START_SECONDS = 180  # what TensorFlow may take to start: 3 seconds, many more on a busy machine
_HEADER_BYTES = 16 * 2**20
_MODEL_BYTES = WEIGHTS_BYTES + 16 * 2**20

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
    data: bytes  # for app.model_files.serialization.deserialize


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
            _end(process)

    def stop(self) -> None:
        """Open no file any more. One that is being opened is refused."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def open(self, path: Path) -> SerializedModel:
        """Open a .keras, .h5 or .hdf5 file. Only the child reads it.

        Raises: ModelError, also where the child ran out of time or memory.
        """
        answer, data = self._ask(path)
        if NEEDS in answer and not self._has_keras:
            self.close()
            self._has_keras = True
            answer, data = self._ask(path)
        try:
            found = parse_scan_result(answer)
        except (ValueError, RecursionError):
            raise self._refusal(_CRASH) from None
        if isinstance(found, ModelError):
            raise found
        return SerializedModel(found, data)

    def _ask(self, path: Path) -> tuple[Any, bytes]:
        """Return what the process answers for a file. Raises: ModelError."""
        process = self._ready()
        deadline = _Deadline(process, self._limits["seconds"])
        try:
            with deadline:
                answer = _ask(process, path)
        except (OSError, EOFError):  # it ended, and its status tells why
            status = _end(process, seconds=2)
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
        with _Deadline(process, _START_SECONDS):
            answer = process.stdout.readline(len(READY))
        if answer != READY:
            raise self._refusal(_NO_START)
        return process

    def _start(self) -> subprocess.Popen[bytes]:
        arguments = [str(_PACKAGE.parent), str(self._limits["megabytes"]), str(self._limits["seconds"])]
        arguments += ["keras"] * self._has_keras
        environment = {key: value for key in _KEPT if (value := os.environ.get(key))} | _SETTINGS
        with self._lock:
            if self._stopped:
                raise ModelError(_STOPPED)
            try:
                process = self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _PROGRAM, *arguments],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
                )  # fmt: skip
            except OSError as error:
                raise ModelError(_NO_START) from error
        return process


class _Deadline:
    """Kills a process that is not done in time."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.passed = False
        self._process = process
        self._timer = threading.Timer(seconds, self._pass)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()  # from here on it is certain whether the deadline passed

    def _pass(self) -> None:
        self.passed = True
        self._process.kill()


def open_in_sandbox(path: Path, seconds: float = 60, megabytes: int = 1024) -> SerializedModel:
    """Open one file in a process that ends with it. Raises: ModelError, as Sandbox.open."""
    with Sandbox(seconds, megabytes) as opener:
        return opener.open(path)


def _end(process: subprocess.Popen[bytes], seconds: float = 0) -> int:
    """End a process, and return its exit status; negative is a signal. seconds: how long it may end by itself."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    process.kill()
    with suppress(OSError), process:  # closes its pipes, the broken one too
        pass
    return process.wait()


def _ask(process: subprocess.Popen[bytes], path: Path) -> tuple[Any, bytes]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(str(path.absolute())).encode() + b"\n")
    process.stdin.flush()
    return _read_answer(process.stdout)


def _read_answer(pipe: IO[bytes]) -> tuple[Any, bytes]:
    """Raises: ValueError, EOFError for a process that ended, or that says something else than it should."""
    header = pipe.readline(_HEADER_BYTES)
    if not header.endswith(b"\n"):
        raise EOFError
    answer = json.loads(header)
    size = answer.get("size") if isinstance(answer, dict) else None
    if not isinstance(size, int) or not 0 <= size <= _MODEL_BYTES:
        raise ValueError(size)
    data = pipe.read(size)
    if len(data) != size:
        raise EOFError
    return answer, data
