"""The service that runs networks. It remembers the last forward passes: another view of a drawing costs no new one."""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from threading import Lock
from time import perf_counter, thread_time
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Card, Fit, Ink
from ..cnn.network import ForwardPass, Network
from ..cnn.preprocessing import colour_channels, to_levels, to_values
from ..cnn.types import Array, PoolingMode
from ..imaging.drawing import DEFAULT_LIMITS, DrawingLimits, decode
from ..imaging.ink import normalise, read_ink
from ..imaging.resize import MIN_FREE_SIDE, ResizeMode, choose_size, pad, resize

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


def preprocess(drawing: bytes, card: Card, limits: DrawingLimits = DEFAULT_LIMITS) -> Array:
    """Turn a drawing into a network's input: (height, width, channels) float32, by its card's fit, range and channels.

    A side that the input leaves free is at least 32 pixels long, and at most 1,024 where ink is found at its own size,
    512 otherwise. limits: how large a drawing may be. Raises: app.imaging.drawing.InvalidDrawing.
    """
    find_levels = _ink_levels if card.finds_ink else _picture_levels
    return to_values(find_levels(drawing, card, limits), card)


def swap_ink_and_paper(image: Array, card: Card) -> Array:
    """Invert an input, (height, width, channels), within its card's value range. Alpha stays as it is."""
    colours = colour_channels(image.shape[2])
    levels = to_levels(image, card)
    levels[..., :colours] = 255 - levels[..., :colours]
    return to_values(levels, card)


def _ink_levels(drawing: bytes, card: Card, limits: DrawingLimits) -> NDArray[np.float32]:
    """Find the drawing's ink and paint it in grey: (height, width, channels), 0 to 255."""
    height, width, channels = card.input_shape
    ink = read_ink(drawing, limits)
    if card.fit is Fit.DIGIT:
        grey = normalise(ink, (height or 28, width or 28)).astype(np.float32)
    else:
        grey = pad(np.asarray(ink, dtype=np.float32), MIN_FREE_SIDE, paper=0)
    grey = grey if card.ink is Ink.BRIGHT else 255 - grey
    levels = np.full((*grey.shape, channels), 255, dtype=np.float32)
    levels[..., : colour_channels(channels)] = grey[..., np.newaxis]
    return levels


def _picture_levels(drawing: bytes, card: Card, limits: DrawingLimits) -> NDArray[np.uint8]:
    """Fit the picture to the input's size: (height, width, channels), 0 to 255."""
    height, width, channels = card.input_shape
    picture = decode(drawing, limits)
    # An input of any size takes the picture's own, so there is nothing to fit.
    placing = ResizeMode.FIT if card.fit in {Fit.ORIGINAL, Fit.DIGIT} else ResizeMode(card.fit)
    levels = resize(picture, choose_size(picture, height, width), placing, channels)
    if card.ink is Ink.DARK:
        return levels
    colours = colour_channels(channels)
    return np.concatenate([255 - levels[..., :colours], levels[..., colours:]], axis=2)
