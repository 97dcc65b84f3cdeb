"""All models by name, and their networks, which are opened on demand."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ..cnn.card import Card
from ..cnn.definition import ModelDefinition
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..cnn.types import PoolingMode
from ..model_files.config.lambdas import parse_lambdas, write_lambdas
from ..model_files.errors import ModelError
from ..model_files.infer_card import complete_card
from ..model_files.serialization import ScanResult, deserialize_weights
from ..temporary import TemporaryFolder
from ..workers.engine import WorkerEngine, Workers
from ..workers.memory import map_file
from ..workers.sandbox import open_in_sandbox
from .cards import CardStore, WrittenCard, merge_cards
from .detectors import read_detector
from .files import EmptyLibrary, ModelFile, Origin, find_files, stamp_of
from .kept import Kept
from .models import BuiltInModels, ModelEntry, ModelState, NetworkCache
from .readings import Readings, ReadingStore, describe_reading
from .scanner import Scanner
from .state import StateFolder
from .store import ObjectStore
from .stored_state import StoredState
from .uploads import StorageError, Uploads

DEFAULT = "digits"
_REFRESH_SECONDS = 0.5


class UnknownModel(LookupError):
    """The library has no model of this name."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(f"There is no model “{name}”. There is: {', '.join(names)}.")


class ReadOnlyModel(PermissionError):
    """A built-in model's card cannot be changed, and only an uploaded model can be removed."""


