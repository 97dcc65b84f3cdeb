"""Where a worker keeps its figures, so that each can show the sum of all: in files that are mapped into memory.

prometheus-client makes such a file without having room for it. Where the disk is full then, the first figure ends the
process (SIGBUS), and the next worker's first figure that one: nothing is answered any more.
"""

import os
from contextlib import suppress

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

_BYTES = 2**20  # of a file: more than all figures of all routes take, so that it need not grow


class ReservedFile(MmapedDict):
    """One file, with room for all that will come; without room, figures that only this worker sees."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if not read_mode:
            filename = _reserve(filename)
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]


def _reserve(filename: str) -> str:
    """A file's name, or that of one in memory where the disk has no room for it."""
    if not hasattr(os, "posix_fallocate") or not hasattr(os, "memfd_create"):  # Linux has both
        return filename
    try:
        with open(filename, "ab") as file:
            os.posix_fallocate(file.fileno(), 0, _BYTES)
    except OSError:
        with suppress(OSError):  # an empty one cannot be read when all are added up
            os.unlink(filename)
        return f"/proc/self/fd/{os.memfd_create('figures')}"
    return filename


def reserve_room() -> None:
    """Let the figures that are made from now on have their room."""
    values.MmapedDict = ReservedFile  # type: ignore[attr-defined]
