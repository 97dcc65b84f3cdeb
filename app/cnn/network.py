"""A model in memory, ready to run in every pooling mode."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.cnn.card import Card
from app.cnn.layers import Layer, computing_layers, describe_layers
from app.cnn.pooling import PoolingMode, with_pooling
from app.cnn.receptive_field import receptive_field_size

Array = NDArray[np.float32]

_Forward = Callable[[tf.Tensor], list[tf.Tensor]]


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

    @property
    def output(self) -> Array:
        """The last layer's activation."""
        return next(reversed(self.activations.values()))


class Network:
    """A model in memory. Safe to share between threads: running it changes nothing."""

    def __init__(self, name: str, model: keras.Model, card: Card, file_size: int | None = None) -> None:
        """Prepare the model for every pooling mode, so that the first run costs what the others do.

        file_size: in bytes, where the model was read from a file.
        """
        self.name = name
        self.card = card
        self.file_size = file_size
        self.layers = describe_layers(model)
        # Height and width of what one cell of each layer sees of the image; None: all of it, whatever its size.
        self.receptive_fields = {
            layer.name: receptive_field_size(self.layers, card.input_shape, layer.name) for layer in self.layers
        }
        self._weights = {
            layer.name: {weight.name: weight.numpy() for weight in layer.weights} for layer in computing_layers(model)
        }
        self._forward: dict[PoolingMode | None, _Forward] = {None: _compile(model)}
        if any(layer.is_pooling for layer in self.layers):
            for mode in PoolingMode:
                as_trained = mode is card.pooling
                self._forward[mode] = self._forward[None] if as_trained else _compile(with_pooling(model, mode))

    def with_card(self, card: Card) -> "Network":
        """The same network under another card."""
        other = copy.copy(self)
        other.card = card
        return other

    @property
    def pools(self) -> bool:
        """It has a pooling layer, so that the pooling mode matters."""
        return len(self._forward) > 1

    @property
    def answers_with_picture(self) -> bool:
        """Its last layer's output is itself a picture: there are no classes."""
        return self.layers[-1].is_spatial

    @property
    def feature_map_layers(self) -> tuple[Layer, ...]:
        """The convolution and pooling layers whose output has height and width."""
        return tuple(layer for layer in self.layers if layer.is_spatial and (layer.is_convolution or layer.is_pooling))

    def layer(self, name: str) -> Layer:
        """The layer of this name. Raises: UnknownLayer."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise UnknownLayer(name, self)

    def weights(self, layer: Layer) -> dict[str, Array]:
        """A layer's weights under Keras' names: kernel, bias, gamma, ... Empty for a layer without."""
        return self._weights[layer.name]

    def inputs(self, layer: Layer, forward: ForwardPass) -> tuple[Array, ...]:
        """What a layer read in a forward pass: the outputs of the layers before it, or the image."""
        return tuple(forward.activations[name] for name in layer.inputs) or (forward.image,)

    def input_channels(self, layer: Layer) -> int:
        """How many channels a layer reads."""
        shape = self.layer(layer.inputs[0]).output_shape if layer.inputs else self.card.input_shape
        return shape[-1] or 0

    def run(self, image: Array, pooling: PoolingMode | None = None) -> ForwardPass:
        """Run once, and keep every layer's output.

        image: (height, width, channels) in the card's shape and value range. pooling: None is as trained; in a
        network without pooling it changes nothing.
        """
        mode = (pooling or self.card.pooling) if self.pools else None
        outputs = self._forward[mode](tf.constant(image[np.newaxis]))
        names = (layer.name for layer in self.layers)
        activations = {name: output.numpy()[0] for name, output in zip(names, outputs, strict=True)}
        return ForwardPass(image, mode, activations)


def _compile(model: keras.Model) -> _Forward:
    """One graph function from a batch of one image to all layers' outputs, traced and run once."""
    outputs = [layer.output for layer in computing_layers(model)]
    all_layers = keras.Model(model.inputs[0], outputs)
    shape = (1, *model.inputs[0].shape[1:])

    def forward(image: tf.Tensor) -> list[tf.Tensor]:
        made = all_layers(image, training=False)
        return list(made) if isinstance(made, list | tuple) else [made]

    run: _Forward = tf.function(forward, input_signature=[tf.TensorSpec(shape, tf.float32)]).get_concrete_function()
    run(tf.zeros([size or 32 for size in shape]))
    return run
