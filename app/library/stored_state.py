"""Uploads and their cards that several machines share in an object store. Each machine has a copy in a folder."""

import hashlib
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread, local
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from ..temporary import TemporaryFolder
from .files import ModelFile, Origin, safe_filename, stamp_of, write_atomically
from .state import StateFolder, T, try_lock
from .store import SECONDS, ObjectStore, StoreUnavailable, reason_of
from .uploads import StorageError

POLL_SECONDS = 1.0  # between two looks at the store
_TIDY_SECONDS = 600.0  # between two deletions of what nobody needs
_LEFT_SECONDS = 3600  # after which an object that no change names is taken for what an upload left that was broken off
_KEPT_CHANGES = 256  # so many of the last ones stay
_LOCK_SECONDS = 0.01
_TRIES = 16  # of a change, each after another machine's that was faster
_INDEX, _PULLING, _PRIVATE = ".stored", ".pulling", ".fetch-"
_CHANGES, _MODELS = "changes", "models"
_ENDINGS = (".card.json", ".readings.json")

_UNKNOWN = "{away} It is not known whether the change was kept: look at the list of models first."
_SLOW = "Another process of this server still waits for the store of models. Try again in a moment."
_NOT_HERE = "The change is kept in the store, but this machine cannot show it: {reason}."
_NO_ROOM = "What is shared cannot be kept on this machine: {reason}."
_WRONG = "What other servers have changed cannot be seen for now. Try again in a moment."
_BUSY = "Other servers change models at this moment. Try again."
_FOREIGN = "The store of models holds what this version of Layerglass cannot read. Use the same version everywhere."

_log = logging.getLogger("layerglass")


def _check_filename(name: str) -> str:
    if name != safe_filename(name):  # whoever can write to the store could name any file of this machine
        raise ValueError("not the name of an uploaded file")
    return name


class Note(BaseModel):
    """What is kept about a model: its card or readings."""

    text: str
    lambdas: str = ""  # of the file that it is about, as in ModelFile


class StoredModel(BaseModel):
    """An uploaded model: the object that holds its file, and what is kept about it, by the ending of its file."""

    object: str = Field(pattern=r"^[0-9]{10}-[0-9a-f]{16}$")
    size: int
    sha256: str
    notes: dict[str, Note] = {}


class Shared(BaseModel):
    """All uploaded models by file name, after so many changes."""

    number: int = 0
    by: str = ""  # whose change it is: a random number
    models: dict[Annotated[str, AfterValidator(_check_filename)], StoredModel] = {}


class _Draft(local):
    """The change that this thread makes, if it makes one."""

    shared: Shared | None = None
    received: dict[str, Path]  # new files, by object


