"""A trained model in parts: enough to run it without Keras, and to build it in Keras where that is needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import default_rng  # now: a worker can load nothing once it is confined

from .edits import Edits
from .edits.workpiece import Workpiece
from .kinds import Layer
from .kinds.inputs import InputLayer
from .types import ImageShape, PoolingMode, Weights, shared_mode

if TYPE_CHECKING:
    import keras

_COUNTED = 1024  # numbers of an array in a fingerprint


@dataclass(frozen=True)
class ModelDefinition:
    """The layers of a model, and what they learned."""

    input_shape: ImageShape  # of the image
    layers: tuple[Layer, ...]  # all but the image, in the order in which the data flows; other inputs are layers
    weights: Mapping[str, Weights]  # by layer
    # In Keras with these weights, which starts TensorFlow and takes seconds; None for a model that only another
    # process may build.
    build: "Callable[[Mapping[str, Weights]], keras.Model] | None"
    input_name: str = "input"  # of the image
    is_edited: bool = False  # it is no longer the model that was trained

    @property
    def held_inputs(self) -> tuple[InputLayer, ...]:
        """The inputs beside the image."""
        return tuple(layer for layer in self.layers if isinstance(layer, InputLayer))

    def draw_into(self, name: str) -> tuple[Layer, ...]:
        """Return the layers as they are where the image is given to this input, and its own input is held."""
        if name == self.input_name:
            return self.layers
        swapped = {None: self.input_name, name: None}
        others = (
            replace(layer, sources=tuple(swapped.get(source, source) for source in layer.sources))
            for layer in self.layers
            if layer.name != name
        )
        return (InputLayer.of(self.input_name, self.input_shape), *others)

    def edited(self, edits: Edits) -> "ModelDefinition":
        """Return the model with these edits made in it, beside those that were made before. Raises: InvalidEdit."""
        piece = Workpiece(self.layers, self.weights)
        edits.make(piece)
        return replace(self, layers=tuple(piece.layers.values()), weights=piece.weights, is_edited=True)

    def with_pooling(self, mode: PoolingMode | None) -> "ModelDefinition":
        """Return the model whose layers pool in this mode; None: each in its own."""
        return replace(self, layers=tuple(layer.with_pooling(mode) for layer in self.layers))

    @cached_property
    def fingerprint(self) -> str:
        """A name for these layers and weights: the first numbers of each array count, since others differ with them."""
        digest = sha256()
        for layer in self.layers:
            said = layer.kind, layer.name, layer.sources, layer.settings, layer.output_shape, dict(layer.variables)
            digest.update(repr(said).encode())
            for array in self.weights.get(layer.name, {}).values():
                digest.update(np.asarray(array.reshape(-1)[:_COUNTED], "<f4").tobytes())
        return digest.hexdigest()[:32]

    def shuffling(self, seed: int) -> "ModelDefinition":
        """Return the model with the numbers of each of its weights in a random order, always the same for a seed."""
        rng = default_rng(seed)
        shuffled = {
            layer: {name: rng.permutation(arrays[name].ravel()).reshape(arrays[name].shape) for name in sorted(arrays)}
            for layer, arrays in sorted(self.weights.items())
        }
        return replace(self, weights=shuffled)

    @property
    def pooling(self) -> PoolingMode | None:
        """The mode that all pooling layers share; None where there is none, or where they differ."""
        return shared_mode(layer.pooling for layer in self.layers)


def last_activation(layers: Sequence[Layer]) -> str | None:
    """Return the activation function that made a network's outputs; None where its last layer has none."""
    for layer in reversed(layers):
        if layer.last_function is not None or not layer.keeps_probabilities:
            return layer.last_function
    return None
