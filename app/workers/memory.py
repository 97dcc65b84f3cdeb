"""Blocks of memory that a worker fills and the server reads."""

import ctypes
import mmap
import os
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from itertools import count
from queue import SimpleQueue
from typing import Any, BinaryIO, Self
from weakref import WeakSet

import numpy as np

from ..cnn.types import Array

_SPARE = 1  # unused blocks that are kept
_UNUSED = 2  # references to a block's array that nothing reads: the block's, and the one that counts them

# Linux: fcntl.h. Else a worker that was taken over could shrink a block, and so end the process that reads it.
_F_ADD_SEALS, _SHRINK, _GROW, _SEAL = 1033, 0x2, 0x4, 0x1


class SharedBlock:
    """Memory that this process only reads, and that whoever is given its descriptor can write."""

    def __init__(self, size: int) -> None:
        """size: in bytes. Raises: OSError."""
        self.size = size
        self.number = next(_numbers)  # of this block alone
        self.descriptor = _make(size)
        self.array: Array = np.frombuffer(_Map(self.descriptor, size, prot=mmap.PROT_READ), np.float32)

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            os.close(self.descriptor)

    @property
    def is_read(self) -> bool:
        """An array somewhere reads from it."""
        return sys.getrefcount(self.array) > _UNUSED


class _Map(mmap.mmap):
    """Mapped memory. It is there as long as an array reads it, and is then unmapped by a thread of its own.

    The system takes a tenth of a second for a gigabyte. Whoever drops the last array would wait for that, and it may be
    the event loop.
    """

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        made = super().__new__(cls, *arguments, **options)
        with _lock:
            _maps.add(made)
        return made

    def __del__(self) -> None:
        # A thread that is started while the interpreter ends never runs, and Python 3.11 waits for it for ever.
        if not sys.is_finalizing():
            _unused.put(self)  # which keeps it for a moment longer
            _start_unmapping()


_maps: WeakSet[_Map] = WeakSet()
_lock = threading.Lock()  # nothing may be added while they are listed
_unused: SimpleQueue[_Map] = SimpleQueue()
_numbers = count()


@cache
def _start_unmapping() -> None:
    with suppress(RuntimeError):  # from Python 3.12 on, as this process ends, and its memory with it
        threading.Thread(target=_unmap, name="unmap", daemon=True).start()


def _unmap() -> None:
    while True:
        with suppress(BufferError):  # it is being given back just now, and is closed after that
            _unused.get().close()


def map_file(file: BinaryIO) -> mmap.mmap:
    """Map a file to be read. What was read is given back with the pages of blocks."""
    return _Map(file.fileno(), 0, access=mmap.ACCESS_READ)


def give_back_pages() -> None:
    """Take all mapped pages out of this process: what it has read of them counts as its own memory.

    Whatever reads them maps them again.
    """
    if sys.platform != "linux":
        return
    with _lock:
        maps = list(_maps)
    for each in maps:
        with suppress(ValueError):  # it was unmapped meanwhile
            # As long as the view is there it is not unmapped, and the address is no other memory's.
            view = np.frombuffer(each, np.uint8)
            # Not by mmap.madvise, which keeps the GIL for as long as that takes: a tenth of a second for a large block.
            ctypes.CDLL(None).madvise(ctypes.c_void_p(view.ctypes.data), ctypes.c_size_t(view.size), mmap.MADV_DONTNEED)
            del view


class SharedBlocks:
    """The blocks of one worker, each given out again when no array reads from it any more. One thread uses them."""

    def __init__(self) -> None:
        self._given: list[SharedBlock] = []

    def take(self, size: int) -> SharedBlock:
        """Return a block of so many bytes, with anything in it. Raises: OSError."""
        unused = [block for block in self._given if not block.is_read]
        fitting = [block for block in unused if block.size == size]
        for block in [each for each in unused if each.size != size] + fitting[_SPARE:]:
            self._given.remove(block)
        if fitting:
            return fitting[0]
        self._given.append(block := SharedBlock(size))
        return block

    @property
    def nbytes(self) -> int:
        """The bytes of blocks that nothing reads."""
        return sum(block.size for block in list(self._given) if not block.is_read)


def _make(size: int) -> int:
    """Return the descriptor of anonymous memory; where the system has none, of a file without a name."""
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            return os.dup(file.fileno())
    import fcntl

    descriptor = os.memfd_create("layerglass", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, size)
        fcntl.fcntl(descriptor, _F_ADD_SEALS, _SHRINK | _GROW | _SEAL)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
