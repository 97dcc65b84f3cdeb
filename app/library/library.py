"""The models that there are, and the network of each: opened when it is asked for, and kept while it is used."""

import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from app.cnn.card import Card
from app.cnn.kinds import Layer
from app.cnn.network import Network
from app.cnn.pooling import PoolingMode
from app.library.built_in import BuiltIn
from app.library.cards import Cards, card_of
from app.library.entry import Entry, State
from app.library.files import EmptyLibrary, ModelFile, Origin, find_files
from app.library.networks import Networks
from app.library.scanner import Scanner
from app.library.uploads import NotKept, Uploads
from app.model_files.errors import ModelError
from app.model_files.sandbox import open_in_sandbox
from app.model_files.serialization import deserialize

DEFAULT = "digits"
_RESCAN_SECONDS = 0.5
_PREFIX = "layerglass-"


class UnknownModel(LookupError):
    """The library has no model of this name."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(f"There is no model “{name}”. There is: {', '.join(names)}.")


class NotYours(PermissionError):
    """A model that came with Layerglass, or lies in a person's own folder, is not changed or removed from outside."""


class Library:
    """Models by name, the default one first; files that appear, change or go are noticed. Threads may share it.

    A file that did not come with Layerglass is only ever read by a child process.
    """

    def __init__(
        self,
        built_in: Path,
        folders: Iterable[Path] = (),
        files: Iterable[Path] = (),
        state: Path | None = None,
        limit: int = 16,
    ) -> None:
        """state: where uploads and what was found in files is kept; without one, a folder that goes with the library.

        limit: how many networks are kept ready. Raises: EmptyLibrary.
        """
        self._own_state = None if state else tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        state = Path(os.path.realpath(self._own_state.name if self._own_state else state or "."))
        self._uploads, self._networks = Uploads(state / "uploads"), Networks(limit)
        self._survey, self._cards = Scanner(state), Cards(state)
        self._places = (built_in, tuple(folders), tuple(files), self._uploads.folder)
        self._lock = threading.RLock()
        self._opening: dict[str, threading.Lock] = {}
        self._entries: dict[str, Entry] = {}
        self._built_in = BuiltIn()
        self._scanned = float("-inf")
        if not self.entries():
            self.close()
            raise EmptyLibrary(built_in)

    def close(self) -> None:
        """Stop what runs in the background, and forget what was uploaded."""
        self._survey.close()
        if self._own_state:
            self._own_state.cleanup()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries().values())

    @property
    def default_name(self) -> str:
        """The model that the page opens with."""
        names = [entry.name for entry in self if entry.state is not State.BROKEN]
        return next(iter(names or self.entries()), DEFAULT)  # without any, one that will be said not to be there

    @property
    def default(self) -> Network:
        return self.network(self.default_name)

    def open_default(self) -> None:
        """Make the model ready that the page opens with: the first that can be opened. Without one, nothing is."""
        for name in self.entries():
            with suppress(UnknownModel, ModelError):
                self.network(name)
                break
        self.entries(now=True)

    def entries(self, now: bool = False) -> dict[str, Entry]:
        """All models by name, as they are on the disk: looked up at most twice a second, or now."""
        with self._lock:
            if now or time.monotonic() - self._scanned > _RESCAN_SECONDS:
                files = sorted(find_files(*self._places), key=lambda file: file.name != DEFAULT)
                self._forget_changed(files)
                self._entries = {file.name: self._entry(file) for file in files}
                self._scanned = time.monotonic()
                self._networks.retain(files)
                self._survey.look_through(
                    entry.file
                    for entry in self._entries.values()
                    if not entry.is_built_in and entry.reason is None and entry.layers is None
                )
            return self._entries

    def entry(self, name: str) -> Entry:
        """The model of this name. Raises: UnknownModel."""
        entry = self.entries().get(name) or self.entries(now=True).get(name)
        if entry is None:
            raise UnknownModel(name, self._entries)
        return entry

    def ready(self, name: str) -> Network | None:
        """The network of this name if it is kept ready; this does not wait. Raises: UnknownModel."""
        return self._networks.get(self.entry(name))

    def network(self, name: str) -> Network:
        """The network of this name, opened if need be. Raises: UnknownModel, ModelError."""
        self.entry(name)
        with self._lock:
            opening = self._opening.setdefault(name, threading.Lock())
        with opening:
            if (network := self.ready(name)) is None:
                entry = self.entry(name)
                try:
                    network = self._networks.keep(entry, self._open(entry))
                except ModelError as error:
                    raise ModelError(f"The model “{name}” cannot be opened. {error}") from error
            return network

    def layers(self, entry: Entry) -> tuple[Layer, ...] | None:
        """A model's layers; None for one of a person's own that was not opened yet, and for one that does not open."""
        if entry.layers or not entry.is_built_in:
            return entry.layers
        with suppress(UnknownModel, ModelError):
            return self.network(entry.name).layers
        return None

    def sibling_name(self, network: Network, pooling: PoolingMode | None) -> str:
        """The model of the same architecture that was trained with this pooling; the network's own without one."""
        name = network.card.siblings.get(pooling, network.name) if pooling else network.name
        entry = self.entries().get(name)
        return name if entry and entry.state is State.READY else network.name

    def card(self, name: str) -> Card:
        """The card of a model, which is opened for it if need be. Raises: UnknownModel, ModelError."""
        return self.entry(name).card or self.network(name).card

    def write_card(self, name: str, card: Card) -> Entry:
        """Let a person's model have this card for as long as the server runs and its file does not change.

        Raises: UnknownModel, ModelError, NotYours, NotKept.
        """
        entry = self.entry(name)
        if entry.is_built_in:
            raise NotYours(f"The model “{name}” came with Layerglass, and so did its card. Bring a model of your own.")
        card_of(card.model_dump(mode="json"), self._survey.find(entry.file).card)
        try:
            self._cards.write(entry.file, card)
        except OSError as error:
            raise NotKept(f"The card cannot be kept on this machine: {error.strerror}.") from error
        self.entries(now=True)
        return self.entry(name)

    def add(self, filename: str, content: BinaryIO) -> Entry:
        """Take in an uploaded file for as long as the server runs, if a child process can open it.

        Raises: ModelError, NotKept.
        """
        with self._uploads.receive(filename, content) as received:
            parcel = open_in_sandbox(received)
            for file in self._uploads.places(received, self.entries(now=True)):
                self._survey.keep(file, parcel)
                if self._uploads.put(received, file):
                    break
                self._survey.forget(file)
        self.entries(now=True)
        return self.entry(file.name)

    def remove(self, name: str) -> None:
        """Forget an uploaded model. Raises: UnknownModel, NotYours, NotKept."""
        file = self.entry(name).file
        if file.origin is not Origin.UPLOADED:
            raise NotYours(f"The model “{name}” was not uploaded, so it is not taken away from here.")
        try:
            self._uploads.remove(file)
            self._cards.forget(file)
        except OSError as error:
            raise NotKept(f"The model “{name}” cannot be taken away: {error.strerror}.") from error
        self._survey.forget(file)
        self.entries(now=True)
        with self._lock:
            self._opening.pop(name, None)

    def _forget_changed(self, files: Iterable[ModelFile]) -> None:
        """What was found in files before they changed."""
        before = {entry.file.path: entry.file for entry in self._entries.values()}
        for file in files:
            if (old := before.get(file.path, file)).stamp != file.stamp:
                self._survey.forget(old)
                with suppress(OSError):  # it lies there without use: the file has another key now
                    self._cards.forget(old)

    def _entry(self, file: ModelFile) -> Entry:
        known, card_stamp = self._entries.get(file.name), self._cards.stamp(file)
        if known and known.file == file and known.card_stamp == card_stamp and self._is_all(known):
            return known
        card = layers = reason = None
        try:
            card, layers = self._describe(file)
        except ModelError as error:
            reason = str(error)
        return Entry(file, card_stamp, card, layers, reason)

    def _is_all(self, entry: Entry) -> bool:
        """Nothing more was found since."""
        return entry.layers is not None or (entry.is_built_in and entry.file not in self._built_in)

    def _describe(self, file: ModelFile) -> tuple[Card | None, tuple[Layer, ...] | None]:
        """What is known of a model without opening it. Raises: ModelError, where that is a reason not to."""
        if file.origin is Origin.BUILT_IN:
            return self._built_in_card(file), self._built_in.layers(file)
        finding = self._survey.known(file)
        card = card_of(self._cards.told(file), finding.card if finding else None)
        return card, finding.layers if finding else None

    def _built_in_card(self, file: ModelFile) -> Card:
        card = card_of(self._cards.told(file), None)
        if card is None:
            raise ModelError(f"Its card {file.card_path.name} is not a whole card.")
        return card

    def _open(self, entry: Entry) -> Network:
        if entry.reason is not None:
            raise ModelError(entry.reason)
        if entry.is_built_in:
            card, parts = entry.card, self._built_in.open(entry.file)
        else:
            finding = self._survey.find(entry.file)
            card = card_of(self._cards.told(entry.file), finding.card)
            parts = deserialize(self._survey.parcel(entry.file)).definition
        assert card is not None
        return Network(entry.name, parts, card, entry.file.size)
