"""Time to the first answered drawing and memory of a worker, against `python -c "import tensorflow"`.

The two start in turn, in processes of their own, with their files in the system's cache.
"""

import subprocess
import sys
import time

import psutil

from benchmarks.drawings import make_drawings
from benchmarks.figures import Figure, ratio, run_alone, summarise
from benchmarks.http_client import Client, post
from benchmarks.one_drawing import API
from benchmarks.serving import Server, pss

ROUNDS, QUICK_ROUNDS = 3, 1
DRAWINGS = 50
# The process waits, so that its memory can be read.
BARE = 'import tensorflow, sys; print("ready", flush=True); sys.stdin.read()'


def measure(quick: bool = False) -> list[Figure]:
    """Return the seconds and MB of Layerglass and of the bare import, and the ratios."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    drawings = make_drawings(DRAWINGS)
    _bare(), _layerglass(drawings)  # unmeasured: reads the files into the system's cache
    bare, served = zip(*((_bare(), _layerglass(drawings)) for _ in range(rounds)), strict=True)
    figures = []
    for index, (name, unit) in enumerate((("start", "s"), ("resident (RSS)", "MB"), ("its share (PSS)", "MB"))):
        ours, theirs = [each[index] for each in served], [each[index] for each in bare]
        figures += [
            summarise(
                f"{name}: layerglass", ours, unit, f"after {DRAWINGS} drawings" if index else "to the first answer"
            ),
            summarise(f"{name}: import tensorflow", theirs, unit),
            ratio(f"{name}: ratio", ours, theirs),
        ]
    return figures


def _bare() -> tuple[float, float, float]:
    """Import TensorFlow. Returns: seconds, RSS and PSS in MB."""
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        seconds = time.perf_counter() - start
        figures = (seconds, *_memory(psutil.Process(process.pid)))
        process.stdin.close()
    return figures


def _layerglass(drawings: list[bytes]) -> tuple[float, float, float]:
    """Start a server and draw. Returns: seconds to the first answer, RSS and PSS in MB after all drawings."""
    start = time.perf_counter()
    with Server() as server, Client(server.port) as client:
        if client.send(post(API, drawings[0])).status != 200:
            raise RuntimeError(server.log)
        seconds = time.perf_counter() - start
        for drawing in drawings[1:]:
            client.send(post(API, drawing))
        [worker] = server.workers()
        return (seconds, *_memory(worker))


def _memory(process: psutil.Process) -> tuple[float, float]:
    return process.memory_info().rss / 1e6, pss(process) / 1e6


if __name__ == "__main__":
    run_alone("start_and_size", measure, __doc__)
