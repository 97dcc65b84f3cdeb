"""A card for a model that came without one: what can be told from its layers, and nothing more."""

import math
from typing import Any

import numpy as np

from app.cnn.answer import is_logistic, last_activation
from app.cnn.card import Answer, Card, Fit, Ink
from app.cnn.parts import Parts
from app.model_files.loading import LoadedModel
from app.model_files.plan import Step

DIGIT_SIDE = 40  # pixels: a larger grey input is no lone digit's

_BYTES = (0.0, 255.0)
_SHARES = (0.0, 1.0)


def infer_card(opened: LoadedModel, name: str) -> Card:
    """What the model's own layers tell of it.

    The classes are numbers, for a lone logistic neuron 0 and 1, and none where the answer is a picture.
    """
    parts = opened.parts
    value_range = guess_value_range(opened)
    fit, answer = guess_fit(parts.input_shape), guess_answer(parts)
    return Card(
        title=name,
        description=(
            "This model came without a card. What stands here was told from its layers: its outputs are only counted, "
            f"and its input is taken to run from {value_range[0]:g} to {value_range[1]:g}."
        ),
        trained_on="Unknown: it came without a card.",
        training="Unknown: it came without a card.",
        classes=guess_classes(parts, answer),
        input_shape=parts.input_shape,
        value_range=value_range,
        fit=fit,
        ink=Ink.BRIGHT if fit in {Fit.DIGIT, Fit.ORIGINAL} else Ink.DARK,
        answer=answer,
        pooling=parts.pooling,
        parameters=sum(layer.parameters for layer in parts.layers),
        test_accuracy=None,
    )


def guess_fit(shape: tuple[int | None, int | None, int]) -> Fit:
    """A small grey square is a digit's, as MNIST's; a grey image of any size is a drawing's; all else is a picture."""
    height, width, channels = shape
    if channels == 1 and height is None and width is None:
        return Fit.ORIGINAL
    is_small_square = height == width and height is not None and height <= DIGIT_SIDE
    return Fit.DIGIT if channels == 1 and is_small_square else Fit.FIT


def guess_answer(parts: Parts) -> Answer:
    """What the outputs are, as the last activation function tells: scores without one, a lone one a plain value."""
    activation = last_activation(parts.layers)
    if activation == "softmax" or is_logistic(activation):
        return Answer.PROBABILITIES
    is_picture, outputs = parts.layers[-1].is_spatial, _outputs(parts)
    has_scores = activation in {None, "linear", "log_softmax"} and outputs > 1 and not is_picture
    return Answer.LOGITS if has_scores else Answer.VALUES


def guess_classes(parts: Parts, answer: Answer) -> list[str]:
    """A number for each output; for a lone probability, one for each of the two classes that it tells apart."""
    if parts.layers[-1].is_spatial:
        return []
    outputs = _outputs(parts)
    if outputs == 1 and answer is Answer.VALUES:
        return ["value"]
    return [str(number) for number in range(outputs if answer is Answer.VALUES else max(outputs, 2))]


def _outputs(parts: Parts) -> int:
    return math.prod(size or 1 for size in parts.layers[-1].output_shape)


def guess_value_range(opened: LoadedModel) -> tuple[float, float]:
    """What paper and the strongest ink are, as the first layers tell: 0 to 1 unless they scale a picture of bytes."""
    for step in opened.plan.steps:
        if step.kind == "Rescaling":
            scale, offset = step.settings["scale"], step.settings.get("offset", 0.0)
            return _BYTES if _largest(scale) < 1 / 16 or _largest(offset) > 16 else _SHARES
        if step.kind == "Normalization":
            mean = step.settings.get("mean", opened.parts.weights[step.name].get("mean"))
            return _BYTES if _largest(mean) > 1.5 else _SHARES
        if step.kind not in _BEFORE_SCALING and not _changes_channels(step):
            break
    return _SHARES


_BEFORE_SCALING = ("Reshape", "Resizing", "CenterCrop", "ZeroPadding2D")


def _changes_channels(step: Step) -> bool:
    """It was made to change the channels' order."""
    return bool(step.fixed) and not step.origin


def _largest(value: Any) -> float:
    return float(np.max(np.abs(value)))
