"""Memory for a graph's outputs, which are kept for a while and then let go.

That of large graphs is used again: to get it fresh can take longer than the forward pass itself. That of others comes
from the system and goes back to it. In malloc's memory it would leave holes of many sizes, and a server would grow.
"""

import mmap
import sys
from threading import Lock

import numpy as np

from app.cnn.types import Array

_SPARE = 3  # unused blocks that are kept; several may be given back at once, by the garbage collector
LARGE = 2**20  # numbers
_SMALL = 2**14  # numbers; of smaller blocks a page or two would be wasted, and they leave small holes
_UNUSED = 2  # references to a block that nothing reads: the list's, and the one that counts them


class Blocks:
    """Blocks of one size, each given out again when no array reads from it any more. Threads may share them."""

    def __init__(self, size: int) -> None:
        """size: in float32 numbers."""
        self._size = size
        self._given: list[Array] = []
        self._lock = Lock()

    def take(self) -> Array:
        """A block, (size,), with anything in it. Arrays made of it keep it from being given out again."""
        if self._size < LARGE:
            return np.empty(self._size, np.float32) if self._size < _SMALL else _map(self._size)
        with self._lock:
            unused = [index for index in range(len(self._given)) if sys.getrefcount(self._given[index]) == _UNUSED]
            for index in reversed(unused[_SPARE:]):
                del self._given[index]
            if unused:
                return self._given[unused[0]]
            block = np.empty(self._size, np.float32)
            self._given.append(block)
            return block


# The process' own, and all pages at once: one by one, each would interrupt who writes to it first.
_FLAGS = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE} if sys.platform == "linux" else {}


def _map(size: int) -> Array:
    """A block of so many numbers, for which the system is asked; where it has no more to give, malloc is."""
    try:
        return np.frombuffer(mmap.mmap(-1, 4 * size, **_FLAGS), np.float32)
    except OSError:  # a process may have so many mappings and no more
        return np.empty(size, np.float32)
