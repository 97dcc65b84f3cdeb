"""Minimum pooling as Keras layers, and any model with its pooling swapped."""

from typing import Any

import keras
from keras import layers

from app.cnn.kinds import KINDS
from app.cnn.kinds.pooling import MaxPooling2D, Pooling
from app.cnn.pooling import PoolingMode, shared_mode


def _minimum_of(maximum: type[layers.Layer], name: str) -> type[layers.Layer]:
    """Make a minimum pooling, which Keras lacks: -max_pool(-x), exact for every window, stride and padding.

    Padding never wins: max pooling pads with minus infinity, which is plus infinity here.
    """

    def call(self: Any, inputs: Any) -> Any:
        return -maximum.call(self, -inputs)

    made = type(name, (maximum,), {"call": call, "__doc__": "The minimum of each window."})
    return keras.saving.register_keras_serializable(package="layerglass")(made)


_MINIMUMS = {
    name: _minimum_of(getattr(layers, kind.in_mode(PoolingMode.MAX).__name__), name)
    for name, kind in KINDS.items()
    if issubclass(kind, Pooling) and kind.mode is PoolingMode.MIN
}


def layer_class(kind: str) -> type[layers.Layer]:
    """Return the class of this name: Keras' own, or a minimum pooling. Raises: AttributeError."""
    found: type[layers.Layer] = _MINIMUMS.get(kind) or getattr(layers, kind)
    return found


def window_pooling(mode: PoolingMode) -> type[layers.Layer]:
    """Return the class of layers that pool windows in this mode."""
    return layer_class(MaxPooling2D.in_mode(mode).__name__)


def trained_pooling(model: keras.Model) -> PoolingMode | None:
    """Return the mode that all pooling layers of the model share; None where there is none, or where they differ."""
    kinds = (_pooling_kind(layer) for layer in model.layers)
    return shared_mode(kind.mode for kind in kinds if kind is not None)


def with_pooling(model: keras.Model, mode: PoolingMode) -> keras.Model:
    """Return the model with every pooling layer's mode swapped: same weights, window, strides, padding and names."""

    def swap(layer: layers.Layer) -> layers.Layer:
        kind = _pooling_kind(layer)
        made = type(layer) if kind is None else layer_class(kind.in_mode(mode).__name__)
        return made.from_config(layer.get_config())

    swapped = keras.models.clone_model(model, clone_function=swap)
    swapped.set_weights(model.get_weights())
    for layer in swapped.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()  # it computes with copies of its weights
    return swapped


def _pooling_kind(layer: layers.Layer) -> type[Pooling] | None:
    kind = KINDS.get(type(layer).__name__)
    return kind if kind is not None and issubclass(kind, Pooling) else None