class Library:
    """Models by name, the default one first. It follows changes on disk. Thread-safe.

    Only a sandboxed child process reads a file that did not come with Layerglass.
    """

    def __init__(
        self,
        built_in: Path,
        folders: Iterable[Path] = (),
        files: Iterable[Path] = (),
        state: Path | None = None,
        store: str | None = None,
        kept: Kept | None = None,
        workers: Workers | None = None,
    ) -> None:
        """Scan the folders once.

        built_in, folders, files: as for `find_files`. state: the folder for uploads, cards and scan results; by
        default a temporary one. store: the address of the object store where uploads and their cards are kept, of
        which the folder is a copy then. kept: decides which networks stay in memory. workers: what
        runs networks that did not come with Layerglass.
        Raises: EmptyLibrary, StorageError.
        """
        self._temporary = None if state else TemporaryFolder()
        state = Path(os.path.realpath(self._temporary.name if self._temporary else state or "."))
        self._state = StoredState(state, ObjectStore(store)) if store else StateFolder(state)
        self._uploads = Uploads(self._state)
        self._scanner, self._cards = Scanner(self._state), CardStore(self._state)
        self._readings, self._networks = ReadingStore(self._state), NetworkCache(kept or Kept())
        self._sources = (built_in, tuple(folders), tuple(files), self._uploads.folder)
        self._lock = threading.RLock()
        self._opening: dict[str, threading.Lock] = {}  # by name: each model is opened once
        self._entries: dict[str, ModelEntry] = {}
        self._built_in = BuiltInModels()
        self._workers = workers or Workers()
        self._refreshed_at, self._changes = float("-inf"), -1  # which is no count
        if not self.entries():
            self.close()
            raise EmptyLibrary(built_in)

    def close(self) -> None:
        """Stop scanning, and delete the temporary folder, if there is one."""
        self._scanner.close()
        self._state.close()
        self._workers.close()
        if self._temporary:
            self._temporary.cleanup()

    def __iter__(self) -> Iterator[ModelEntry]:
        return iter(self.entries().values())

    def __contains__(self, name: str) -> bool:
        return name in self.entries() or name in self.entries(now=True)

    @property
    def default_name(self) -> str:
        """The name of the model that the page opens with."""
        names = [entry.name for entry in self if entry.state is not ModelState.BROKEN]
        return next(iter(names or self.entries()), DEFAULT)  # if there is none, a name that raises UnknownModel

    @property
    def default(self) -> Network:
        return self.network(self.default_name)

    def open_default(self) -> None:
        """Open the model that the page opens with: the first one that can be opened, if any."""
        for name in self.entries():
            with suppress(UnknownModel, ModelError):
                self.network(name)
                break
        self.entries(now=True)

    def entries(self, now: bool = False) -> dict[str, ModelEntry]:
        """Return all models by name.

        What was changed through a library with the same state is there at once. What changed on disk otherwise is seen
        within half a second, or now; all of these libraries see it once one of them does.
        """
        with self._lock:
            changes = self._state.changes
            if now or changes != self._changes or time.monotonic() - self._refreshed_at > _REFRESH_SECONDS:
                self._changes = changes  # as of before the disk is read
                self._refresh()
            return self._entries

    def _refresh(self) -> None:
        """Read the disk, and tell the other processes of what has changed, before anyone here is told."""
        before = [_shared(entry) for entry in self._entries.values()]
        found = map(self._with_lambdas, find_files(*self._sources))
        files = sorted(found, key=lambda file: file.name != DEFAULT)
        self._delete_outdated(files)
        listed, self._entries = self._entries, {file.name: self._make_entry(file) for file in files}
        self._forget_gone(listed)
        self._refreshed_at = time.monotonic()
        self._networks.retain(files)
        if before != [_shared(entry) for entry in self._entries.values()]:
            changes = self._state.count_change()
            if changes == self._changes + 1:  # nobody else changed anything meanwhile
                self._changes = changes
        self._scanner.enqueue(
            entry.file
            for entry in self._entries.values()
            if not entry.is_built_in and entry.error is None and entry.layers is None
        )

    def entry(self, name: str) -> ModelEntry:
        """Return the entry of this name. Raises: UnknownModel."""
        entry = self.entries().get(name) or self.entries(now=True).get(name)
        if entry is None:
            raise UnknownModel(name, self._entries)
        return entry

    def catch_up(self, name: str) -> None:
        """Ask the store for a model that is not known here: another machine may just have taken it.

        Raises: UnknownModel, StorageError.
        """
        if name not in self:
            self._state.catch_up()
            self.entry(name)

    def cached_network(self, name: str) -> Network | None:
        """Return the network of this name if it is in memory, without waiting. Raises: UnknownModel."""
        return self._networks.get(self.entry(name))

    def network(self, name: str) -> Network:
        """Return the network of this name, opening it if needed. Raises: UnknownModel, ModelError."""
        self.entry(name)
        with self._lock:
            opening = self._opening.setdefault(name, threading.Lock())
        with opening:
            if (network := self.cached_network(name)) is None:
                entry = self.entry(name)
                try:
                    network = self._networks.put(entry, self._open(entry))
                except ModelError as error:
                    raise ModelError(f"The model “{name}” cannot be opened. {error}") from error
            return network

    def layers(self, entry: ModelEntry) -> tuple[Layer, ...] | None:
        """Return a model's layers; None if it cannot be opened, or is not built in and has not been opened yet."""
        if entry.layers or not entry.is_built_in:
            return entry.layers
        with suppress(UnknownModel, ModelError):
            return self.network(entry.name).layers
        return None

    def sibling_name(self, network: Network, pooling: PoolingMode | None) -> str:
        """Return the name of the model of the same architecture that was trained with this pooling mode.

        The network's own name if there is none, or if it is not ready.
        """
        name = network.card.siblings.get(pooling, network.name) if pooling else network.name
        entry = self.entries().get(name)
        return name if entry and entry.state is ModelState.READY else network.name

    def card(self, name: str) -> Card:
        """Return a model's card, opening the model if needed. Raises: UnknownModel, ModelError."""
        return self.entry(name).card or self.network(name).card

    def write_card(self, name: str, written: WrittenCard) -> ModelEntry:
        """Change these fields of a user's model's card, until its file changes or the state folder goes.

        What was written before stays; what never was is inferred from the model's layers.
        Raises: UnknownModel, ModelError, ReadOnlyModel, StorageError.
        """
        self.catch_up(name)
        entry = self.entry(name)
        if entry.is_built_in:
            raise ReadOnlyModel(
                f"The model “{name}” came with Layerglass, and so did its card. Bring a model of your own."
            )
        changed_file = entry.file
        if "lambdas" in written:  # other Lambdas make another network, which must open before the card is kept
            changed_file = replace(entry.file, lambdas=write_lambdas(parse_lambdas(written["lambdas"])))
        inferred = self._inferred(entry.file, self._scanner.scan(changed_file))

        def change() -> None:  # two who change different fields at once both keep theirs
            self._require_same(entry.file)
            changed = {**self._valid_card(entry.file, inferred), **written}
            complete_card(changed, inferred)
            self._cards.write(entry.file, changed)

        try:
            self._state.change(change)
        except OSError as error:
            raise StorageError(f"The card cannot be kept on this machine: {error.strerror}.") from error
        return self.entry(name)

    def keep_readings(self, name: str, readings: Readings) -> ModelEntry:
        """Keep what trying a user's model has shown, until its file changes, and use the best reading if it says so.

        What another process has kept stays, and so does a card that somebody has written meanwhile.
        Raises: UnknownModel, StorageError.
        """
        file = self.entry(name).file

        def change() -> None:
            self._require_same(file)
            if self._readings.get(file) is None:
                self._keep_readings(file, readings)

        try:
            self._state.change(change)
        except OSError as error:
            raise StorageError(f"What was tried cannot be kept on this machine: {error.strerror}.") from error
        return self.entry(name)

    def _keep_readings(self, file: ModelFile, readings: Readings) -> None:
        is_used = readings.is_used and not self._cards.stamp(file)[1]
        self._readings.write(file, readings.model_copy(update={"is_used": is_used}))
        if is_used:
            self._cards.write(file, readings.best[0].reading.fields)

    def _require_same(self, file: ModelFile) -> None:
        """Raises: UnknownModel, if the file has been changed or taken away."""
        if stamp_of(file.path) != file.stamp:
            raise UnknownModel(file.name, self.entries(now=True))

    def add(self, filename: str, content: BinaryIO, lambdas: str = "") -> ModelEntry:
        """Add an uploaded model, if the sandbox can open it. lambdas: what its Lambda layers compute, as JSON.

        Raises: ModelError, UndeclaredLambdas among them; StorageError.
        """
        lambdas = write_lambdas(parse_lambdas(lambdas))
        with self._uploads.receive(filename, content) as received:
            model = open_in_sandbox(received, lambdas=lambdas)
            with model.file:
                self._state.offer(received)
                for file in self._uploads.candidates(received, self.entries(now=True), lambdas):
                    self._uploads.note_candidate(received, file)
                    self._scanner.store(file, model)
                    if self._state.change(partial(self._publish, received, file)):
                        break
                    self._scanner.delete(file)
        return self.entry(file.name)

    def _publish(self, received: Path, file: ModelFile) -> bool:
        """Add a received file, unless its name has just been taken. Raises: OSError, StorageError."""
        self._uploads.require_room(file.size)
        if file.name in self.entries(now=True):
            return False
        self._cards.declare(file)
        if not self._state.publish(received, file):
            self._cards.delete(file)
            return False
        return True

    def remove(self, name: str) -> None:
        """Delete an uploaded model. Raises: UnknownModel, ReadOnlyModel, StorageError."""
        self.catch_up(name)
        file = self.entry(name).file
        if file.origin is not Origin.UPLOADED:
            raise ReadOnlyModel(f"The model “{name}” was not uploaded, so it is not taken away from here.")

        def change() -> None:
            self._require_same(file)
            self._state.withdraw(file)
            self._cards.delete(file)
            self._readings.delete(file)

        try:
            self._state.change(change)
        except OSError as error:
            raise StorageError(f"The model “{name}” cannot be taken away: {error.strerror}.") from error
        self._scanner.delete(file)
        self.entries()

    def _delete_outdated(self, files: Iterable[ModelFile]) -> None:
        """Delete what is stored about earlier versions of these files."""
        before = {entry.file.path: entry.file for entry in self._entries.values()}
        for file in files:
            old = before.get(file.path, file)
            if old.key != file.key:
                self._scanner.delete(old)
            if old.stamp != file.stamp:
                with suppress(OSError):  # harmless: nothing reads the old key any more
                    self._cards.delete(old)
                    self._readings.delete(old)

    def _forget_gone(self, listed: dict[str, ModelEntry]) -> None:
        """Drop from memory what is known of files that are listed no longer, which another process may have deleted."""
        keys = {entry.file.key for entry in self._entries.values()}
        for entry in listed.values():
            if entry.file.key not in keys:
                self._scanner.forget(entry.file)
                self._cards.forget(entry.file)
        for name in listed.keys() - self._entries.keys():
            self._opening.pop(name, None)

    def _with_lambdas(self, file: ModelFile) -> ModelFile:
        """Return the file with what its Lambda layers compute. A card that does not tell is refused with the entry."""
        if file.origin is Origin.BUILT_IN:
            return file
        with suppress(ModelError):
            return replace(file, lambdas=self._cards.lambdas(file))
        return file

    def _make_entry(self, file: ModelFile) -> ModelEntry:
        last, card_stamp = self._entries.get(file.name), (self._cards.stamp(file), self._readings.stamp(file))
        if last and last.file == file and last.card_stamp == card_stamp and self._is_complete(last):
            return last
        card = layers = message = None
        written: WrittenCard = {}
        try:
            written = self._cards.read(file) or {}
            card, layers = self._describe(file)
        except ModelError as error:
            message = str(error)
        return ModelEntry(file, card_stamp, card, layers, message, frozenset(written), self._readings.get(file))

    def _is_complete(self, entry: ModelEntry) -> bool:
        """Return whether nothing new can have been found out since the entry was made."""
        return entry.layers is not None or (entry.is_built_in and entry.file not in self._built_in)

    def _describe(self, file: ModelFile) -> tuple[Card | None, tuple[Layer, ...] | None]:
        """Return the card and the layers as far as they are known without opening the file.

        Raises: ModelError, if the model is known to be broken.
        """
        if file.origin is Origin.BUILT_IN:
            return self._built_in_card(file), self._built_in.layers(file)
        self._cards.lambdas(file)  # which refuses a card that does not tell
        result = self._scanner.get(file)
        card = self._merge_card(file, self._inferred(file, result) if result else None)
        return card, result.layers if result else None

    def _valid_card(self, file: ModelFile, inferred: Card) -> WrittenCard:
        """Return what was written so far, or nothing where that is no card for this model."""
        with suppress(ModelError):
            written = self._cards.read(file) or {}
            complete_card(written, inferred)
            return written
        return {}

    def _merge_card(self, file: ModelFile, inferred: Card | None) -> Card | None:
        """Return the card of a user's model as far as it is known; it tells what was tried. Raises: ModelError."""
        written = self._cards.read(file)
        card, readings = merge_cards(written, inferred), self._readings.get(file)
        if card is None or readings is None or "description" in (written or {}):
            return card
        return card.model_copy(update={"description": describe_reading(card, readings)})

    def _inferred(self, file: ModelFile, result: ScanResult) -> Card:
        """Return the card that a model's layers and the labels beside its file tell of."""
        return self._cards.name_classes(file, result.card)

    def _built_in_card(self, file: ModelFile) -> Card:
        card = merge_cards(self._cards.read(file), None)
        if card is None:
            raise ModelError(f"Its card {file.card_path.name} is not a whole card.")
        return card

    def _open(self, entry: ModelEntry) -> Network:
        if entry.error is not None:
            raise ModelError(entry.error)
        if entry.is_built_in:
            assert entry.card is not None
            network = Network(entry.name, self._built_in.open(entry.file), entry.card, entry.file.size)
            network.detector = read_detector(entry.file, network)
            return network
        found = self._scanner.scan(entry.file)
        card = self._merge_card(entry.file, self._inferred(entry.file, found))
        assert card is not None
        file = self._scanner.open_model(entry.file)
        # The weights stay in the file until the microscope reads one.
        weights = deserialize_weights(map_file(file), found.layers)
        first = found.card.input or "input"
        definition = ModelDefinition(found.card.input_shape, found.layers, weights, None, first)
        engine = WorkerEngine(self._workers, file, found.layers)
        network = Network(entry.name, definition, card, entry.file.size, engine)
        network.detector = read_detector(entry.file, network)
        return network


def _shared(entry: ModelEntry) -> tuple[object, ...]:
    """Return what every process must agree on about a model; of a built-in one, each finds the layers by itself."""
    found = () if entry.is_built_in else (entry.layers is None, entry.error)
    return entry.file, entry.card_stamp, *found
