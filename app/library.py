"""The models that there are, and the network of each: opened when it is asked for, and kept while it is used."""

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from app.cnn.card import Card
from app.cnn.layers import Layer
from app.cnn.network import Network
from app.cnn.pooling import PoolingMode
from app.opening.child import open_in_child
from app.opening.parcel import unpack
from app.opening.reader import open_model
from app.opening.unusable import UnusableModel
from app.shelf.cards import Cards, card_of
from app.shelf.entry import Entry, State
from app.shelf.files import ModelFile, Origin, find_files, name_for, uploaded
from app.shelf.networks import Networks
from app.shelf.survey import Survey

DEFAULT = "digits"
_RESCAN_SECONDS = 0.5


class UnknownModel(LookupError):
    """The library has no model of this name."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(f"There is no model “{name}”. There is: {', '.join(names)}.")


class EmptyLibrary(FileNotFoundError):
    """There is no model at all."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"No model found in {folder}: expected NAME.keras with its card NAME.json beside it. "
            "Train one with `layerglass train`, or name a folder of your own models with --models."
        )


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
        self._own_state = tempfile.TemporaryDirectory(prefix="layerglass-") if state is None else None
        state = Path(self._own_state.name) if self._own_state else state or Path()
        self._places = (built_in, tuple(folders), tuple(files), state / "uploads")
        self._uploads = state / "uploads"
        self._uploads.mkdir(exist_ok=True)
        self._survey, self._cards, self._networks = Survey(state), Cards(state), Networks(limit)
        self._lock = threading.RLock()
        self._opening: dict[str, threading.Lock] = {}
        self._entries: dict[str, Entry] = {}
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
        return next(iter(names or self.entries()))

    @property
    def default(self) -> Network:
        return self.network(self.default_name)

    def entries(self, now: bool = False) -> dict[str, Entry]:
        """All models by name, as they are on the disk: looked up at most twice a second, or now."""
        with self._lock:
            if now or time.monotonic() - self._scanned > _RESCAN_SECONDS:
                files = sorted(find_files(*self._places), key=lambda file: file.name != DEFAULT)
                self._entries = {file.name: self._entry(file) for file in files}
                self._scanned = time.monotonic()
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
        """The network of this name, opened if need be. Raises: UnknownModel, UnusableModel."""
        with self._lock:
            opening = self._opening.setdefault(name, threading.Lock())
        with opening:
            if (network := self.ready(name)) is None:
                entry = self.entry(name)
                network = self._networks.keep(entry, self._open(entry))
            return network

    def layers(self, entry: Entry) -> tuple[Layer, ...] | None:
        """A model's layers; None for one of a person's own that was not opened yet."""
        return self.network(entry.name).layers if entry.is_built_in else entry.layers

    def sibling_name(self, network: Network, pooling: PoolingMode | None) -> str:
        """The model of the same architecture that was trained with this pooling; the network's own without one."""
        name = network.card.siblings.get(pooling, network.name) if pooling else network.name
        entry = self.entries().get(name)
        return name if entry and entry.state is State.READY else network.name

    def sibling(self, network: Network, pooling: PoolingMode | None) -> Network:
        """The network of that model."""
        name = self.sibling_name(network, pooling)
        return network if name == network.name else self.network(name)

    def card(self, name: str) -> Card:
        """The card of a model, which is opened for it if need be. Raises: UnknownModel, UnusableModel."""
        return self.entry(name).card or self.network(name).card

    def write_card(self, name: str, card: Card) -> Entry:
        """Let a person's model have this card until the server ends. Raises: UnknownModel, UnusableModel, NotYours."""
        entry = self.entry(name)
        if entry.is_built_in:
            raise NotYours(f"The model “{name}” came with Layerglass, and so did its card. Bring a model of your own.")
        card_of(card.model_dump(mode="json"), self._survey.find(entry.file).card)
        self._cards.write(entry.file, card)
        return self.entries(now=True)[name]

    def add(self, filename: str, content: BinaryIO) -> Entry:
        """Take in an uploaded file for as long as the server runs, if a child process can open it.

        Raises: UnusableModel.
        """
        received = self._uploads / f".{secrets.token_hex(8)}{Path(name_for(filename)).suffix}"
        try:
            with received.open("wb") as file:
                shutil.copyfileobj(content, file)
            parcel = open_in_child(received)
            with self._lock:
                path = self._free_path(name_for(filename))
                received.replace(path)
                self._survey.keep(uploaded(path), parcel)
                return next(each for each in self.entries(now=True).values() if each.file.path == path)
        except OSError as error:
            raise UnusableModel(f"The file cannot be kept on this machine: {error.strerror}.") from error
        finally:
            received.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Forget an uploaded model. Raises: UnknownModel, NotYours."""
        entry = self.entry(name)
        if entry.file.origin is not Origin.UPLOADED:
            raise NotYours(f"The model “{name}” was not uploaded, so it is not taken away from here.")
        entry.file.path.unlink(missing_ok=True)
        self.entries(now=True)

    def _free_path(self, filename: str) -> Path:
        path, number = self._uploads / filename, 1
        while path.exists():
            number += 1
            path = path.with_name(f"{Path(filename).stem}-{number}{path.suffix}")
        return path

    def _entry(self, file: ModelFile) -> Entry:
        known, card_stamp = self._entries.get(file.name), self._cards.stamp(file)
        if known and known.file == file and known.card_stamp == card_stamp and (known.layers or known.is_built_in):
            return known
        card = layers = reason = None
        try:
            finding = None if file.origin is Origin.BUILT_IN else self._survey.known(file)
            card = card_of(self._cards.told(file), finding.card if finding else None)
            layers = finding.layers if finding else None
            if card is None and file.origin is Origin.BUILT_IN:
                reason = f"Its card {file.card_path.name} is not a whole card."
        except UnusableModel as error:
            reason = str(error)
        return Entry(file, card_stamp, card, layers, reason)

    def _open(self, entry: Entry) -> Network:
        if entry.reason is not None:
            raise UnusableModel(f"The model “{entry.name}” cannot be opened. {entry.reason}")
        if entry.is_built_in:
            assert entry.card is not None
            return Network(entry.name, open_model(entry.file.path).model, entry.card, entry.file.size)
        finding = self._survey.find(entry.file)
        card = card_of(self._cards.told(entry.file), finding.card)
        assert card is not None
        return Network(entry.name, unpack(self._survey.parcel(entry.file)).model, card, entry.file.size)
