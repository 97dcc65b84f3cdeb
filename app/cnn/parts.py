"""What a network is made of, whatever runs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.cnn.layers import Layer
from app.cnn.pooling import PoolingMode, shared_mode

if TYPE_CHECKING:
    import keras

Array = NDArray[np.float32]
ImageShape = tuple[int | None, int | None, int]  # height, width and channels; None where any size goes
Weights = Mapping[str, Array]  # of a layer, under Keras' names: kernel, bias, gamma, ...


@dataclass(frozen=True)
class Parts:
    """A model taken apart: enough to run it without Keras, and what builds it in Keras where that is needed."""

    input_shape: ImageShape
    layers: tuple[Layer, ...]  # all but the input, in the order in which the data flows
    weights: Mapping[str, Weights]  # by layer
    in_keras: "Callable[[], keras.Model]"  # starts TensorFlow, which takes seconds

    @property
    def pooling(self) -> PoolingMode | None:
        """The mode that all pooling layers share; None where there is none, or where they differ."""
        return shared_mode(layer.pooling for layer in self.layers)
