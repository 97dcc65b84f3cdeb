"""How the process gets memory from the system and gives it back, where the usual way does not fit a server."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# glibc's malloc.h: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD.
_MALLOC = {-8: 2, -3: 4 * 1024 * 1024, -1: 8 * 1024 * 1024}


def hold_little() -> None:
    """Let memory that is free go back to the system, if glibc is what gives it out. Call this before threads start.

    It would make eight arenas a core, none of which uses what is free in another; and once it was given back large
    blocks, it would keep up to 64 MB for the next. So a process would grow for hours without need. Blocks of less than
    4 MB are kept: to get the arrays of a large network's layers anew each time takes a third of a request's time.
    """
    with suppress(OSError, AttributeError, TypeError):  # no glibc; Windows names no library of the process itself
        for parameter, value in _MALLOC.items():
            ctypes.CDLL(None).mallopt(parameter, value)


@contextmanager
def settled() -> Iterator[None]:
    """While this lasts, the garbage collector leaves out all that is there now.

    What a server has loaded at its start stays. To search it again takes a tenth of a second and more each time,
    in which no request goes on.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # how many objects it has left decides how many may come before it searches them all again
    try:
        yield
    finally:
        gc.unfreeze()
