"""The networks that are kept ready: a bounded number, of which the least recently used one goes."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from app.cnn.network import Network
from app.library.entry import Entry
from app.library.files import ModelFile, Stamp

_MAX_PARAMETERS = 100_000_000  # of all that are kept; the newest is kept however large it is


class Networks:
    """Networks by the file that they were read from. Safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, Path, Stamp], Network] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, entry: Entry) -> Network | None:
        """The network of a model, with the card that the model has now; None where it is not kept."""
        key = _key(entry.file)
        with self._lock:
            network = self._kept.get(key)
            if network is None or entry.reason is not None:
                return None
            if entry.card is not None and network.card != entry.card:
                network = self._kept[key] = network.with_card(entry.card)
            self._kept.move_to_end(key)
            return network

    def keep(self, entry: Entry, network: Network) -> Network:
        """Keep a network ready, and let others go where there are too many."""
        with self._lock:
            self._kept[_key(entry.file)] = network
            while len(self._kept) > 1 and (len(self._kept) > self._limit or self._parameters() > _MAX_PARAMETERS):
                self._kept.popitem(last=False)
        return network

    def retain(self, files: Iterable[ModelFile]) -> None:
        """Let go the networks of all other files: those that went, and those before they changed."""
        keys = {_key(file) for file in files}
        with self._lock:
            for key in self._kept.keys() - keys:
                del self._kept[key]

    def _parameters(self) -> int:
        return sum(layer.parameters for network in self._kept.values() for layer in network.layers)


def _key(file: ModelFile) -> tuple[str, Path, Stamp]:
    return file.name, file.path, file.stamp
