"""Requests of the last minute, counted in a file that all processes of a machine share."""

import asyncio
import errno
import os
import struct
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing is locked
    fcntl = None  # type: ignore[assignment]

can_share = fcntl is not None

# The current second and the sixty before it: with fewer, more than the limit could come in sixty seconds that begin in
# the middle of one.
_SECONDS = 61
_HEAD = struct.Struct("<QI")  # whose requests these are, and the second of the last one
_COUNTS = struct.Struct(f"<{_SECONDS}I")  # of the second s at s % 61
_RECORD_BYTES = _HEAD.size + _COUNTS.size  # 256
_GROUP, _GROUPS = 8, 2048  # records in a group, groups in the file
_GROUP_BYTES = _GROUP * _RECORD_BYTES
_FILE_BYTES = _GROUPS * _GROUP_BYTES  # 4 MB
_RETRY_SECONDS = 0.001


class SharedCounter:
    """Lets so many requests of an address through in any sixty seconds, whichever process they come to.

    The file is a table of fixed size: 16,384 records in groups of eight. An address has its record in the group that
    its hash names; where others have all eight, it takes that of the address that has been silent for longest, which
    then counts from 0 again. So a flood of addresses makes the limit milder, and takes no memory.
    A request takes two reads and writes under a lock on its group, some ten microseconds.
    """

    def __init__(self, path: Path, per_minute: int) -> None:
        """Make the file, if it is not there. Raises: OSError."""
        self.per_minute = per_minute
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._reserve()
        except OSError:
            os.close(self._file)
            raise

    async def hit(self, address: str) -> int:
        """Count a request, and return 0. One too many is not counted: return in how many seconds one may come.

        Raises: OSError.
        """
        key = int.from_bytes(blake2b(address.encode(), digest_size=8).digest(), "little") or 1
        start = key % _GROUPS * _GROUP_BYTES
        await self._lock(start)
        try:
            return self._count(key, start, int(time.time()))
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, _GROUP_BYTES, start)

    async def close(self) -> None:
        """Close the file. Whoever asks afterwards gets an OSError."""
        file, self._file = self._file, -1
        os.close(file)

    def _count(self, key: int, start: int, now: int) -> int:
        group = os.pread(self._file, _GROUP_BYTES, start)
        place, last = _find(group, key)
        if last - _SECONDS < now < last:
            now = last  # the clock was set back a little
        counts = _counts_at(group, place, last, now) if last else [0] * _SECONDS
        if sum(counts) >= self.per_minute:
            oldest = next(second for second in range(now - _SECONDS + 1, now + 1) if counts[second % _SECONDS])
            return oldest + _SECONDS - now
        counts[now % _SECONDS] += 1
        os.pwrite(self._file, _HEAD.pack(key, now) + _COUNTS.pack(*counts), start + place)
        return 0

    async def _lock(self, start: int) -> None:
        """Lock a group. Another process has it for microseconds, unless it was stopped just then."""
        while True:
            with suppress(BlockingIOError, PermissionError):
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, _GROUP_BYTES, start)
                return
            await asyncio.sleep(_RETRY_SECONDS)

    def _reserve(self) -> None:
        """Write the whole file once, so that a disk that fills up later does no harm."""
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, _FILE_BYTES)
        try:
            missing = _FILE_BYTES - os.fstat(self._file).st_size
            if missing > 0 and os.pwrite(self._file, bytes(missing), _FILE_BYTES - missing) < missing:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _FILE_BYTES)


def _find(group: bytes, key: int) -> tuple[int, int]:
    """Return where an address' record is or may be made, and the second of its last request, 0 if there is none."""
    heads = [(*_HEAD.unpack_from(group, place), place) for place in range(0, _GROUP_BYTES, _RECORD_BYTES)]
    for owner, last, place in heads:
        if owner == key:
            return place, last
    return min((last, place) for _, last, place in heads)[1], 0


def _counts_at(group: bytes, place: int, last: int, now: int) -> list[int]:
    """Return the counts as of now: those of seconds that are more than a minute ago are 0."""
    if not 0 <= now - last < _SECONDS:
        return [0] * _SECONDS
    counts = list(_COUNTS.unpack_from(group, place + _HEAD.size))
    for second in range(last + 1, now + 1):
        counts[second % _SECONDS] = 0
    return counts
