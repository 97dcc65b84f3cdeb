"""A model in the library's list, how a built-in one is opened, and the networks that stay in memory."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..cnn.card import Card
from ..cnn.definition import ModelDefinition
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..model_files.errors import ModelError
from ..model_files.loading import load_model
from .files import ModelFile, Origin, Stamp, stamp_of

_MAX_PARAMETERS = 100_000_000  # of all cached networks; the newest is kept whatever its size


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


class NetworkCache:
    """An LRU cache of networks by the file that they were read from. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._networks: OrderedDict[tuple[str, Path, Stamp], Network] = OrderedDict()
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
            self._networks.move_to_end(key)
            return network

    def put(self, entry: ModelEntry, network: Network) -> Network:
        """Cache a network, evict others if there are too many, and return it."""
        with self._lock:
            self._networks[_key(entry.file)] = network
            while len(self._networks) > 1 and (len(self._networks) > self._limit or self._is_too_large()):
                self._networks.popitem(last=False)
        return network

    def retain(self, files: Iterable[ModelFile]) -> None:
        """Evict the networks of all other files, including earlier versions of these files."""
        keys = {_key(file) for file in files}
        with self._lock:
            for key in self._networks.keys() - keys:
                del self._networks[key]

    def _is_too_large(self) -> bool:
        parameters = sum(layer.parameters for network in self._networks.values() for layer in network.layers)
        return parameters > _MAX_PARAMETERS


def _key(file: ModelFile) -> tuple[str, Path, Stamp]:
    return file.name, file.path, file.stamp
