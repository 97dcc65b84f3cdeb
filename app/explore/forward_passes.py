"""The service that runs networks. It remembers the last forward passes: another view of a drawing costs no new one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from threading import Lock
from time import perf_counter, thread_time
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Card, Fit, Ink
from ..cnn.cost import DEFAULT_LIMITS as DEFAULT_RUN_LIMITS
from ..cnn.cost import Cost, Reduction, RunLimits, TooCostly
from ..cnn.errors import WrongImageSize
from ..cnn.network import ForwardPass, Network
from ..cnn.preprocessing import colour_channels, to_levels, to_values
from ..cnn.types import Array, PoolingMode
from ..imaging.drawing import DEFAULT_LIMITS, Box, DrawingLimits, decode
from ..imaging.ink import normalise, read_digit, read_ink
from ..imaging.resize import MIN_FREE_SIDE, ResizeMode, choose_size, pad, resize, shrink
from ..library.kept import Kept
from .held import NOTHING, Held, check_names, digest, fill_inputs, make_vector

# Of one network only so many large passes are remembered: memory that was used before is given out much faster.
_LARGE_BYTES, _MOST_LARGE = 4 * 2**20, 4
_OWN_BYTES = 64 * 2**20  # of passes in this process's own memory
_LEAST_SIDE = 8  # pixels of an image that was made smaller
_Choose = Callable[[tuple[int, ...]], int]
# The weak reference lets a network go that the library no longer uses; its forward passes are evicted in their turn.
_Key = tuple[ref[Network], PoolingMode | None, bool, Box | None, bytes, bytes]


class ForwardPasses:
    """Runs networks on drawings, with an LRU cache of the results.

    A forward pass is a function of its key alone: the network with its card, the pooling mode in effect, whether ink
    and paper are swapped, the region of the drawing's picture, the drawing's bytes, and what the other inputs hold. So
    users can share the cache: it affects timing only.
    Thread-safe; two threads that ask for the same pass at once may both run the network.
    """

    def __init__(
        self,
        kept: Kept | None = None,
        limits: DrawingLimits = DEFAULT_LIMITS,
        run_limits: RunLimits = DEFAULT_RUN_LIMITS,
        observe: Callable[[float], None] | None = None,
    ) -> None:
        """Start with an empty cache.

        kept: decides which forward passes are remembered. limits: how large a drawing may be. run_limits: what one
        forward pass may take. observe: called with the seconds that each forward pass took.
        """
        self.limits = limits
        self.run_limits = run_limits
        self.observe = observe
        self._kept = kept or Kept()
        # Those that are in this process's own memory, and not in memory that it shares with another.
        self._own = Kept(min(self._kept.max_bytes, _OWN_BYTES))
        self._cache: dict[_Key, ForwardPass] = {}
        # The images of passes that are still somewhere, by all that they depend on.
        self._images: dict[tuple[Any, ...], tuple[Callable[[], Array | None], tuple[Box, ...], Reduction | None]] = {}
        self._last_seconds: WeakKeyDictionary[Network, dict[PoolingMode | None, float]] = WeakKeyDictionary()
        self._lock = Lock()

    def run(
        self,
        network: Network,
        drawing: bytes | None,
        pooling: PoolingMode | None = None,
        invert: bool = False,
        region: Box | None = None,
        held: Held = NOTHING,
    ) -> ForwardPass:
        """Run a network on a drawing, unless the result is cached.

        drawing: None is an empty sheet of paper; of no matter for a network that starts from a vector. pooling: None is
        as trained. invert: swap ink and paper before the network. region: the part of the drawing's picture to run it
        on; None is all of it. held: what the inputs hold that are not drawn into, where that is not what the card says.
        Raises: InvalidDrawing, UnknownInput, WrongImageSize, TooCostly, RunFailed.
        """
        check_names(network, held)
        mode = network.mode_in_effect(pooling)
        key = (ref(network), mode, invert, region, _digest(drawing), digest(held))
        with self._lock:
            remembered = self._cache.get(key)
        if remembered is not None:
            self._kept.touch(key)
            self._own.touch(key)
            return remembered
        (image, regions), reduction = self._prepare_once(key, network, drawing, mode, region, held)
        if invert:
            image = swap_ink_and_paper(image, network.card)
        others = fill_inputs(network, held, image, self._prepare_held)
        start, cpu_start = perf_counter(), thread_time()
        forward = network.run(image, pooling, others)
        if self.observe is not None:
            self.observe(perf_counter() - start)
        with self._lock:
            self._last_seconds.setdefault(network, {})[mode] = thread_time() - cpu_start
        self._kept.weigh(network.engine, network.engine.nbytes)
        if reduction or regions:
            forward = replace(forward, reduction=reduction, regions=regions)
        return self._remember(key, network, forward)

    def _prepare_once(
        self,
        key: _Key,
        network: Network,
        drawing: bytes | None,
        mode: PoolingMode | None,
        region: Box | None,
        held: Held,
    ) -> tuple["NetworkInput", Reduction | None]:
        """Do what _prepare does, unless a pass in another mode still has the same image."""
        same = (key[0], *key[3:])  # in any mode, before ink and paper change places
        with self._lock:
            image_of, regions, reduction = self._images.get(same, (lambda: None, (), None))
        image = image_of()
        if image is not None:
            if not reduction:
                choose_reduction(network, image.shape, mode, self.run_limits)  # only to refuse it in this mode
            return NetworkInput(image, regions), reduction
        found, reduction = self._prepare(network, drawing, mode, region, held)
        with self._lock:
            self._images[same] = ref(found.image, lambda _: self._images.pop(same, None)), found.regions, reduction
        return found, reduction

    def _prepare(
        self, network: Network, drawing: bytes | None, mode: PoolingMode | None, region: Box | None, held: Held
    ) -> tuple["NetworkInput", Reduction | None]:
        """Return the network's input, and how it was made smaller if that was needed for the network to run it."""
        found: list[Reduction] = []

        def choose_factor(image: tuple[int, ...]) -> int:
            reduction = choose_reduction(network, image, mode, self.run_limits)
            found.extend([reduction] if reduction else [])
            return reduction.factor if reduction else 1

        if network.card.takes_numbers:
            vector = make_vector(network, held)
            choose_factor(vector.shape)  # only to refuse it
            return NetworkInput(vector), None
        return make_input(drawing, network.card, self.limits, choose_factor, region), next(iter(found), None)

    def _prepare_held(self, picture: bytes, card: Card) -> Array:
        return preprocess(picture, card, self.limits)

    def last_seconds(self, network: Network, pooling: PoolingMode | None) -> float | None:
        """Return the processor time in seconds of a network's last forward pass in this mode; None before the first."""
        with self._lock:
            return self._last_seconds.get(network, {}).get(network.mode_in_effect(pooling))

    def _remember(self, key: _Key, network: Network, forward: ForwardPass) -> ForwardPass:
        with self._lock:
            self._cache[key] = forward
            others = [each for each in self._cache if each[0] == key[0]] if forward.nbytes > _LARGE_BYTES else []
        for oldest in others[:-_MOST_LARGE]:
            self._forget(oldest)
        forget = partial(self._forget, key)
        self._kept.put(key, forward.nbytes, forget, beside=network.engine)
        if not (network.runs_apart and forward.nbytes > _LARGE_BYTES):
            self._own.put(key, forward.nbytes, forget)
        return forward

    def _forget(self, key: _Key) -> None:
        with self._lock:
            self._cache.pop(key, None)
        self._kept.forget(key)
        self._own.forget(key)


