"""Untrusted model files: each is opened once, by a sandboxed child process, in the background."""

import json
import logging
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ..model_files.errors import ModelError, shown
from ..model_files.serialization import ScanResult, dump_scan_result, parse_scan_result
from ..workers.sandbox import Sandbox, SerializedModel
from .files import ModelFile, stamp_of
from .state import StateFolder

_log = logging.getLogger("layerglass")

_MODEL, _RESULT = ".model", ".json"
_POSTPONED_SECONDS = 0.1
_MAX_BYTES = 2**31  # of all stored models; an evicted one is scanned again when it is needed

_CANNOT_KEEP = (
    "What is in the file cannot be kept, since the server cannot write to {folder}: {reason}. "
    "Name another folder with LAYERGLASS_STATE."
)
_GONE = "There is no file {}."
_CLOSED = "The server is shutting down."


class Scanner:
    """Scans files one after another, most urgent first, and stores the results in a folder.

    Several processes may share the folder, and so each other's results: none opens a file that another one is opening.
    A file that has changed counts as another one. Thread-safe.
    """

    def __init__(self, state: StateFolder) -> None:
        self._state = state
        self._results: dict[str, ScanResult | ModelError] = {}
        self._queue: dict[str, ModelFile] = {}  # by key; the last one is scanned next
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._sandbox = Sandbox()
        self._closed = False

    def get(self, file: ModelFile) -> ScanResult | None:
        """Return the result for a file; None if it has not been scanned. Raises: ModelError, if it did not open."""
        result = self._look_up(file.key)
        if isinstance(result, ModelError):
            raise ModelError(str(result))
        return result

    def enqueue(self, files: Iterable[ModelFile]) -> None:
        """Scan these files in the background, in this order, instead of those that were queued before."""
        with self._changed:
            unscanned = {key: file for file in files if (key := file.key) not in self._results}
            self._queue = dict(reversed(unscanned.items()))
            self._ensure_thread()

    def scan(self, file: ModelFile) -> ScanResult:
        """Scan a file before all others, wait, and return the result. Raises: ModelError."""
        key = file.key
        with self._changed:
            while (result := self.get(file)) is None:
                if self._closed:
                    raise ModelError(_CLOSED)
                if not stamp_of(file.path):
                    raise ModelError(_GONE.format(shown(file.path.name)))
                self._queue[key] = self._queue.pop(key, file)
                self._ensure_thread()
                self._changed.wait(timeout=0.5)
        return result

    def open_model(self, file: ModelFile) -> BinaryIO:
        """Return the model in a file, serialized, as a file of its own to read. Raises: ModelError."""
        for _ in range(2):
            self.scan(file)
            with suppress(OSError):
                return self._path(file.key, _MODEL).open("rb")
            self.delete(file)  # evicted meanwhile: scan it again
        raise ModelError(_CANNOT_KEEP.format(folder=self._state.path, reason="what it wrote was gone at once"))

    def store(self, file: ModelFile, scanned: SerializedModel | ModelError) -> None:
        """Store what a scan of a file gave. Raises: OSError."""
        result = scanned if isinstance(scanned, ModelError) else scanned.scan
        if not isinstance(scanned, ModelError):
            scanned.file.seek(0)
            self._state.write(file.key + _MODEL, scanned.file)
            self._evict(file.key)
        self._state.write(file.key + _RESULT, json.dumps(dump_scan_result(result)).encode())
        self._state.count_change()
        self._remember(file, result)

    def delete(self, file: ModelFile) -> None:
        """Delete the result for a file, for example of a version before it changed."""
        with self._changed:
            self._results.pop(file.key, None)
            for ending in (_MODEL, _RESULT):
                with suppress(OSError):
                    self._state.delete(file.key + ending)

    def forget(self, file: ModelFile) -> None:
        """Drop the result for a file from memory; the folder keeps it."""
        with self._changed:
            self._results.pop(file.key, None)

    def close(self) -> None:
        """Stop scanning, and the child process."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._sandbox.stop()
        if (thread := self._thread) is not None:
            thread.join(timeout=10)

    def _ensure_thread(self) -> None:
        """Start the thread that works on the queue, unless it runs. It ends with the queue."""
        if self._queue and not self._closed and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._run, name="scanner", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while (file := self._next()) is not None:
            with self._state.claim(file.key) as is_mine:
                if is_mine:
                    self._open(file)
                else:
                    self._postpone(file)

    def _open(self, file: ModelFile) -> None:
        if self._look_up(file.key) is not None:  # another process has just finished it
            return
        scanned: SerializedModel | ModelError
        try:
            scanned = self._sandbox.open(file.path, file.lambdas)
        except ModelError as error:
            scanned = error
            if not stamp_of(file.path):  # a file that is missing for a moment must be scanned when it is back
                return
            _log.warning("%s does not open. %s", shown(file.path.name), error)
        if not self._closed:
            self._store_if_possible(file, scanned)
        if not isinstance(scanned, ModelError):
            scanned.file.close()

    def _postpone(self, file: ModelFile) -> None:
        """Put a file that another process is opening behind all others, and wait a moment."""
        with self._changed:
            self._queue = {file.key: file, **self._queue}
            self._changed.wait(timeout=_POSTPONED_SECONDS)

    def _next(self) -> ModelFile | None:
        """Return the next file to scan. If there is none, close the sandbox and return None: the thread must end."""
        with self._changed:
            while self._queue and not self._closed:
                key, file = self._queue.popitem()
                if self._look_up(key) is None and stamp_of(file.path):  # it may be gone by now
                    return file
                self._changed.notify_all()
            self._sandbox.close()
            self._thread = None
            return None

    def _store_if_possible(self, file: ModelFile, scanned: SerializedModel | ModelError) -> None:
        try:
            self.store(file, scanned)
        except OSError as error:
            reason = _CANNOT_KEEP.format(folder=self._state.path, reason=error.strerror)
            self._remember(file, scanned if isinstance(scanned, ModelError) else ModelError(reason))

    def _remember(self, file: ModelFile, result: ScanResult | ModelError) -> None:
        with self._changed:
            self._results[file.key] = result
            self._changed.notify_all()

    def _look_up(self, key: str) -> ScanResult | ModelError | None:
        """Return a result from memory or from the folder."""
        if key not in self._results:
            with suppress(OSError, ValueError):
                self._results[key] = parse_scan_result(json.loads(self._path(key, _RESULT).read_bytes()))
        return self._results.get(key)

    def _evict(self, newest: str) -> None:
        """Delete the oldest stored models while all of them together are too large."""
        stored = {}
        for path in self._state.path.glob("*" + _MODEL):
            with suppress(OSError):  # another process evicts too
                status = path.stat()
                stored[path] = status.st_mtime_ns, status.st_size
        total = sum(size for _, size in stored.values())
        for path in sorted(stored, key=lambda path: stored[path]):
            if total > _MAX_BYTES and path.stem != newest:
                total -= stored[path][1]
                path.unlink(missing_ok=True)

    def _path(self, key: str, ending: str) -> Path:
        return self._state.path / (key + ending)