class StoredState(StateFolder):
    """A state folder whose uploads, with their cards and readings, are those of a store.

    Each change is one object, `changes/NUMBER`, which holds all that is shared after it. It is created only where there
    is none of this number: of two machines that change something at once, one makes its change anew on top of the
    other's. Files are objects of their own, sent before the change that names them. So nothing is ever there in part.

    A machine asks for the newest change every second, and where a model is not known. In between it may show a card
    that was changed elsewhere, or a model that was deleted. While the store does not answer, what is in the folder goes
    on answering, and nothing can be changed.
    """

    def __init__(self, path: Path, store: ObjectStore) -> None:
        """Fetch what is shared, if the store answers, and follow it from now on."""
        super().__init__(path)
        self._store = store
        self._draft = _Draft()
        self._offers: dict[Path, StoredModel] = {}
        self._away: str | None = None  # why the store could not be used last time
        self._tidy_at = 0.0
        self._closed = Event()
        with suppress(StorageError):
            self.catch_up()
        self._thread = Thread(target=self._follow, name="store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()

    def catch_up(self) -> None:
        if self._away:
            raise StoreUnavailable(self._away)  # nobody else waits for it; the thread finds out when it is back
        self._pull()

    def change(self, body: Callable[[], T]) -> T:
        for _ in range(_TRIES):
            self.catch_up()
            with self.changing():
                before = self._read_index()
                self._draft.shared, self._draft.received = before.model_copy(deep=True), {}
                try:
                    result = body()
                    after = self._draft.shared
                finally:
                    self._draft.shared = None
                if after.models == before.models:  # it was about a file of this machine alone
                    return result
                after.number, after.by = before.number + 1, secrets.token_hex(8)
                if self._commit(after):
                    try:
                        self._apply(after, self._draft.received)
                    except OSError as error:  # the other machines show it, and this one once it can
                        raise StorageError(_NOT_HERE.format(reason=error.strerror)) from error
                    return result
        raise StoreUnavailable(_BUSY)

    def keep(self, file: ModelFile, ending: str, data: bytes) -> None:
        if (model := self._drafted(file)) is None:
            super().keep(file, ending, data)
        else:
            model.notes[ending] = Note(text=data.decode(), lambdas=file.lambdas)

    def forget(self, file: ModelFile, ending: str) -> None:
        if (model := self._drafted(file)) is None:
            super().forget(file, ending)
        else:
            model.notes.pop(ending, None)

    def offer(self, received: Path) -> None:
        """Send the file to the store, under a name that nobody knows yet."""
        self.catch_up()
        with received.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = f"{int(time.time()):010}-{secrets.token_hex(8)}"
        self._store.send(f"{_MODELS}/{name}", received)
        self._offers = {path: each for path, each in self._offers.items() if path.exists()}
        self._offers[received] = StoredModel(object=name, size=received.stat().st_size, sha256=digest)

    def publish(self, received: Path, file: ModelFile) -> bool:
        assert self._draft.shared is not None, "Publish as part of a change."
        if file.path.name in self._draft.shared.models:
            return False
        model = self._draft.shared.models[file.path.name] = self._offers[received].model_copy(deep=True)
        self._draft.received[model.object] = received
        for about in (file, replace(file, lambdas="")):  # what is kept about it already
            for ending in _ENDINGS:
                with suppress(FileNotFoundError):
                    text = (self.path / (about.key + ending)).read_text(encoding="utf-8")
                    model.notes[ending] = Note(text=text, lambdas=about.lambdas)
        return True

    def withdraw(self, file: ModelFile) -> None:
        assert self._draft.shared is not None, "Withdraw as part of a change."
        if self._draft.shared.models.pop(file.path.name, None) is None:  # it never was in the store
            super().withdraw(file)

    def _drafted(self, file: ModelFile) -> StoredModel | None:
        """Return what the change under way holds of an uploaded file."""
        if self._draft.shared is None or file.origin is not Origin.UPLOADED:
            return None
        return self._draft.shared.models.get(file.path.name)

    def _commit(self, shared: Shared) -> bool:
        """Make the change, and return True; False if another machine was faster."""
        name = _change_name(shared.number)
        try:
            self._store.create(name, shared.model_dump_json().encode())
        except StorageError as error:
            # A store's client that sends anew what was lost on its way may find what it has made itself.
            try:
                found = self._store.read(name)
            except StorageError:
                found = None
                if isinstance(error, StoreUnavailable):
                    raise StoreUnavailable(_UNKNOWN.format(away=error)) from error
            if found is None:
                raise
            return self._parse(found).by == shared.by
        return True

    def _pull(self) -> None:
        """Bring the folder to the newest change. Raises: StorageError."""
        try:
            with self._pulling():
                self._pull_newest()
        except OSError as error:
            self._note_failure(_NO_ROOM.format(reason=error.strerror), f"{error}")
            raise StorageError(self._away) from error
        except StorageError as error:
            self._note_failure(str(error), f"{self._store.address} fails: {reason_of(error)}")
            raise
        if self._away:
            self._away = None
            _log.info("Models are shared with other machines again.")

    def _pull_newest(self) -> None:
        names = self._store.names(_CHANGES)
        newest = max((int(name) for name in names if re.fullmatch("[0-9]{12}", name)), default=0)
        if newest > self._read_index().number:
            data = self._store.read(_change_name(newest))
            if data is not None:
                self._take_over(self._parse(data))

    def _note_failure(self, message: str, reason: str) -> None:
        """Remember why, for those who ask meanwhile, and log it once."""
        if not self._away:
            _log.warning("Models are not shared with other machines for now: %s.", reason)
        self._away = message

    @contextmanager
    def _pulling(self) -> Iterator[None]:
        """Let one thread of this machine at a time bring the folder up to date. Raises: OSError, StoreUnavailable."""
        deadline = time.monotonic() + SECONDS
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / _PULLING, "ab") as file:
            while not try_lock(file):
                if time.monotonic() > deadline:
                    raise StoreUnavailable(_SLOW)
                time.sleep(_LOCK_SECONDS)
            yield

    def _take_over(self, shared: Shared) -> None:
        """Fetch what is missing, and show what is shared."""
        before = self._read_index()
        fetched = {}
        with TemporaryFolder(self.path, _PRIVATE) as folder:
            for name, model in shared.models.items():
                if not self._has(name, model, before):
                    fetched[model.object] = Path(folder, model.object)
                    self._fetch(model, fetched[model.object])
            with self.changing():
                if self._read_index().number < shared.number:
                    self._apply(shared, fetched)

    def _fetch(self, model: StoredModel, file: Path) -> None:
        self._store.fetch(f"{_MODELS}/{model.object}", file)
        with file.open("rb") as data:
            digest = hashlib.file_digest(data, "sha256").hexdigest()
        if digest != model.sha256:
            raise StoreUnavailable("The store of models gave another file than it was given. Try again in a moment.")

    def _apply(self, shared: Shared, files: dict[str, Path]) -> None:
        """Make the folder's uploads those that are shared. files: those that are new, by object. Raises: OSError."""
        before = self._read_index()
        self.uploads.mkdir(parents=True, exist_ok=True)
        for name, model in before.models.items():
            if name not in shared.models or shared.models[name].object != model.object:
                self._remove(name, model)
        for name, model in shared.models.items():
            path = self.uploads / name
            if self._has(name, model, before):
                self._write_notes(_file(path, path), before.models[name], model)
                continue
            source = files.get(model.object, path)  # there, unless the file has just been taken away by hand
            self._write_notes(_file(path, source), None, model)  # before anyone can see the file
            with suppress(FileNotFoundError):
                path.unlink()  # of a machine that stopped in the middle
            os.link(source, path)
        write_atomically(self.path / _INDEX, shared.model_dump_json().encode())

    def _has(self, name: str, model: StoredModel, index: Shared) -> bool:
        """Return whether the folder has this model's file."""
        known = index.models.get(name)
        return known is not None and known.object == model.object and (self.uploads / name).exists()

    def _remove(self, name: str, model: StoredModel) -> None:
        path = self.uploads / name
        with suppress(FileNotFoundError):
            file = _file(path, path)
            path.unlink()
            for ending, note in model.notes.items():
                super().forget(replace(file, lambdas=note.lambdas), ending)

    def _write_notes(self, file: ModelFile, before: StoredModel | None, after: StoredModel) -> None:
        known = before.notes if before else {}
        for ending, note in known.items():
            if ending not in after.notes or after.notes[ending].lambdas != note.lambdas:
                super().forget(replace(file, lambdas=note.lambdas), ending)
        for ending, note in after.notes.items():
            if ending in _ENDINGS and known.get(ending) != note:
                super().keep(replace(file, lambdas=note.lambdas), ending, note.text.encode())

    def _follow(self) -> None:
        """Look at the store every second, and tidy it up now and then."""
        while not self._closed.wait(POLL_SECONDS):
            try:
                self._pull()
                if time.monotonic() >= self._tidy_at:
                    self._tidy_at = time.monotonic() + _TIDY_SECONDS
                    self._tidy()
            except StorageError:
                pass  # it has been logged
            except Exception as error:  # without this thread, nobody would find out when all is well again
                self._note_failure(_WRONG, repr(error))

    def _tidy(self) -> None:
        """Delete changes that are long past, and files that no change names."""
        for name in sorted(self._store.names(_CHANGES))[:-_KEPT_CHANGES]:
            self._store.delete(f"{_CHANGES}/{name}")
        left = [name for name in self._store.names(_MODELS) if name < f"{int(time.time()) - _LEFT_SECONDS:010}"]
        self._pull()  # a file is never named again once a change has left it out
        named = {model.object for model in self._read_index().models.values()}
        for name in left:
            if name not in named:
                self._store.delete(f"{_MODELS}/{name}")

    def _read_index(self) -> Shared:
        """Return what the folder's uploads are."""
        try:
            return Shared.model_validate_json((self.path / _INDEX).read_bytes())
        except (FileNotFoundError, ValidationError):
            return Shared()

    def _parse(self, data: bytes) -> Shared:
        try:
            return Shared.model_validate_json(data)
        except ValidationError as error:
            raise StorageError(_FOREIGN) from error


def _change_name(number: int) -> str:
    return f"{_CHANGES}/{number:012}"


def _file(path: Path, source: Path) -> ModelFile:
    """Return the uploaded file that this one is, or becomes by a link to another one."""
    stamp = stamp_of(source)
    if stamp is None:
        raise FileNotFoundError(source)
    return ModelFile(path.stem, path, Origin.UPLOADED, stamp, None)
