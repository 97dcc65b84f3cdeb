"""The pooling layers that Keras lacks, and any model with its pooling swapped."""

from typing import Any

import keras
from keras import layers, ops

from app.cnn.kinds import KINDS
from app.cnn.kinds.pooling import MaxPooling2D, Pooling
from app.cnn.types import PoolingMode, shared_mode

_register = keras.saving.register_keras_serializable(package="layerglass")


@_register
class AdaptiveMaxPooling2D(layers.AdaptiveMaxPooling2D):
    """Keras 3.15's own ends the process where it makes one column: TensorFlow divides by zero."""

    def call(self, inputs: Any) -> Any:
        """Pool rows, then columns: (1, height, width, channels) to (1, *output_size, channels)."""
        for axis, count in enumerate(self.output_size, start=1):
            size, before = ops.shape(inputs)[axis], (slice(None),) * axis
            windows = [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
            inputs = ops.concatenate([ops.max(inputs[*before, each], axis, keepdims=True) for each in windows], axis)
        return inputs


def _minimum_of(maximum: type[layers.Layer], name: str) -> type[layers.Layer]:
    """Make a minimum pooling, which Keras lacks: -max_pool(-x), exact for every window, stride and padding.

    Padding never wins: max pooling pads with minus infinity, which is plus infinity here.
    """

    def call(self: Any, inputs: Any) -> Any:
        return -maximum.call(self, -inputs)

    made = type(name, (maximum,), {"call": call, "__doc__": "The minimum of each window."})
    return _register(made)


def layer_class(kind: str) -> type[layers.Layer]:
    """Return the class of this name: ours where there is one, or Keras'. Raises: AttributeError."""
    found: type[layers.Layer] = _OWN.get(kind) or getattr(layers, kind)
    return found


_OWN: dict[str, type[layers.Layer]] = {AdaptiveMaxPooling2D.__name__: AdaptiveMaxPooling2D}
_OWN |= {
    name: _minimum_of(layer_class(kind.in_mode(PoolingMode.MAX).__name__), name)
    for name, kind in KINDS.items()
    if issubclass(kind, Pooling) and kind.mode is PoolingMode.MIN
}


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
