"""Minimum pooling as Keras layers, and any model with its pooling swapped."""

from typing import Any

import keras
from keras import layers, ops

from app.cnn.pooling import GLOBAL_POOLING, WINDOW_POOLING, PoolingMode, pooling_mode, shared_mode


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
    """The class of this name: Keras' own, or one of those here. Raises: AttributeError."""
    found: type[layers.Layer] = _OWN.get(kind) or getattr(layers, kind)
    return found


def trained_pooling(model: keras.Model) -> PoolingMode | None:
    """The mode that all pooling layers of the model share; None where there is none, or where they differ."""
    return shared_mode(pooling_mode(type(layer).__name__) for layer in model.layers)


def with_pooling(model: keras.Model, mode: PoolingMode) -> keras.Model:
    """The model with every pooling layer's mode swapped: same weights, window, strides, padding and names."""

    def swap(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config()
        if pooling_mode(type(layer).__name__) is None:
            return layer.__class__.from_config(config)
        family = WINDOW_POOLING if "pool_size" in config else GLOBAL_POOLING
        return layer_class(family[mode]).from_config(config)

    swapped = keras.models.clone_model(model, clone_function=swap)
    swapped.set_weights(model.get_weights())
    for layer in swapped.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()  # it computes with copies of its weights
    return swapped
