"""The folder of what a server remembers, and the count of changes in it by which its processes follow one another."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from .files import ModelFile, write_atomically

try:
    import fcntl
except ImportError:  # Windows: nothing is locked
    fcntl = None  # type: ignore[assignment]

_CHANGES, _CHANGING, _CLAIMS = ".changes", ".changing", ".claims"
_UPLOADS = "uploads"

T = TypeVar("T")


class StateFolder:
    """A folder that several processes share: uploads, cards, readings, and what scans found.

    A process that changes something says so before it answers (`changing`, `count_change`). Every other one asks for
    the count before it answers, which takes a microsecond, and looks again where it has changed.
    The count is the length of a file without content: raising it takes no room on a disk that is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.uploads = path / _UPLOADS

    def close(self) -> None:
        """Follow other machines no longer, where there are any."""

    def catch_up(self) -> None:
        """See what other machines have changed, where there are any. Raises: StorageError."""

    @property
    def changes(self) -> int:
        """How often something has been changed so far; 0 where nothing could be written."""
        try:
            return os.stat(self.path / _CHANGES).st_size
        except OSError:
            return 0

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change several files while no other process or thread does, and count that as one change. Raises: OSError."""
        with self._locked(_CHANGING):
            try:
                yield
            finally:
                self.count_change()

    def change(self, body: Callable[[], T]) -> T:
        """Call a function that changes what is kept of models, while nobody else does, and return what it returns.

        Where machines share a store, it is called again if another one was faster. Raises: OSError, StorageError.
        """
        with self.changing():
            return body()

    def keep(self, file: ModelFile, ending: str, data: bytes) -> None:
        """Keep something about a model's file, by its key, completely or not at all. Raises: OSError."""
        self.write(file.key + ending, data)

    def forget(self, file: ModelFile, ending: str) -> None:
        """Forget it again, if it is kept. Raises: OSError."""
        self.delete(file.key + ending)

    def offer(self, received: Path) -> None:
        """Prepare what takes time before a received file is published. Raises: StorageError."""

    def publish(self, received: Path, file: ModelFile) -> bool:
        """Add a received file to the uploads; False if another file has just taken its name. Raises: OSError."""
        try:
            os.link(received, file.path)
        except FileExistsError:
            return False
        return True

    def withdraw(self, file: ModelFile) -> None:
        """Delete an uploaded file. Raises: OSError."""
        file.path.unlink(missing_ok=True)

    def count_change(self) -> int:
        """Say that something has been changed, and return the count. It stays where nothing can be written."""
        with suppress(OSError), self._locked(_CHANGES) as counter:
            return counter.truncate(os.fstat(counter.fileno()).st_size + 1)
        return self.changes

    @contextmanager
    def claim(self, key: str) -> Iterator[bool]:
        """Claim a key among all processes; False while another one has it. The claim of a process that ends is gone.

        key: hexadecimal digits. Where nothing can be written or locked, everyone has it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = open(self.path / _CLAIMS, "ab")  # noqa: SIM115
        except OSError:
            yield True
            return
        with file:
            yield _lock_byte(file, int(key[:15], 16))

    def write(self, name: str, data: bytes | BinaryIO) -> None:
        """Write a file completely or not at all. Raises: OSError."""
        write_atomically(self.path / name, data)

    def delete(self, name: str) -> None:
        """Delete a file, if it is there. Raises: OSError."""
        (self.path / name).unlink(missing_ok=True)

    @contextmanager
    def _locked(self, name: str) -> Iterator[BinaryIO]:
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / name, "ab") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)  # closing the file gives it up
            yield file


def try_lock(file: BinaryIO) -> bool:
    """Lock a file until it is closed; return False if another process or thread has locked it."""
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _lock_byte(file: BinaryIO, place: int) -> bool:
    """Lock one byte of a file until it is closed; return False if another process has locked it."""
    try:
        if fcntl is not None:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # this file system locks nothing
        return True
    return True
