"""The last forward passes, kept: another look at the same drawing need not run the network again."""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from threading import Lock
from time import perf_counter, thread_time
from weakref import WeakKeyDictionary, ref

from app.cnn.network import ForwardPass, Network
from app.cnn.pooling import PoolingMode
from app.explore.comparison import swap_ink_and_paper
from app.explore.exploration import see
from app.imaging.drawing import MOST_READ, MostRead

MAX_BYTES = 256 * 1024 * 1024  # of activations

# A network is not held: one that the library lets go of goes, and what it made is forgotten in its turn.
_Key = tuple[ref[Network], PoolingMode | None, bool, bytes]


class ForwardPasses:
    """Runs networks on drawings, and remembers what came of it, the least recently used first to be forgotten.

    A forward pass is a function of its key alone: the network with its card, the pooling mode in effect, and the
    drawing's bytes. So it is the same whoever asks, and whether it is remembered or not shows in the time only.
    Safe to share between threads; two that ask for the same at once may both run the network.
    """

    def __init__(
        self, max_bytes: int = MAX_BYTES, most: MostRead = MOST_READ, observe: Callable[[float], None] | None = None
    ) -> None:
        """max_bytes: of activations. most: how large a drawing is read.

        observe: is told the seconds that each forward pass took.
        """
        self.max_bytes = max_bytes
        self.most = most
        self.observe = observe
        self.size = 0  # in bytes
        self._kept: OrderedDict[_Key, ForwardPass] = OrderedDict()
        self._last_seconds: WeakKeyDictionary[Network, dict[PoolingMode | None, float]] = WeakKeyDictionary()
        self._lock = Lock()

    def run(
        self, network: Network, drawing: bytes, pooling: PoolingMode | None = None, invert: bool = False
    ) -> ForwardPass:
        """What a network makes of a drawing. invert: ink and paper are swapped. Raises: InvalidDrawing."""
        mode = _mode_in_effect(network, pooling)
        key = (ref(network), mode, invert, blake2b(drawing, digest_size=16).digest())
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        image = see(drawing, network.card, self.most)
        start, cpu_start = perf_counter(), thread_time()
        forward = network.run(swap_ink_and_paper(image, network.card) if invert else image, pooling)
        if self.observe is not None:
            self.observe(perf_counter() - start)
        with self._lock:
            self._last_seconds.setdefault(network, {})[mode] = thread_time() - cpu_start
        self._keep(key, forward)
        return forward

    def last_seconds(self, network: Network, pooling: PoolingMode | None) -> float | None:
        """Return the processor time in seconds of a network's last forward pass in this mode; None before the first."""
        with self._lock:
            return self._last_seconds.get(network, {}).get(_mode_in_effect(network, pooling))

    def _keep(self, key: _Key, forward: ForwardPass) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = forward
            self.size += forward.nbytes
            while self.size > self.max_bytes:
                _, forgotten = self._kept.popitem(last=False)
                self.size -= forgotten.nbytes


def _mode_in_effect(network: Network, pooling: PoolingMode | None) -> PoolingMode | None:
    return (pooling or network.card.pooling) if network.pools else None
