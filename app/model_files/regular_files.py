"""Regular files alone, opened without waiting and read no further than they reached when they were opened.

A pipe without a writer would be waited for, and a device read without end. The check is made of what was opened: what
has the name may change between a look at it and its opening.
"""

import errno
import io
import os
import stat
from pathlib import Path
from typing import Any

# Windows has none of the last three, and no pipes among its files.
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_FLAGS |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)


class NotRegular(OSError):
    """A pipe, a socket or a device where a file should be."""

    def __init__(self) -> None:
        super().__init__(errno.EINVAL, "it is not a regular file")


class RegularFile(io.RawIOBase):
    """A regular file, open for reading. What is written to its end meanwhile is not read."""

    def __init__(self, path: Path) -> None:
        """Raises: OSError, where it cannot be opened; NotRegular."""
        super().__init__()
        _check(os.stat(path))  # a socket cannot be opened, and a device may do something when it is
        self._file = io.FileIO(os.open(path, _FLAGS))
        try:
            self.size = _check(os.fstat(self._file.fileno()))
        except OSError:
            self._file.close()
            raise

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            offset, whence = self.size + offset, os.SEEK_SET
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        return self._file.readinto(view[: max(0, self.size - self.tell())]) or 0

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def read_regular(path: Path, most: int) -> bytes:
    """Read a file, up to `most` + 1 bytes. Raises: OSError, NotRegular among them."""
    with io.BufferedReader(RegularFile(path)) as file:
        return file.read(most + 1)


def _check(status: os.stat_result) -> int:
    """Return the size of a regular file. Raises: NotRegular, IsADirectoryError."""
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise NotRegular
    return status.st_size
