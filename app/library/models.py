"""A model in the library's list, how a built-in one is opened, and the networks that stay in memory."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from ..cnn.card import Card
from ..cnn.definition import ModelDefinition
from ..cnn.kinds import Layer
from ..cnn.network import Engine, Network
from ..model_files.errors import ModelError
from ..model_files.loading import load_model
from .files import ModelFile, Origin, Stamp, stamp_of
from .kept import Kept
from .readings import Readings


class ModelState(StrEnum):
    """A model's state: it can be used, has not been opened yet, or cannot be."""

    READY = "ready"
    WAITING = "waiting"  # to be opened for the first time
    BROKEN = "broken"


@dataclass(frozen=True)
class ModelEntry:
    """A model's file, and what is known about it so far."""

    file: ModelFile
    card_stamp: object  # changes when the user's card changes
    card: Card | None  # None unless it is ready
    layers: tuple[Layer, ...] | None  # None until it has been opened
    error: str | None  # why it is broken
    written: frozenset[str] = frozenset()  # the fields of the card that a person wrote
    readings: Readings | None = None  # what trying it on labelled drawings has shown, if it was tried

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def state(self) -> ModelState:
        if self.error is not None:
            return ModelState.BROKEN
        return ModelState.WAITING if self.card is None else ModelState.READY

    @property
    def pools(self) -> bool:
        """True if it has a pooling layer, as far as is known."""
        if self.layers is not None:
            return any(layer.is_pooling for layer in self.layers)
        return self.card is None or self.card.pooling is not None

    @property
    def is_built_in(self) -> bool:
        """True if it came with Layerglass, so that its file is trusted."""
        return self.file.origin is Origin.BUILT_IN


class BuiltInModels:
    """Opens the trusted files that came with Layerglass, in this process, and remembers the result. Thread-safe."""

    def __init__(self) -> None:
        self._results: dict[ModelFile, tuple[Layer, ...] | ModelError] = {}

    def __contains__(self, file: ModelFile) -> bool:
        """Return whether the file has been opened, successfully or not."""
        return file in self._results

    def layers(self, file: ModelFile) -> tuple[Layer, ...] | None:
        """Return the layers in a file; None if it has not been opened yet. Raises: ModelError, if it did not open."""
        result = self._results.get(file)
        if isinstance(result, ModelError):
            raise ModelError(str(result))
        return result

    def open(self, file: ModelFile) -> ModelDefinition:
        """Load the model in a file. Raises: ModelError."""
        try:
            definition = load_model(file.path).definition
        except ModelError as error:
            if stamp_of(file.path):  # a file that is missing for a moment must be opened again when it is back
                self._results[file] = error
            raise
        self._results[file] = definition.layers
        return definition


_Key = tuple[str, Path, Stamp, str]


class NetworkCache:
    """Networks that are ready, by the file that they were read from, as long as there is room for them. Thread-safe."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._networks: dict[_Key, Network] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._networks)

    def get(self, entry: ModelEntry) -> Network | None:
        """Return a model's network, with the card that the model has now; None if it is not cached."""
        key = _key(entry.file)
        with self._lock:
            network = self._networks.get(key)
            if network is None or entry.error is not None:
                return None
            if entry.card is not None and network.card != entry.card:
                network = self._networks[key] = network.with_card(entry.card)
        self._kept.touch(network.engine)
        return network

    def put(self, entry: ModelEntry, network: Network) -> Network:
        """Cache a network, evict others if there is no room for all of them, and return it."""
        key = _key(entry.file)
        with self._lock:
            self._networks[key] = network
        self._kept.put_in_use(network.engine, network.engine.nbytes, partial(self._evict, key, network.engine))
        return network

    def retain(self, files: Iterable[ModelFile]) -> None:
        """Evict the networks of all other files, including earlier versions of these files."""
        keys = {_key(file) for file in files}
        with self._lock:
            gone = {key: network.engine for key, network in self._networks.items() if key not in keys}
        for key, engine in gone.items():
            self._kept.forget(engine)
            self._evict(key, engine)

    def _evict(self, key: _Key, engine: Engine) -> None:
        with self._lock:
            network = self._networks.get(key)
            if network is not None and network.engine is engine:
                del self._networks[key]
        engine.close()


def _key(file: ModelFile) -> _Key:
    return file.name, file.path, file.stamp, file.lambdas
