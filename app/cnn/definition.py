"""A trained model in parts: enough to run it without Keras, and to build it in Keras where that is needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .kinds import Layer
from .types import ImageShape, PoolingMode, Weights, shared_mode

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ModelDefinition:
    """The layers of a model, and what they learned."""

    input_shape: ImageShape
    layers: tuple[Layer, ...]  # all but the input, in the order in which the data flows
    weights: Mapping[str, Weights]  # by layer
    # In Keras, which starts TensorFlow and takes seconds; None for a model that only another process may build.
    build: "Callable[[], keras.Model] | None"

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
