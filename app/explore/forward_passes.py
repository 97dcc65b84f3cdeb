"""The service that runs networks. It remembers the last forward passes: another view of a drawing costs no new one."""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from threading import Lock
from time import perf_counter, thread_time
from weakref import WeakKeyDictionary, ref

from app.cnn.network import ForwardPass, Network
from app.cnn.types import PoolingMode
from app.explore.preprocess import preprocess, swap_ink_and_paper
from app.imaging.drawing import DEFAULT_LIMITS, DrawingLimits

MAX_BYTES = 256 * 1024 * 1024  # of activations

# The weak reference lets a network go that the library no longer uses; its forward passes are evicted in their turn.
_Key = tuple[ref[Network], PoolingMode | None, bool, bytes]


class ForwardPasses:
    """Runs networks on drawings, with an LRU cache of the results.

    A forward pass is a function of its key alone: the network with its card, the pooling mode in effect, whether ink
    and paper are swapped, and the drawing's bytes. So users can share the cache: it affects timing only.
    Thread-safe; two threads that ask for the same pass at once may both run the network.
    """

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        limits: DrawingLimits = DEFAULT_LIMITS,
        observe: Callable[[float], None] | None = None,
    ) -> None:
        """Start with an empty cache.

        max_bytes: of activations. limits: how large a drawing may be. observe: called with the seconds that each
        forward pass took.
        """
        self.max_bytes = max_bytes
        self.limits = limits
        self.observe = observe
        self.size = 0  # in bytes
        self._cache: OrderedDict[_Key, ForwardPass] = OrderedDict()
        self._last_seconds: WeakKeyDictionary[Network, dict[PoolingMode | None, float]] = WeakKeyDictionary()
        self._lock = Lock()

    def run(
        self, network: Network, drawing: bytes, pooling: PoolingMode | None = None, invert: bool = False
    ) -> ForwardPass:
        """Run a network on a drawing, unless the result is cached.

        pooling: None is as trained. invert: swap ink and paper before the network.
        Raises: InvalidDrawing, ImageTooSmall.
        """
        mode = _mode_in_effect(network, pooling)
        key = (ref(network), mode, invert, blake2b(drawing, digest_size=16).digest())
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        image = preprocess(drawing, network.card, self.limits)
        start, cpu_start = perf_counter(), thread_time()
        forward = network.run(swap_ink_and_paper(image, network.card) if invert else image, pooling)
        if self.observe is not None:
            self.observe(perf_counter() - start)
        with self._lock:
            self._last_seconds.setdefault(network, {})[mode] = thread_time() - cpu_start
        self._put(key, forward)
        return forward

    def last_seconds(self, network: Network, pooling: PoolingMode | None) -> float | None:
        """Return the processor time in seconds of a network's last forward pass in this mode; None before the first."""
        with self._lock:
            return self._last_seconds.get(network, {}).get(_mode_in_effect(network, pooling))

    def _put(self, key: _Key, forward: ForwardPass) -> None:
        with self._lock:
            if key in self._cache:
                return
            self._cache[key] = forward
            self.size += forward.nbytes
            while self.size > self.max_bytes:
                _, evicted = self._cache.popitem(last=False)
                self.size -= evicted.nbytes


def _mode_in_effect(network: Network, pooling: PoolingMode | None) -> PoolingMode | None:
    return (pooling or network.card.pooling) if network.pools else None