def _digest(drawing: bytes | None) -> bytes:
    return b"" if drawing is None else blake2b(drawing, digest_size=16).digest()


def choose_reduction(
    network: Network, image: tuple[int, ...], mode: PoolingMode | None, limits: RunLimits
) -> Reduction | None:
    """Return how much smaller an image of this shape has to be made, so that running it keeps within the limits.

    None where it is small enough. An image of any size is made so small that every pooling mode can run it, so that all
    of them see the same one. Raises: WrongImageSize, TooCostly where the network takes no other size.
    """
    if network.card.input_shape[:2] != (None, None):
        cost = network.cost(image, mode)
        if not limits.allow(cost):
            raise TooCostly(network.name, image, cost, limits, "Bring a smaller model")
        return None
    cost = _highest_cost(network, image)
    if limits.allow(cost):
        return None
    height, width, channels = image
    for factor in range(2, min(height, width) // _LEAST_SIDE + 1):
        with suppress(WrongImageSize):
            if limits.allow(_highest_cost(network, (-(-height // factor), -(-width // factor), channels))):
                return Reduction(height, width, factor, cost, limits)
    raise TooCostly(network.name, image, cost, limits, "Send a smaller drawing")


def _highest_cost(network: Network, image: tuple[int, ...]) -> Cost:
    """Return for each part of the cost the most that it is in any pooling mode."""
    modes = (None, *PoolingMode) if network.pools else (None,)
    return Cost(*map(max, zip(*(network.cost(image, mode) for mode in modes), strict=True)))


class NetworkInput(NamedTuple):
    """What a network is given."""

    image: Array  # (height, width, channels)
    regions: tuple[Box, ...] = ()  # of the picture: one for each digit, if there are several; the image shows one


def preprocess(
    drawing: bytes | None, card: Card, limits: DrawingLimits = DEFAULT_LIMITS, region: Box | None = None
) -> Array:
    """Turn a drawing into a network's input as make_input does: (height, width, channels) float32."""
    return make_input(drawing, card, limits, region=region).image


def make_input(
    drawing: bytes | None,
    card: Card,
    limits: DrawingLimits = DEFAULT_LIMITS,
    choose_factor: _Choose = lambda image: 1,
    region: Box | None = None,
) -> NetworkInput:
    """Turn a drawing into a network's input: (height, width, channels) float32, by its card's fit, range and channels.

    A side that the input leaves free is at least 32 pixels long, and at most 1,024 where ink is found at its own size,
    512 otherwise. A network that sees one digit is given the leftmost of several.

    drawing: None is an empty sheet of paper. limits: how large it may be. choose_factor: is told the input's shape,
    before it is made, and returns by how much both sides are divided. region: the part of the drawing's picture that is
    read; None is all of it.
    Raises: app.imaging.drawing.InvalidDrawing.
    """
    height, width, channels = card.input_shape
    if height and width:
        choose_factor((height, width, channels))  # only to refuse it, before the drawing is read
    found = find_levels(drawing, card, limits, choose_factor, region)
    return NetworkInput(to_seen(found.levels, card), found.regions)


class FoundLevels(NamedTuple):
    """A drawing fitted into its card's picture."""

    levels: NDArray[Any]  # upright, (height, width, channels), from 0 (black) to 255 (white)
    regions: tuple[Box, ...] = ()  # see NetworkInput


def find_levels(
    drawing: bytes | None,
    card: Card,
    limits: DrawingLimits = DEFAULT_LIMITS,
    choose_factor: _Choose = lambda image: 1,
    region: Box | None = None,
) -> FoundLevels:
    """Fit a drawing into its card's picture.

    drawing, limits, choose_factor, region: as for make_input. Raises: app.imaging.drawing.InvalidDrawing.
    """
    if drawing is None:
        height, width, _ = card.picture_shape
        return FoundLevels(paint(np.zeros((height or MIN_FREE_SIDE, width or MIN_FREE_SIDE), dtype=np.float32), card))

    def choose(shape: tuple[int, ...]) -> int:
        return choose_factor(_orient(shape, card))

    if not card.finds_ink:
        return FoundLevels(_picture_levels(drawing, card, limits, choose, region))
    if card.fit is not Fit.DIGIT:
        return FoundLevels(_ink_levels(drawing, card, limits, choose, region))
    height, width, _ = card.picture_shape
    ink, boxes = read_digit(drawing, limits, region)
    digit = normalise(ink, (height or 28, width or 28)).astype(np.float32)
    return FoundLevels(paint(digit, card), boxes)


def to_seen(levels: NDArray[Any], card: Card) -> Array:
    """Turn a picture's levels, upright, into what the network sees: its values, transposed where the card says so."""
    return to_values(levels.swapaxes(0, 1) if card.transposed else levels, card)


def _orient(shape: tuple[int, ...], card: Card) -> tuple[int, ...]:
    """Return the shape of the network's input for a picture of this height, width and channels."""
    return (shape[1], shape[0], *shape[2:]) if card.transposed else shape


def swap_ink_and_paper(image: Array, card: Card) -> Array:
    """Invert an input, (height, width, channels), within its card's value range. Alpha stays as it is."""
    colours = colour_channels(image.shape[2])
    levels = to_levels(image, card)
    levels[..., :colours] = 255 - levels[..., :colours]
    return to_values(levels, card)


def _ink_levels(
    drawing: bytes, card: Card, limits: DrawingLimits, choose_factor: _Choose, region: Box | None
) -> NDArray[np.float32]:
    """Find the drawing's ink and paint it in grey at its own size: (height, width, channels), 0 to 255."""
    ink = read_ink(drawing, limits, region)
    grey = pad(np.asarray(ink, dtype=np.float32), MIN_FREE_SIDE, paper=0)
    return paint(shrink(grey, choose_factor((*grey.shape, card.input_shape[2]))), card)


def paint(grey: NDArray[np.float32], card: Card) -> NDArray[np.float32]:
    """Paint ink, (height, width) from 0 to 255, in the card's grey: (height, width, channels), 0 to 255."""
    channels = card.input_shape[2]
    grey = grey if card.ink is Ink.BRIGHT else 255 - grey
    levels = np.full((*grey.shape, channels), 255, dtype=np.float32)
    levels[..., : colour_channels(channels)] = grey[..., np.newaxis]
    return levels


def _picture_levels(
    drawing: bytes, card: Card, limits: DrawingLimits, choose_factor: _Choose, region: Box | None
) -> NDArray[np.uint8]:
    """Fit the picture to the input's size: (height, width, channels), 0 to 255."""
    height, width, channels = card.picture_shape
    picture = decode(drawing, limits, region)
    # An input of any size takes the picture's own, so there is nothing to fit.
    placing = ResizeMode.FIT if card.fit in {Fit.ORIGINAL, Fit.DIGIT} else ResizeMode(card.fit)
    rows, columns = choose_size(picture, height, width)
    factor = 1 if height and width else choose_factor((rows, columns, channels))
    levels = resize(picture, (-(-rows // factor), -(-columns // factor)), placing, channels)
    if card.ink is Ink.DARK:
        return levels
    colours = colour_channels(channels)
    return np.concatenate([255 - levels[..., :colours], levels[..., colours:]], axis=2)
