"""Networks in which edits are made, ready to run again."""

import threading
from functools import partial
from weakref import ref

from ..cnn.edits import Edits
from ..cnn.network import Network
from .kept import Kept

_Key = tuple[ref[Network], str]  # of the network as it was opened: one with another card is another one


class EditedNetworks:
    """Networks by what was edited in which, as long as there is room for them. Thread-safe."""

    def __init__(self, kept: Kept) -> None:
        """kept: decides which of them stay in memory."""
        self._kept = kept
        self._networks: dict[_Key, Network] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._networks)

    def get(self, network: Network, edits: Edits) -> Network | None:
        """Return the network with these edits made in it; itself without any, None if it is not cached."""
        if not edits:
            return network
        key = ref(network), str(edits)
        edited = self._networks.get(key)
        if edited is not None:
            self._kept.touch(key)
            self._kept.touch(edited.engine)
        return edited

    def make(self, network: Network, edits: Edits) -> Network:
        """Make these edits in a network, cache the result, and return it. Raises: InvalidEdit."""
        key = ref(network), str(edits)
        made = network.edited(edits)
        with self._lock:
            edited = self._networks.setdefault(key, made)  # another thread may have been faster
        if edited is made:
            evict = partial(self._evict, key)
            self._kept.put_in_use(key, _copied_bytes(network, edited), evict)
            self._kept.put_in_use(edited.engine, edited.engine.nbytes, evict)
        return edited

    def _evict(self, key: _Key) -> None:
        with self._lock:
            edited = self._networks.pop(key, None)
        if edited is not None:
            self._kept.forget(key)
            self._kept.forget(edited.engine)
            edited.engine.close()


def _copied_bytes(network: Network, edited: Network) -> int:
    """Return the memory of the weights that the edited network has for itself, in bytes."""
    before = {id(array) for layer in network.layers for array in network.weights(layer).values()}
    after = [array for layer in edited.layers for array in edited.weights(layer).values()]
    return sum(array.nbytes for array in after if id(array) not in before)
