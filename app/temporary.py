"""Temporary folders that are deleted even if the process that made them is killed.

A folder is locked for the life of its process. One whose lock is free was left behind, and the next process deletes it.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

try:
    import fcntl
except ImportError:  # Windows: no folder has a lock, so that none is taken for a leftover
    fcntl = None  # type: ignore[assignment]

PREFIX = "layerglass-"
_LOCK = ".lock"


class TemporaryFolder(tempfile.TemporaryDirectory[str]):
    """A locked temporary folder. Making one deletes those that killed processes left behind."""

    def __init__(self, parent: Path | None = None, prefix: str = PREFIX) -> None:
        """parent: the folder to make it in, instead of the system's own for these. Raises: OSError."""
        remove_leftovers(parent, prefix)
        super().__init__(prefix=prefix, dir=parent, ignore_cleanup_errors=True)
        self._lock: int | None = None
        with suppress(OSError):  # without a lock it is never taken for a leftover
            self._lock = _make_lock(Path(self.name, _LOCK))
        _folders.add(self)

    def cleanup(self) -> None:
        """Delete the folder, and then give its lock up."""
        super().cleanup()
        _folders.discard(self)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


_folders: WeakSet[TemporaryFolder] = WeakSet()


def remove_own() -> None:
    """Delete all folders of this process, which is about to end without its usual steps."""
    for folder in list(_folders):
        folder.cleanup()


def remove_leftovers(
    parent: Path | None = None, prefix: str = PREFIX, before: Callable[[Path], object] | None = None
) -> None:
    """Delete the folders of this user that no process holds. before: called with each of them."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(parent or tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                with suppress(OSError):  # no lock, held, or deleted by another process in the meantime
                    _remove_leftover(entry, before)


def _make_lock(path: Path) -> int | None:
    """Return the descriptor of a new file's lock.

    The file gets its name once it is locked: nobody may find it while it is not.
    """
    if fcntl is None:
        return None
    unnamed = path.with_suffix(".new")
    descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_leftover(entry: os.DirEntry[str], before: Callable[[Path], object] | None) -> None:
    """Delete a folder, if it is this user's and its lock is free. Raises: OSError."""
    found = entry.stat(follow_symlinks=False)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return
    descriptor = os.open(os.path.join(entry.path, _LOCK), os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if before is not None:
            before(Path(entry.path))
        shutil.rmtree(entry.path, ignore_errors=True)
    finally:
        os.close(descriptor)
