"""Minimum pooling as Keras layers, and any model with its pooling swapped."""

from typing import Any

import keras
from keras import layers, ops

from app.cnn.kinds import KINDS
from app.cnn.kinds.pooling import MaxPooling2D as MaxPooling2DKind
from app.cnn.kinds.pooling import Pooling
from app.cnn.pooling import PoolingMode, shared_mode


@keras.saving.register_keras_serializable(package="layerglass")
class MinPooling2D(layers.MaxPooling2D):
    """The minimum of each window, which Keras lacks: -max_pool(-x), exact for every stride and padding.

    Padding never wins: max pooling pads with minus infinity, which is plus infinity here.
    """

    def call(self, inputs: Any) -> Any:
        return -super().call(-inputs)


@keras.saving.register_keras_serializable(package="layerglass")
class GlobalMinPooling2D(layers.GlobalMaxPooling2D):
    """The minimum of each whole feature map."""

    def call(self, inputs: Any) -> Any:
        return -super().call(ops.negative(inputs))


_OWN = {kind.__name__: kind for kind in (MinPooling2D, GlobalMinPooling2D)}


def layer_class(kind: str) -> type[layers.Layer]:
    """Return the class of this name: Keras' own, or one of those here. Raises: AttributeError."""
    found: type[layers.Layer] = _OWN.get(kind) or getattr(layers, kind)
    return found


def window_pooling(mode: PoolingMode) -> type[layers.Layer]:
    """Return the class of layers that pool windows in this mode."""
    return layer_class(MaxPooling2DKind.in_mode(mode).__name__)


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
