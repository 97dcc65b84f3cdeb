"""A card for a model that came without one, inferred from its layers, and nothing more."""

import math

from app.cnn.answer import is_logistic, last_activation
from app.cnn.card import Answer, Card, Fit, Ink
from app.cnn.definition import ModelDefinition
from app.model_files.loading import LoadedModel

DIGIT_SIDE = 40  # pixels: a larger grey input is no lone digit's


def infer_card(model: LoadedModel, name: str) -> Card:
    """Return the card that the model's own layers tell of.

    The classes are numbers, for a lone logistic neuron 0 and 1, and none where the answer is a picture.
    """
    definition = model.definition
    value_range = infer_value_range(model)
    fit, answer = infer_fit(definition.input_shape), infer_answer(definition)
    return Card(
        title=name,
        description=(
            "This model came without a card. What stands here was told from its layers: its outputs are only counted, "
            f"and its input is taken to run from {value_range[0]:g} to {value_range[1]:g}."
        ),
        trained_on="Unknown: it came without a card.",
        training="Unknown: it came without a card.",
        classes=infer_classes(definition, answer),
        input_shape=definition.input_shape,
        value_range=value_range,
        fit=fit,
        ink=Ink.BRIGHT if fit in {Fit.DIGIT, Fit.ORIGINAL} else Ink.DARK,
        answer=answer,
        pooling=definition.pooling,
        parameters=sum(layer.parameters for layer in definition.layers),
        test_accuracy=None,
        mends=list(model.mends),
        keras_version=model.keras_version,
    )


def infer_fit(shape: tuple[int | None, int | None, int]) -> Fit:
    """Take a small grey square for a digit's, a grey image of any size for a drawing's, all else for a picture."""
    height, width, channels = shape
    if channels == 1 and height is None and width is None:
        return Fit.ORIGINAL
    is_small_square = height == width and height is not None and height <= DIGIT_SIDE
    return Fit.DIGIT if channels == 1 and is_small_square else Fit.FIT


def infer_answer(definition: ModelDefinition) -> Answer:
    """Return what the outputs are, as the last activation function tells: logits without one, a lone one a value."""
    activation = last_activation(definition.layers)
    if activation == "softmax" or is_logistic(activation):
        return Answer.PROBABILITIES
    is_picture, outputs = definition.layers[-1].is_spatial, _outputs(definition)
    has_scores = activation in {None, "linear", "log_softmax"} and outputs > 1 and not is_picture
    return Answer.LOGITS if has_scores else Answer.VALUES


def infer_classes(definition: ModelDefinition, answer: Answer) -> list[str]:
    """Number the outputs; for a lone probability, the two classes that it tells apart."""
    if definition.layers[-1].is_spatial:
        return []
    outputs = _outputs(definition)
    if outputs == 1 and answer is Answer.VALUES:
        return ["value"]
    return [str(number) for number in range(outputs if answer is Answer.VALUES else max(outputs, 2))]


def _outputs(definition: ModelDefinition) -> int:
    return math.prod(size or 1 for size in definition.layers[-1].output_shape)


def infer_value_range(model: LoadedModel) -> tuple[float, float]:
    """Return what paper and the strongest ink are, as the first layers tell: 0 to 1 unless they scale bytes."""
    definition = model.definition
    for step, layer in zip(model.plan.steps, definition.layers, strict=True):
        if (found := layer.value_range(definition.weights[layer.name])) is not None:
            return found
        reorders_channels = bool(step.fixed) and not step.origin  # it was made to do so
        if not layer.keeps_values and not reorders_channels:
            break
    return 0.0, 1.0
