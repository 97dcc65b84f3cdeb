"""A card for a model that came without one: what can be told from its layers, and nothing more."""

from typing import Any

import keras
import numpy as np

from app.cnn.card import Card, Fit
from app.cnn.layers import computing_layers
from app.cnn.pooling import trained_pooling

_BYTES = (0.0, 255.0)
_SHARES = (0.0, 1.0)


def guess_card(model: keras.Model, name: str) -> Card:
    """What the model's own layers tell of it.

    model: one image in, as app.opening.reader opens it. The classes are numbers, for a lone logistic neuron 0 and 1,
    and none where the answer is a picture. Raises: IndexError, for a model without layers.
    """
    shape = model.input_shape[1:]  # (height, width, channels)
    value_range = guess_value_range(model)
    return Card(
        title=name,
        description=(
            "This model came without a card. What stands here was told from its layers: its classes are only counted, "
            f"and its input is taken to run from {value_range[0]:g} (paper) to {value_range[1]:g} (ink)."
        ),
        trained_on="Unknown: it came without a card.",
        training="Unknown: it came without a card.",
        classes=guess_classes(model),
        input_shape=shape,
        value_range=value_range,
        # A model of a fixed size cannot take a drawing at its own.
        fit=Fit.ORIGINAL if None in shape else Fit.DIGIT,
        pooling=trained_pooling(model),
        parameters=model.count_params(),
        test_accuracy=None,
    )


def guess_classes(model: keras.Model) -> list[str]:
    """A number for each output."""
    shape = model.output_shape[1:]
    if len(shape) == 3:
        return []
    outputs = int(np.prod([size or 1 for size in shape]))
    return [str(number) for number in range(max(outputs, 2))]


def guess_value_range(model: keras.Model) -> tuple[float, float]:
    """What paper and the strongest ink are, as the first layers tell: 0 to 1 unless they scale a picture of bytes."""
    for layer in computing_layers(model):
        if isinstance(layer, keras.layers.Rescaling):
            return _BYTES if _largest(layer.scale) < 1 / 16 else _SHARES
        if isinstance(layer, keras.layers.Normalization):
            return _BYTES if _largest(layer.mean) > 1.5 else _SHARES
        if not isinstance(layer, _BEFORE_SCALING):
            break
    return _SHARES


_BEFORE_SCALING = (keras.layers.Reshape, keras.layers.Resizing, keras.layers.CenterCrop, keras.layers.ZeroPadding2D)


def _largest(value: Any) -> float:
    return float(np.max(np.abs(keras.ops.convert_to_numpy(value))))
