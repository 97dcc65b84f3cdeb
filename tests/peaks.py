"""How much memory a call needs."""

import gc
import tracemalloc
from collections.abc import Callable

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
