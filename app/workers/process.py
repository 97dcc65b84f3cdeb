"""How the server starts a worker process, and ends it."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]  # app in a checkout, layerglass once installed
# -c and not -m: a person's own folder is never searched for modules.
PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    f"from {_PACKAGE.name}.workers.{{module}} import serve; serve(*sys.argv[2:])"
)
_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")
_SETTINGS = {
    **{"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "MALLOC_ARENA_MAX": "2"},
    **{"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
}


def start(program: str, arguments: Sequence[str], **pipes: Any) -> subprocess.Popen[bytes]:
    """Start a process of this Python that knows none of the server's secrets. Raises: OSError."""
    environment = {key: value for key in _KEPT if (value := os.environ.get(key))} | _SETTINGS
    command = [sys.executable, "-P", "-c", program, str(_PACKAGE.parent), *arguments]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment, **pipes)


def end(process: subprocess.Popen[bytes], seconds: float = 0) -> int:
    """End a process, and return its exit status; negative is a signal. seconds: how long it may end by itself."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    process.kill()
    with suppress(OSError), process:  # closes its pipes, the broken one too
        pass
    return process.wait()


def kill_soon(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and let a thread wait for its end: a large one takes a second to give its memory back."""
    with suppress(OSError):
        process.kill()
    with suppress(RuntimeError):  # no thread can be started any more, since this process ends itself
        threading.Thread(target=process.wait, name="wait for worker", daemon=True).start()


class Deadline:
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


def private_bytes(pid: int) -> int:
    """Return the memory that a process has for itself alone, in bytes; 0 where the system does not say."""
    resident, shared = _memory_of(str(pid))
    return resident - shared


def resident_bytes() -> int:
    """Return the memory of this process, in bytes; 0 where the system does not say."""
    return _memory_of("self")[0]


def _memory_of(process: str) -> tuple[int, int]:
    try:
        _, resident, shared, *_ = Path("/proc", process, "statm").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return 0, 0
    page = os.sysconf("SC_PAGESIZE")
    return int(resident) * page, int(shared) * page
