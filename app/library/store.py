"""An object store that machines share, through fsspec: objects by name, whole or not at all, within a time limit."""

import errno
import os
import re
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import BoundedSemaphore, Thread
from typing import Any, TypeVar

from .uploads import StorageError

SECONDS = 10.0  # that one of its answers may take
TRANSFER_SECONDS = 40.0  # that sending or fetching a model's file may take
_MOST_WAITING = 16  # calls to a store that does not answer: each holds a thread until the store's own client gives up

# Where creating an object that is there already fails, for one of several who try at once: changes depend on it.
PROTOCOLS = ("s3", "gs", "file", "memory")
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {
        "use_listings_cache": False,
        "config_kwargs": {"connect_timeout": 3, "read_timeout": 10, "retries": {"max_attempts": 1}},
    },
    "gs": {"use_listings_cache": False},
}
_FULL = {errno.ENOSPC, errno.EDQUOT}

_NO_PROTOCOL = "“{address}” is no address of a store. Models are shared in s3://bucket/folder, gs://bucket/folder, or file:///folder."
_NO_PACKAGE = "Models are shared in {address}, which needs the Python package {package}: install layerglass[store]."
_DENIED = "The store where this server keeps models does not let it in. Ask whoever runs this server."
_IS_FULL = "The store where this server keeps models is full. Remove a model first, or ask whoever runs this server."
_AWAY = (
    "The store where this server keeps models {fault}, so that nothing about them can be changed for now. "
    "Try again in a moment."
)
_REFUSED = (
    "Models are shared in {address}, which cannot be used: {reason}. Mend that, or leave LAYERGLASS_STATE out, so that "
    "models are not shared."
)
_CARELESS = "it replaces an object where it was asked to make one only if there is none"

T = TypeVar("T")


class StoreUnavailable(StorageError):
    """The store does not answer, or not as it should. The message says what that means for a change."""


def reason_of(error: StorageError) -> str:
    """Return what a store's client said, for whoever runs the server; it may name machines that are no one else's."""
    cause = error.__cause__ or error
    lines = str(cause).strip().splitlines()
    return (lines[0] if lines else f"no answer in {SECONDS:.0f} seconds").rstrip(".")


class ObjectStore:
    """Objects in a folder of a store. An object is never there in part. Thread-safe.

    All methods raise StorageError: StoreUnavailable where the store does not answer in time.
    """

    def __init__(self, address: str) -> None:
        """address: a URL with one of PROTOCOLS. Nothing is asked yet. Raises: StorageError."""
        self.address = re.sub(r"//[^/@]*@", "//", address)  # without a password, for people
        protocol = address.partition("://")[0]
        if protocol not in PROTOCOLS:
            raise StorageError(_NO_PROTOCOL.format(address=self.address))
        for package in ("fsspec", _PACKAGES.get(protocol, "fsspec")):
            if find_spec(package) is None:
                raise StorageError(_NO_PACKAGE.format(address=self.address, package=package))
        from fsspec.core import url_to_fs

        self._files, self._root = url_to_fs(address, **_OPTIONS.get(protocol, {}))
        self._is_folder = protocol == "file"
        self._calls = BoundedSemaphore(_MOST_WAITING)

    def names(self, folder: str) -> list[str]:
        """Return the names of the objects in a folder; none if there is no such folder."""

        def find() -> list[str]:
            self._files.invalidate_cache()
            try:
                return [path.rpartition("/")[2] for path in self._files.ls(self._path(folder), detail=False)]
            except FileNotFoundError:
                return []

        return self._call(find)

    def read(self, name: str) -> bytes | None:
        """Return an object's bytes; None if there is no such object."""

        def read() -> bytes | None:
            try:
                data: bytes = self._files.cat_file(self._path(name))
            except FileNotFoundError:
                return None
            return data

        return self._call(read)

    def create(self, name: str, data: bytes) -> None:
        """Make an object, unless there is one of this name: then, or if it cannot be made, this raises StorageError."""
        self._call(lambda: self._create(self._path(name), data))

    def send(self, name: str, file: Path) -> None:
        """Make an object from a file. Nobody else may use its name, or know of it yet."""
        self._call(lambda: self._send(self._path(name), file), TRANSFER_SECONDS)

    def fetch(self, name: str, file: Path) -> None:
        """Write an object to a file."""
        self._call(lambda: self._files.get_file(self._path(name), str(file)), TRANSFER_SECONDS)

    def delete(self, name: str) -> None:
        """Delete an object, if it is there."""

        def delete() -> None:
            with suppress(FileNotFoundError):
                self._files.rm_file(self._path(name))

        self._call(delete)

    def try_out(self) -> None:
        """Raises: StorageError, if objects cannot be made, listed and deleted here, or not by one of two alone."""
        name = f"trial/{secrets.token_hex(8)}"
        try:
            self.create(name, b"")
            try:
                self.create(name, b"")
            except StorageError:
                return
            finally:
                self.names("trial")
                self.delete(name)
        except StorageError as error:
            raise StorageError(_REFUSED.format(address=self.address, reason=reason_of(error))) from error
        raise StorageError(_REFUSED.format(address=self.address, reason=_CARELESS))

    def _create(self, path: str, data: bytes) -> None:
        if not self._is_folder:
            self._files.pipe_file(path, data, mode="create")
            return
        # A file that is opened for writing is there before it is whole. A link is there at once, and replaces nothing.
        whole = Path(f"{path}.{secrets.token_hex(8)}.partial")
        whole.parent.mkdir(parents=True, exist_ok=True)
        try:
            whole.write_bytes(data)
            os.link(whole, path)
        finally:
            whole.unlink(missing_ok=True)

    def _send(self, path: str, file: Path) -> None:
        if self._is_folder:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._files.put_file(str(file), path)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _call(self, function: Callable[[], T], seconds: float = SECONDS) -> T:
        """Call in a thread of its own, and wait so long. The thread of a store that hangs is left to itself."""
        if not self._calls.acquire(blocking=False):
            raise self._error(TimeoutError())
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)
            finally:
                self._calls.release()

        Thread(target=run, name="store", daemon=True).start()
        try:
            return future.result(seconds)
        except Exception as error:  # each store's client has errors of its own
            raise self._error(error) from error

    def _error(self, error: Exception) -> StorageError:
        if isinstance(error, PermissionError):
            return StorageError(_DENIED)
        if isinstance(error, OSError) and error.errno in _FULL:
            return StorageError(_IS_FULL)
        return StoreUnavailable(
            _AWAY.format(fault="does not answer" if isinstance(error, TimeoutError) else "cannot be used")
        )
