"""The three pooling modes, and any model with its pooling swapped."""

from enum import StrEnum
from typing import Any

import keras
from keras import layers, ops


class PoolingMode(StrEnum):
    """What a pooling layer keeps of each window."""

    MAX = "max"
    AVERAGE = "average"
    MIN = "min"


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


# The subclasses come first: an isinstance test for MaxPooling2D holds for MinPooling2D as well.
WINDOW_POOLING: dict[PoolingMode, type[layers.Layer]] = {
    PoolingMode.MIN: MinPooling2D,
    PoolingMode.MAX: layers.MaxPooling2D,
    PoolingMode.AVERAGE: layers.AveragePooling2D,
}
GLOBAL_POOLING: dict[PoolingMode, type[layers.Layer]] = {
    PoolingMode.MIN: GlobalMinPooling2D,
    PoolingMode.MAX: layers.GlobalMaxPooling2D,
    PoolingMode.AVERAGE: layers.GlobalAveragePooling2D,
}


def pooling_mode(layer: layers.Layer) -> PoolingMode | None:
    """The mode of a pooling layer; None for a layer that does not pool."""
    for family in (WINDOW_POOLING, GLOBAL_POOLING):
        for mode, kind in family.items():
            if isinstance(layer, kind):
                return mode
    return None


def trained_pooling(model: keras.Model) -> PoolingMode | None:
    """The mode that all pooling layers of the model share; None where there is none, or where they differ."""
    modes = {mode for layer in model.layers if (mode := pooling_mode(layer)) is not None}
    return modes.pop() if len(modes) == 1 else None


def with_pooling(model: keras.Model, mode: PoolingMode) -> keras.Model:
    """The model with every pooling layer's mode swapped: same weights, window, strides, padding and names."""

    def swap(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config()
        family = WINDOW_POOLING if "pool_size" in config else GLOBAL_POOLING
        kind = layer.__class__ if pooling_mode(layer) is None else family[mode]
        return kind.from_config(config)

    swapped = keras.models.clone_model(model, clone_function=swap)
    swapped.set_weights(model.get_weights())
    for layer in swapped.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()  # it computes with copies of its weights
    return swapped
