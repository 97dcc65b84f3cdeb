"""How the process gets memory from the system and gives it back, where the usual way does not fit a server."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h
_ARENAS = 2


def share_arenas() -> None:
    """Let all threads get their memory from the same few places, if glibc is what gives it out.

    It would make eight such arenas a core. What one thread has freed, no other arena uses: each fills up to the most
    that it ever had to hold, and the process grows for hours. Call this before threads start.
    """
    with suppress(OSError, AttributeError):  # no glibc
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)


@contextmanager
def settled() -> Iterator[None]:
    """While this lasts, the garbage collector leaves out all that is there now.

    What a server has loaded at its start stays. To search it again takes a tenth of a second and more each time,
    in which no request goes on.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
