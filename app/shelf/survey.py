"""What is in the files that nobody vouches for: each is opened once, by a child process, in the background."""

import hashlib
import json
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from app.opening.child import Opener, Parcel
from app.opening.finding import Finding, read_finding, write_finding
from app.opening.unusable import UnusableModel
from app.shelf.files import ModelFile

_BROKEN = "What was kept of the file is gone from the server's own folder. Start the server again."


class Survey:
    """Opens files one after another, those first that someone waits for, and keeps what it found in a folder.

    The folder may be shared by several processes: what one of them found, the others need not look for. A file that has
    changed counts as another one. Safe to share between threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Finding | UnusableModel] = {}
        self._keys: dict[Path, str] = {}  # of each file as it was last kept
        self._waiting: dict[str, ModelFile] = {}  # the last one is the next
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._opener: Opener | None = None
        self._closed = False

    def known(self, file: ModelFile) -> Finding | None:
        """What was found in the file; None where nobody has looked yet. Raises: UnusableModel."""
        key = _key(file)
        found = self._known.get(key) or self._load(key)
        if isinstance(found, UnusableModel):
            raise UnusableModel(str(found))
        return found

    def look_through(self, files: Iterable[ModelFile]) -> None:
        """Open these in the background, the first one first."""
        with self._changed:
            fresh = {key: file for file in files if (key := _key(file)) not in self._known}
            for key, file in reversed(fresh.items()):
                self._waiting.setdefault(key, file)
            self._work()

    def find(self, file: ModelFile) -> Finding:
        """What is in the file, now: before all others that wait. Raises: UnusableModel."""
        key = _key(file)
        while (found := self.known(file)) is None:
            with self._changed:
                if self._closed:
                    raise UnusableModel("The server is shutting down.")
                if key in self._known:
                    continue
                self._waiting[key] = self._waiting.pop(key, file)
                self._work()
                self._changed.wait(timeout=1)
        return found

    def parcel(self, file: ModelFile) -> bytes:
        """The model in a file that was found to open, for app.opening.parcel.unpack. Raises: UnusableModel."""
        self.find(file)
        try:
            return self._path(_key(file), ".npz").read_bytes()
        except OSError as error:
            raise UnusableModel(_BROKEN) from error

    def keep(self, file: ModelFile, found: Parcel | UnusableModel) -> None:
        """Keep what was found in a file."""
        key = _key(file)
        finding = found if isinstance(found, UnusableModel) else found.finding
        try:
            if not isinstance(found, UnusableModel):
                _write(self._path(key, ".npz"), found.data)
            _write(self._path(key, ".json"), json.dumps(write_finding(finding)).encode())
        except OSError as error:
            finding = UnusableModel(f"What was found in the file cannot be kept on this machine: {error.strerror}.")
        with self._changed:
            self._known[key] = finding
            self._forget(self._keys.get(file.path), key)
            self._keys[file.path] = key
            self._changed.notify_all()

    def _forget(self, old: str | None, new: str) -> None:
        """What was found in a file before it changed."""
        if old is not None and old != new:
            self._known.pop(old, None)
            for ending in (".npz", ".json"):
                self._path(old, ending).unlink(missing_ok=True)

    def close(self) -> None:
        """Stop, with the child process."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            opener, thread = self._opener, self._thread
            self._changed.notify_all()
        if opener is not None:
            opener.close()
        if thread is not None:
            thread.join(timeout=5)

    def _work(self) -> None:
        if self._waiting and self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="survey", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        with Opener() as opener:
            self._opener = opener
            while (file := self._next()) is not None:
                found: Parcel | UnusableModel
                try:
                    found = opener.open(file.path)
                except UnusableModel as error:
                    found = error
                if not self._closed:
                    self.keep(file, found)

    def _next(self) -> ModelFile | None:
        """The next file to open; None, and the thread ends, where there is none."""
        with self._changed:
            while self._waiting:
                key, file = self._waiting.popitem()
                if key not in self._known and self._load(key) is None:
                    return file
                self._changed.notify_all()
            self._thread = self._opener = None
            return None

    def _load(self, key: str) -> Finding | UnusableModel | None:
        """What this process, or another one, has kept."""
        with suppress(OSError, ValueError):
            told = json.loads(self._path(key, ".json").read_bytes())
            try:
                self._known[key] = read_finding(told)
            except UnusableModel as error:
                self._known[key] = error
        return self._known.get(key)

    def _path(self, key: str, ending: str) -> Path:
        return self._folder / (key + ending)


def _write(path: Path, data: bytes) -> None:
    """Completely or not at all."""
    partial = path.with_name(f"{path.name}.{threading.get_ident()}.partial")
    partial.write_bytes(data)
    partial.replace(path)


def _key(file: ModelFile) -> str:
    return hashlib.sha256(repr((str(file.path), file.stamp)).encode()).hexdigest()[:32]
