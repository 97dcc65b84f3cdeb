"""What is in the files that nobody vouches for: each is opened once, by a child process, in the background."""

import json
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.library.files import ModelFile, stamp_of
from app.library.writing import write_atomically
from app.model_files.errors import ModelError, shown
from app.model_files.sandbox import Sandbox, SerializedModel
from app.model_files.serialization import ScanResult, dump_scan_result, parse_scan_result

_MODEL, _FINDING = ".npz", ".json"
_MAX_BYTES = 2**31  # of all models that are kept; one that went is opened once more when it is asked for

_CANNOT_KEEP = (
    "What is in the file cannot be kept, since the server cannot write to {folder}: {reason}. "
    "Name another folder with LAYERGLASS_STATE."
)
_GONE = "There is no file {}."
_CLOSED = "The server is shutting down."


class Scanner:
    """Opens files one after another, those first that someone waits for, and keeps what it found in a folder.

    The folder may be shared by several processes: what one of them found, the others need not look for. A file that has
    changed counts as another one. Safe to share between threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, ScanResult | ModelError] = {}
        self._waiting: dict[str, ModelFile] = {}  # the last one is the next
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._opener = Sandbox()
        self._closed = False

    def known(self, file: ModelFile) -> ScanResult | None:
        """What was found in the file; None where nobody has looked yet. Raises: ModelError."""
        found = self._look_up(file.key)
        if isinstance(found, ModelError):
            raise ModelError(str(found))
        return found

    def look_through(self, files: Iterable[ModelFile]) -> None:
        """Open these in the background, the first one first, and no others but those that someone waits for."""
        with self._changed:
            fresh = {key: file for file in files if (key := file.key) not in self._known}
            self._waiting = dict(reversed(fresh.items()))
            self._work()

    def find(self, file: ModelFile) -> ScanResult:
        """What is in the file, now: before all others that wait. Raises: ModelError."""
        key = file.key
        with self._changed:
            while (found := self.known(file)) is None:
                if self._closed:
                    raise ModelError(_CLOSED)
                if not stamp_of(file.path):
                    raise ModelError(_GONE.format(shown(file.path.name)))
                self._waiting[key] = self._waiting.pop(key, file)
                self._work()
                self._changed.wait(timeout=0.5)
        return found

    def parcel(self, file: ModelFile) -> bytes:
        """The model in a file that opens, for app.model_files.serialization.deserialize. Raises: ModelError."""
        for _ in range(2):
            self.find(file)
            with suppress(OSError):
                return self._path(file.key, _MODEL).read_bytes()
            self.forget(file)  # somebody tidied up: it is opened once more
        raise ModelError(_CANNOT_KEEP.format(folder=self._folder, reason="what it wrote was gone at once"))

    def keep(self, file: ModelFile, found: SerializedModel | ModelError) -> None:
        """Keep what was found in a file. Raises: OSError."""
        finding = found if isinstance(found, ModelError) else found.scan
        if not isinstance(found, ModelError):
            write_atomically(self._path(file.key, _MODEL), found.data)
            self._tidy(file.key)
        write_atomically(self._path(file.key, _FINDING), json.dumps(dump_scan_result(finding)).encode())
        self._remember(file, finding)

    def forget(self, file: ModelFile) -> None:
        """Let go what was found in a file, for example before it changed."""
        with self._changed:
            self._known.pop(file.key, None)
            for ending in (_MODEL, _FINDING):
                with suppress(OSError):
                    self._path(file.key, ending).unlink(missing_ok=True)

    def close(self) -> None:
        """Stop, with the child process."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._opener.stop()
        if (thread := self._thread) is not None:
            thread.join(timeout=10)

    def _work(self) -> None:
        """Let a thread open what waits, and end when nothing does."""
        if self._waiting and not self._closed and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._run, name="survey", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while (file := self._next()) is not None:
            found: SerializedModel | ModelError
            try:
                found = self._opener.open(file.path)
            except ModelError as error:
                found = error
                if not stamp_of(file.path):  # it went meanwhile; when it comes back as it was, it is opened again
                    continue
            if not self._closed:
                self._keep_somehow(file, found)

    def _next(self) -> ModelFile | None:
        """The next file to open; None where none waits: the thread ends, and the child process with it."""
        with self._changed:
            while self._waiting and not self._closed:
                key, file = self._waiting.popitem()
                if self._look_up(key) is None and stamp_of(file.path):  # it may have been taken away meanwhile
                    return file
                self._changed.notify_all()
            self._opener.close()
            self._thread = None
            return None

    def _keep_somehow(self, file: ModelFile, found: SerializedModel | ModelError) -> None:
        try:
            self.keep(file, found)
        except OSError as error:
            reason = _CANNOT_KEEP.format(folder=self._folder, reason=error.strerror)
            self._remember(file, found if isinstance(found, ModelError) else ModelError(reason))

    def _remember(self, file: ModelFile, finding: ScanResult | ModelError) -> None:
        with self._changed:
            self._known[file.key] = finding
            self._changed.notify_all()

    def _look_up(self, key: str) -> ScanResult | ModelError | None:
        """What this process, or another one, has kept."""
        if key not in self._known:
            with suppress(OSError, ValueError):
                self._known[key] = parse_scan_result(json.loads(self._path(key, _FINDING).read_bytes()))
        return self._known.get(key)

    def _tidy(self, newest: str) -> None:
        """Let the models go that were kept longest ago, where all of them together are too large."""
        kept = {}
        for path in self._folder.glob("*" + _MODEL):
            with suppress(OSError):  # another process tidies too
                status = path.stat()
                kept[path] = status.st_mtime_ns, status.st_size
        total = sum(size for _, size in kept.values())
        for path in sorted(kept, key=lambda path: kept[path]):
            if total > _MAX_BYTES and path.stem != newest:
                total -= kept[path][1]
                path.unlink(missing_ok=True)

    def _path(self, key: str, ending: str) -> Path:
        return self._folder / (key + ending)
