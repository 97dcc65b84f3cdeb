"""How much memory a call needs."""

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MEGABYTE = 10**6


def peak_of(call: Callable[[], object]) -> int:
    """Return the most bytes that a call has allocated at once, its answer included."""
    gc.collect()
    tracemalloc.start()
    try:
        answer = call()
        peak = tracemalloc.get_traced_memory()[1]
        del answer
    finally:
        tracemalloc.stop()
    return peak


def large(*shape: int) -> NDArray[np.float32]:
    """An activation whose picture compresses well: a few thousand numbers, again and again."""
    numbers = np.random.default_rng(0).normal(size=4096).astype(np.float32)
    return np.resize(numbers, shape)


def resident_peak_of(call: Callable[[], object]) -> int:
    """Return by how many bytes a call has this process grow at most, memory that it maps included: on Linux alone."""
    gc.collect()
    before = _read_status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the highest so far is the present one
    call()
    return _read_status("VmHWM") - before


def _read_status(name: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])
