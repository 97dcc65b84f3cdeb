"""A model in memory, ready to run in every pooling mode."""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np

from .card import Card
from .cost import Cost, Reduction, estimate, output_shapes
from .definition import ModelDefinition, last_activation
from .edits import Edits
from .errors import NeedsKeras, UnsupportedLayer
from .kinds import Layer
from .kinds.inputs import InputLayer
from .novelty import NoveltyDetector
from .receptive_field import map_extent, receptive_field_size
from .types import Array, PoolingMode, Weights

_log = logging.getLogger(__name__)

T = TypeVar("T")

_NOTHING: Mapping[str, Array] = MappingProxyType({})
_MOST_EXTENTS = 1024  # kept: a network of any size has others for each size of image


class UnknownLayer(LookupError):
    """A network has no layer of this name."""

    def __init__(self, name: str, network: "Network") -> None:
        names = ", ".join(layer.name for layer in network.layers)
        super().__init__(f"The model “{network.name}” has no layer “{name}”. It has: {names}.")


@dataclass(frozen=True)
class ForwardPass:
    """Everything that a network made of one image."""

    image: Array  # (height, width, channels)
    pooling: PoolingMode | None  # the mode it ran in; None without pooling, or where the layers' own modes differ
    activations: dict[str, Array]  # by layer name, in the order of the layers; without the batch
    # Gives the pages back that reading the activations has mapped into this process; they are mapped again when needed.
    give_back: Callable[[], None] | None = None
    reduction: Reduction | None = None  # where the image was made smaller for the network's sake
    # Left, top, right and bottom of each digit in the picture that was sent, if it holds several: the image shows one.
    regions: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def output(self) -> Array:
        """The last layer's activation."""
        return next(reversed(self.activations.values()))

    @property
    def nbytes(self) -> int:
        """The memory of the image and all activations, in bytes."""
        return self.image.nbytes + sum(activation.nbytes for activation in self.activations.values())

    def release_pages(self) -> None:
        """Give back what reading the activations has mapped into this process, if they are mapped."""
        if self.give_back is not None:
            self.give_back()


