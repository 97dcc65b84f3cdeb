"""Layers as Keras itself describes them, to compare with those that the app works out."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import keras

from app.cnn.definition import ModelDefinition
from app.cnn.kinds import KINDS, Layer
from app.cnn.types import Weights


def computing_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Return the layers of a model that compute something, in the order in which the data flows."""
    return (layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer))


def describe_layers(model: keras.Model) -> tuple[Layer, ...]:
    """Return all layers but the input, with the settings, shapes and weights that Keras tells."""
    return tuple(_describe(layer) for layer in computing_layers(model))


def define(model: keras.Model) -> ModelDefinition:
    """Return a model in memory as the app has it of a file."""
    weights = {layer.name: {each.name: each.numpy() for each in layer.weights} for layer in computing_layers(model)}
    return ModelDefinition(model.inputs[0].shape[1:], describe_layers(model), weights, partial(_build, model, weights))


def _build(model: keras.Model, own: Mapping[str, Weights], weights: Mapping[str, Weights]) -> keras.Model:
    """Return the model itself, or a copy of it with other weights."""
    if all(weights[name] is arrays for name, arrays in own.items()):
        return model
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for name, arrays in weights.items():
        for variable in copy.get_layer(name).weights:
            variable.assign(arrays[variable.name])
    return copy


def _describe(layer: keras.layers.Layer) -> Layer:
    kind = KINDS[type(layer).__name__]
    parents = [node.operation for node in layer._inbound_nodes[-1].parent_nodes]
    return kind(
        name=layer.name,
        sources=tuple(None if isinstance(parent, keras.layers.InputLayer) else parent.name for parent in parents),
        output_shape=tuple(layer.output.shape[1:]),
        variables={weight.name: tuple(weight.shape) for weight in layer.weights},
        **_settings(kind, layer.get_config()),
    )


def _settings(kind: type[Layer], config: dict[str, Any]) -> dict[str, Any]:
    if isinstance(wrapped := config.get("layer"), dict):
        inner = _settings(KINDS[wrapped["class_name"]], wrapped["config"])
        config = {**config, "layer": {"class_name": wrapped["class_name"], "config": inner}}
    return {name: check(config[name]) for name, check in kind.checks().items() if name in config}
