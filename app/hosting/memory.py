"""Settings of malloc and the garbage collector that fit a long-running server."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# glibc's malloc.h: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD.
_MALLOC_OPTIONS = {-8: 2, -3: 4 * 1024 * 1024, -1: 8 * 1024 * 1024}


def limit_malloc() -> None:
    """Have glibc's malloc return free memory to the system. Call this before any thread starts.

    By default it makes eight arenas a core, which cannot use each other's free memory, and raises its thresholds to
    keep up to 64 MB for later, so that a server grows for hours. Blocks of less than 4 MB are kept: allocating the
    arrays of a large network afresh for each request would take a third of its time.
    """
    with suppress(OSError, AttributeError, TypeError):  # no glibc, or on Windows no handle of the process itself
        for option, value in _MALLOC_OPTIONS.items():
            ctypes.CDLL(None).mallopt(option, value)


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Exclude all objects that exist now from garbage collection.

    What a server loads at its start stays. Each full collection of it would stop all requests for 0.1 s or more.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # resets the count of long-lived objects, which decides when the next full collection is due
    try:
        yield
    finally:
        gc.unfreeze()