class Network:
    """A model in memory. Safe to share between threads: running it changes nothing."""

    def __init__(
        self,
        name: str,
        definition: ModelDefinition,
        card: Card,
        file_size: int | None = None,
        engine: "Engine | None" = None,
    ) -> None:
        """Make it ready to run as trained; what the other pooling modes need is made when they are asked for.

        file_size: in bytes, where the model was read from a file. engine: what runs it; by default the fastest one that
        knows every layer, in this process.
        """
        self.name = name
        # Tells what the network was not trained on, where the library finds such a detector beside its file.
        self.detector: NoveltyDetector | None = None
        self.card = card
        self.file_size = file_size
        self._definition = definition
        self._drawn = card.input or definition.input_name
        self.layers = definition.draw_into(self._drawn)
        # The inputs beside the image.
        self.held_inputs = tuple(layer for layer in self.layers if isinstance(layer, InputLayer))
        self._views: dict[str, Network] = {}  # of the same network, by the input that is drawn into
        # Height and width of what one cell of each layer sees of the image; None: all of it, whatever its size.
        self.receptive_fields = {
            layer.name: receptive_field_size(self.layers, card.input_shape, layer.name) for layer in self.layers
        }
        self._find_extent = lru_cache(_MOST_EXTENTS)(partial(map_extent, self.layers))
        self._weights, self._own_pooling = definition.weights, definition.pooling
        self.engine = make_engine(definition) if engine is None else engine
        self._find_cost = lru_cache(_MOST_EXTENTS)(self._estimate)

    def with_card(self, card: Card) -> "Network":
        """Return the same network under another card, sharing everything else."""
        if card.input != self.card.input:
            return Network(self.name, self._definition, card, self.file_size, self.engine)
        other = copy.copy(self)
        other.card, other._views = card, {}
        return other

    def drawing_into(self, name: str | None) -> "Network":
        """Return the same network with this input as the one that is drawn into. None: its card's.

        Raises: UnknownInput.
        """
        card = self.card if name is None else self.card.drawing_into(name)
        if name is None or card is self.card:
            return self
        if name not in self._views:
            self._views.setdefault(name, self.with_card(card))
        return self._views[name]

    @property
    def is_edited(self) -> bool:
        """It is no longer the model that was trained: what its card says of its accuracy is not true of it."""
        return self._definition.is_edited

    @property
    def pools(self) -> bool:
        """It has a pooling layer, so that the pooling mode matters."""
        return any(layer.is_pooling for layer in self.layers)

    def mode_in_effect(self, pooling: PoolingMode | None) -> PoolingMode | None:
        """Return the mode in which a run pools. pooling: that was asked for; None is as trained.

        None without pooling, or where the layers' own modes differ.
        """
        return (pooling or self.card.pooling) if self.pools else None

    @property
    def runs_apart(self) -> bool:
        """It runs in a process of its own, since it did not come with Layerglass."""
        return self.engine.is_apart

    @property
    def answers_with_picture(self) -> bool:
        """Its last layer's output is itself a picture: there are no classes."""
        return self.layers[-1].is_picture

    @property
    def lowest_answer(self) -> float:
        """What is black in the picture that it answers with: -1 where tanh made it, as in most generators, else 0."""
        return -1 if last_activation(self.layers) == "tanh" else 0

    @property
    def feature_map_layers(self) -> tuple[Layer, ...]:
        """The convolution and pooling layers whose output has height and width."""
        return tuple(layer for layer in self.layers if layer.is_spatial and (layer.is_convolution or layer.is_pooling))

    def layer(self, name: str) -> Layer:
        """Return the layer of this name. Raises: UnknownLayer."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise UnknownLayer(name, self)

    def extent(self, layer: Layer, image: Array, activation: Array) -> tuple[float, float, float, float] | None:
        """Return the place of a layer's maps over the image: top, left, bottom, right in its pixels.

        None where they do not depend on it.
        """
        if activation.ndim != 3:  # no picture of the image
            return 0.0, 0.0, float(image.shape[0]), float(image.shape[1])
        return self._find_extent(image.shape, activation.shape, layer.name)

    def weights(self, layer: Layer) -> Weights:
        """Return a layer's weights under Keras' names: kernel, bias, gamma, ... Empty for a layer without."""
        return self._weights.get(layer.name, {})

    def inputs(self, layer: Layer, forward: ForwardPass) -> tuple[Array, ...]:
        """Return what a layer read in a forward pass: the outputs of the layers before it, or the image."""
        return tuple(forward.image if name is None else forward.activations[name] for name in layer.sources)

    def input_channels(self, layer: Layer) -> int:
        """Return the number of channels that a layer reads."""
        source = layer.sources[0]
        shape = self.card.input_shape if source is None else self.layer(source).output_shape
        return shape[-1] or 0

    def run(
        self, image: Array, pooling: PoolingMode | None = None, held: Mapping[str, Array] = _NOTHING
    ) -> ForwardPass:
        """Run once, and keep every layer's output.

        image: (height, width, channels) in the card's shape and value range. pooling: None is as trained; in a
        network without pooling it changes nothing. held: the values of other inputs; zeros for those left out.
        Raises: WrongImageSize, where the network takes any size but not this one; RunFailed.
        """
        mode = self.mode_in_effect(pooling)
        first, others = self._order_inputs(image, held)
        outputs = self.engine.run(first, None if mode is self._own_pooling else mode, others)
        made = {layer.name: output for layer, output in zip(self._definition.layers, outputs, strict=True)}
        activations = {layer.name: made.get(layer.name, first) for layer in self.layers} if others else made
        return ForwardPass(image, mode, activations, self.engine.give_back)

    def answer(self, image: Array, pooling: PoolingMode | None = None, held: Mapping[str, Array] = _NOTHING) -> Array:
        """Run once, and return the last layer's output alone, which takes less time. Takes and raises what run does."""
        mode = self.mode_in_effect(pooling)
        first, others = self._order_inputs(image, held)
        return self.engine.answer(first, None if mode is self._own_pooling else mode, others)

    def _order_inputs(self, image: Array, held: Mapping[str, Array]) -> tuple[Array, list[Array]]:
        """Return what the engine takes as the image, and what as the other inputs."""
        values = {self._drawn: image, **self._fill(image, held)}
        others = [values[layer.name] for layer in self._definition.held_inputs] if len(values) > 1 else []
        return values[self._definition.input_name] if others else image, others

    def edited(self, edits: Edits) -> "Network":
        """Return the same network with these edits made in it, beside those that were made before.

        Raises: InvalidEdit.
        """
        definition = self._definition.edited(edits)
        return Network(self.name, definition, self.card, self.file_size, self.engine.edited(edits))

    @property
    def definition(self) -> ModelDefinition:
        """Its layers and weights, as they are where the file's own first input is drawn into."""
        return self._definition

    def shuffling(self, seed: int) -> "Network":
        """Return the same network with the numbers of each of its weights in a random order: it has learnt nothing."""
        definition = self._definition.shuffling(seed)
        return Network(self.name, definition, self.card, self.file_size, self.engine.shuffling(seed))

    def _fill(self, image: Array, held: Mapping[str, Array]) -> dict[str, Array]:
        """Return the values of all inputs but the image."""
        return {
            layer.name: held[layer.name] if layer.name in held else np.zeros(layer.known_sizes(image.shape), np.float32)
            for layer in self.held_inputs
        }

    def cost(self, image: tuple[int, ...], pooling: PoolingMode | None = None) -> Cost:
        """Return what a forward pass takes for an image of this shape. Raises: WrongImageSize."""
        return self._find_cost(image, pooling or self.card.pooling)

    def _estimate(self, image: tuple[int, ...], pooling: PoolingMode | None) -> Cost:
        try:
            shapes = output_shapes(self.layers, image)
        except NeedsKeras:
            names = (layer.name for layer in self.layers)
            shapes = dict(zip(names, self.engine.output_shapes(image), strict=True))
        return estimate(self.layers, shapes, image, pooling)


