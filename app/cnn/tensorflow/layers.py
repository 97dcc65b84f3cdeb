"""The layers of a Keras model, described."""

from collections.abc import Iterator
from dataclasses import replace

import keras

from app.cnn.layers import Layer, describe
from app.cnn.pooling import pooling_mode


def describe_layers(model: keras.Model) -> tuple[Layer, ...]:
    """All layers but the input, in the order in which the data flows."""
    return tuple(_describe(layer) for layer in computing_layers(model))


def computing_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The Keras layers of a model that compute something, in the order in which the data flows."""
    return (layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer))


def _describe(layer: keras.layers.Layer) -> Layer:
    variables = {weight.name: tuple(weight.shape) for weight in layer.weights}
    shape, kind = tuple(layer.output.shape[1:]), type(layer).__name__
    described = describe(layer.name, kind, layer.get_config(), _inputs(layer), shape, variables)
    return replace(described, undescribed=(*_own(layer), *described.undescribed))


def _inputs(layer: keras.layers.Layer) -> tuple[str | None, ...]:
    parents = (node.operation for node in layer._inbound_nodes[-1].parent_nodes)
    return tuple(None if isinstance(parent, keras.layers.InputLayer) else parent.name for parent in parents)


def _own(layer: keras.layers.Layer) -> Iterator[str]:
    """What a description of Keras' own layers in 32-bit numbers leaves out."""
    kind = type(layer)
    if kind is not getattr(keras.layers, kind.__name__, None) and pooling_mode(kind.__name__) is None:
        yield "class"
    if layer.compute_dtype != "float32":
        yield "dtype"
