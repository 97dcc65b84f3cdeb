"""Large layers: few are read at once, and their memory is given back as soon as they were read.

Activations may lie in memory that this process maps: what it reads counts as its own until it is given back.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from threading import BoundedSemaphore

from ..cnn.network import ForwardPass
from ..cnn.types import Array
from ..imaging.mapped import Mapped

LARGE = 2**20  # activations; a layer of more waits for its turn
_SOME = 2**16  # those of a layer of fewer are given back with the next one's
_AT_ONCE = 2
_BYTES = 4 * LARGE  # of a forward pass that is given back as a whole

_turns = BoundedSemaphore(_AT_ONCE)


def reading(size: int, *forwards: ForwardPass) -> AbstractContextManager[None]:
    """Return a context in which to read a layer of this many activations; not to be entered within another one.

    A large layer waits until few others are being read. In the end the forward passes give back what was read.
    """
    return nullcontext() if size <= _SOME else _reading(size, forwards)


def open_maps(maps: Array, *forwards: ForwardPass) -> Array | Mapped:
    """Return feature maps: those of a large layer so that what was read of it is given back meanwhile."""
    if maps.size <= LARGE or all(forward.give_back is None for forward in forwards):
        return maps
    return Mapped(maps, partial(_release, forwards))


def _release(forwards: Iterable[ForwardPass]) -> None:
    for forward in forwards:
        forward.release_pages()


def finish(*forwards: ForwardPass) -> None:
    """Give back what was read of the small layers of large forward passes, after the last one."""
    for forward in forwards:
        if forward.nbytes > _BYTES:
            forward.release_pages()


@contextmanager
def _reading(size: int, forwards: tuple[ForwardPass, ...]) -> Iterator[None]:
    with _turns if size > LARGE else nullcontext():
        try:
            yield
        finally:
            _release(forwards)