class Engine(Protocol):
    """Runs a network. Safe to share between threads."""

    is_apart: bool  # it runs the network in a process of its own
    give_back: Callable[[], None] | None  # see ForwardPass

    def run(self, image: Array, mode: PoolingMode | None, held: Sequence[Array] = ()) -> list[Array]:
        """Return every layer's output, without the batch, copied. mode: None is as trained.

        held: the values of the other inputs, in the order in which the layers have them.
        Raises: WrongImageSize, RunFailed.
        """

    def answer(self, image: Array, mode: PoolingMode | None, held: Sequence[Array] = ()) -> Array:
        """Return the last layer's output, without the batch, copied. Takes and raises what run does."""

    def output_shapes(self, image: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the shape of every layer's output for an image of this shape, without the batch.

        Raises: WrongImageSize, RunFailed.
        """

    def edited(self, edits: Edits) -> "Engine":
        """Return an engine of the same network with these edits made in it. Raises: InvalidEdit."""

    def shuffling(self, seed: int) -> "Engine":
        """Return an engine of the same network with the numbers of each of its weights in a random order."""

    @property
    def nbytes(self) -> int:
        """The memory that it holds, in bytes."""

    def __hash__(self) -> int:
        """Engines are the same where they are one."""

    def close(self) -> None:
        """Give back what can be given back. It may still run; then it takes it again."""


class LocalEngine(Engine, Protocol):
    """Runs a network in this process."""

    def use(
        self,
        image: Array,
        mode: PoolingMode | None,
        receive: Callable[[list[Array]], T],
        held: Sequence[Array] = (),
    ) -> T:
        """Run, and return what receive makes of every layer's output, which it may read until it returns."""


def make_engine(definition: ModelDefinition) -> LocalEngine:
    """Make the fastest engine that knows every layer, ready to run the network as trained."""
    try:
        from .litert.engine import LiteEngine  # here, because not every machine has LiteRT

        return LiteEngine(definition)
    except (ImportError, UnsupportedLayer) as reason:
        _log.info("TensorFlow runs a network, because LiteRT does not: %s.", reason)
    from .tensorflow import TensorFlowEngine  # here, because it starts TensorFlow

    return TensorFlowEngine(definition)
