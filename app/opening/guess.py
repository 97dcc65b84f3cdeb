"""A card for a model that came without one: what can be told from its layers, and nothing more."""

from typing import Any

import keras
import numpy as np

from app.cnn.answer import is_logistic, last_activation
from app.cnn.card import Answer, Card, Fit, Ink
from app.cnn.layers import computing_layers, describe_layers
from app.cnn.pooling import trained_pooling

DIGIT_SIDE = 40  # pixels: a larger grey input is no lone digit's

_BYTES = (0.0, 255.0)
_SHARES = (0.0, 1.0)


def guess_card(model: keras.Model, name: str) -> Card:
    """What the model's own layers tell of it.

    model: one image in, as app.opening.reader opens it. The classes are numbers, for a lone logistic neuron 0 and 1,
    and none where the answer is a picture. Raises: IndexError, for a model without layers.
    """
    shape = model.input_shape[1:]  # (height, width, channels)
    value_range = guess_value_range(model)
    fit, answer = guess_fit(shape), guess_answer(model)
    return Card(
        title=name,
        description=(
            "This model came without a card. What stands here was told from its layers: its outputs are only counted, "
            f"and its input is taken to run from {value_range[0]:g} to {value_range[1]:g}."
        ),
        trained_on="Unknown: it came without a card.",
        training="Unknown: it came without a card.",
        classes=guess_classes(model, answer),
        input_shape=shape,
        value_range=value_range,
        fit=fit,
        ink=Ink.BRIGHT if fit in {Fit.DIGIT, Fit.ORIGINAL} else Ink.DARK,
        answer=answer,
        pooling=trained_pooling(model),
        parameters=model.count_params(),
        test_accuracy=None,
    )


def guess_fit(shape: tuple[int | None, int | None, int]) -> Fit:
    """A small grey square is a digit's, as MNIST's; a grey image of any size is a drawing's; all else is a picture."""
    height, width, channels = shape
    if channels == 1 and height is None and width is None:
        return Fit.ORIGINAL
    is_small_square = height == width and height is not None and height <= DIGIT_SIDE
    return Fit.DIGIT if channels == 1 and is_small_square else Fit.FIT


def guess_answer(model: keras.Model) -> Answer:
    """What the outputs are, as the last activation function tells: scores without one, a lone one a plain value."""
    activation = last_activation(describe_layers(model))
    if activation == "softmax" or is_logistic(activation):
        return Answer.PROBABILITIES
    is_picture, outputs = len(model.output_shape) == 4, _outputs(model)
    has_scores = activation in {None, "linear", "log_softmax"} and outputs > 1 and not is_picture
    return Answer.LOGITS if has_scores else Answer.VALUES


def guess_classes(model: keras.Model, answer: Answer) -> list[str]:
    """A number for each output; for a lone probability, one for each of the two classes that it tells apart."""
    if len(model.output_shape) == 4:
        return []
    outputs = _outputs(model)
    if outputs == 1 and answer is Answer.VALUES:
        return ["value"]
    return [str(number) for number in range(outputs if answer is Answer.VALUES else max(outputs, 2))]


def _outputs(model: keras.Model) -> int:
    return int(np.prod([size or 1 for size in model.output_shape[1:]]))


def guess_value_range(model: keras.Model) -> tuple[float, float]:
    """What paper and the strongest ink are, as the first layers tell: 0 to 1 unless they scale a picture of bytes."""
    for layer in computing_layers(model):
        if isinstance(layer, keras.layers.Rescaling):
            return _BYTES if _largest(layer.scale) < 1 / 16 or _largest(layer.offset) > 16 else _SHARES
        if isinstance(layer, keras.layers.Normalization):
            return _BYTES if _largest(layer.mean) > 1.5 else _SHARES
        if not isinstance(layer, _BEFORE_SCALING) and layer.trainable:  # fixed: it changes the channels' order
            break
    return _SHARES


_BEFORE_SCALING = (keras.layers.Reshape, keras.layers.Resizing, keras.layers.CenterCrop, keras.layers.ZeroPadding2D)


def _largest(value: Any) -> float:
    return float(np.max(np.abs(keras.ops.convert_to_numpy(value))))
