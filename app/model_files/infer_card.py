"""Cards of other people's models: inferred from their layers, or completed from what a person wrote."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from ..cnn.card import Answer, Card, Fit, Ink
from ..cnn.definition import ModelDefinition, last_activation
from ..cnn.errors import UnknownInput
from ..cnn.kinds.activation_functions import is_logistic
from .errors import ModelError, shown
from .labels import name_classes
from .limits import CLASSES
from .loading import LoadedModel
from .teachable_machine import is_its_model, take_pictures

MENDS = 200  # listed on a card, in every answer
DIGIT_SIDE = 40  # pixels: a larger grey input is no lone digit's


def infer_card(model: LoadedModel, name: str) -> Card:
    """Return the card that the model's own layers tell of, and the labels that came with it in a zip.

    Without labels the classes are numbers, for a lone logistic neuron 0 and 1, and none where the answer is a picture.
    """
    card = _infer(model, name)
    if is_its_model(model.plan.layers):
        card = take_pictures(card)
    return name_classes(card, model.labels)


def _infer(model: LoadedModel, name: str) -> Card:
    definition = model.definition
    value_range = infer_value_range(model)
    answer = infer_answer(definition)
    fit = Fit.NUMBERS if model.plan.takes_numbers else infer_fit(definition.input_shape)
    inputs = infer_inputs(model)
    return Card(
        title=name,
        description=(
            "This model came without a card. What nobody has said since was inferred from its layers: how a drawing "
            "becomes its input, and what its outputs mean."
        ),
        trained_on="Unknown: it came without a card.",
        training="Unknown: it came without a card.",
        classes=infer_classes(definition, answer),
        input_shape=definition.input_shape,
        value_range=value_range,
        fit=fit,
        ink=Ink.BRIGHT if fit in {Fit.DIGIT, Fit.ORIGINAL} else Ink.DARK,
        answer=answer,
        inputs=inputs,
        input=definition.input_name if inputs else None,
        pooling=definition.pooling,
        parameters=sum(layer.parameters for layer in definition.layers),
        test_accuracy=None,
        mends=_bounded(model.mends),
        keras_version=model.keras_version,
        lambdas=dict(model.lambdas),
    )


def _bounded(mends: Sequence[str]) -> list[str]:
    """Return the mends, the last of very many counted instead."""
    if len(mends) <= MENDS:
        return list(mends)
    return [*mends[: MENDS - 1], f"{len(mends) - MENDS + 1:,} more mends are not listed."]


def infer_inputs(model: LoadedModel) -> dict[str, list[int | None]]:
    """Return the shapes of the inputs; none for a model of one image."""
    definition, takes_numbers = model.definition, model.plan.takes_numbers
    if not takes_numbers and not definition.held_inputs:
        return {}
    first = [definition.input_shape[1]] if takes_numbers else list(definition.input_shape)
    return {definition.input_name: first} | {each.name: list(each.shape) for each in definition.held_inputs}


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
    is_picture, outputs = definition.layers[-1].is_picture, _outputs(definition)
    has_scores = activation in {None, "linear", "log_softmax"} and outputs > 1 and not is_picture
    return Answer.LOGITS if has_scores else Answer.VALUES


def infer_classes(definition: ModelDefinition, answer: Answer) -> list[str]:
    """Number the outputs; for a lone probability, the two classes that it tells apart. Raises: ModelError."""
    if definition.layers[-1].is_picture:
        return []
    outputs = _outputs(definition)
    if outputs > CLASSES:
        raise ModelError(
            f"The last layer, {shown(definition.layers[-1].name)}, gives {outputs:,} numbers; at most {CLASSES:,} are "
            "named as an answer."
        )
    if outputs == 1 and answer is Answer.VALUES:
        return ["value"]
    return [str(number) for number in range(outputs if answer is Answer.VALUES else max(outputs, 2))]


def _outputs(definition: ModelDefinition) -> int:
    """Return how many numbers an answer has; of rows, each of which is an answer, one row's."""
    return definition.layers[-1].output_shape[-1] or 1


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


_COUNTED = ("inputs", "input_shape", "parameters", "pooling")  # what the model itself says


def complete_card(written: Any, inferred: Card) -> Card:
    """Return the written card, with inferred values for the fields that it leaves out.

    written: what a card's JSON holds, which should be an object. inferred: the card that infer_card makes.
    Raises: ModelError, for a card that is no object, has unknown fields or values of the wrong kind, or contradicts
    itself or the model: one sentence.
    """
    if not isinstance(written, dict):
        raise ModelError(f"The card is {_kind(written)}, and should be a JSON object of fields: {_some_fields()}.")
    if unknown := [name for name in written if name not in Card.model_fields]:
        names = ", ".join(shown(name) for name in unknown[:5])
        raise ModelError(f"The card has fields that no card has: {names}; correct or remove them.")
    inferred = _drawing_into(written.get("input"), inferred)
    card = _validate({**_defaults(written, inferred), **written})
    if card.takes_numbers != inferred.takes_numbers:
        starts = "a vector, so that nothing is drawn" if inferred.takes_numbers else "an image"
        raise ModelError(f"The card says fit “{card.fit}”, and the model starts from {starts}: leave the field out.")
    for name in _COUNTED:
        if getattr(card, name) != getattr(inferred, name):
            says, has = _written(getattr(card, name)), _written(getattr(inferred, name))
            raise ModelError(
                f"The card says {name} {says}, and the model has {has}: correct it, or leave the field out."
            )
    _check_classes(card, inferred)
    return card


def _drawing_into(name: Any, inferred: Card) -> Card:
    """Return the inferred card as it is where this input is drawn into. Raises: ModelError."""
    if not isinstance(name, str) or name == inferred.input:
        return inferred
    try:
        return inferred.drawing_into(name)
    except UnknownInput as error:
        raise ModelError(f"The card's field “input” cannot be: {error}") from error


def _defaults(written: dict[str, Any], inferred: Card) -> dict[str, Any]:
    """Return the inferred fields, with as many classes as the written answer needs of a lone neuron."""
    fields = inferred.model_dump(mode="json")
    if len(inferred.classes) == 1 and written.get("answer", Answer.VALUES) != Answer.VALUES:
        fields["classes"] = ["0", "1"]
    return fields


def _validate(fields: dict[str, Any]) -> Card:
    try:
        return Card.model_validate_json(json.dumps(fields), strict=True)
    except ValidationError as error:
        raise ModelError(_sentence(error)) from error
    except (RecursionError, TypeError, ValueError) as error:
        raise ModelError("The card holds what JSON cannot: write each field as its description says.") from error


def _sentence(error: ValidationError) -> str:
    """Return a sentence about the first field that is wrong."""
    first = error.errors(include_url=False)[0]
    if "ctx" in first and isinstance(cause := first["ctx"].get("error"), ValueError):
        return f"The card contradicts itself: {cause}."
    path = ".".join(str(part) for part in first["loc"] if part != "[key]")
    message = first["msg"].removeprefix("Input ")
    if not path:
        return f"The card cannot be read: {message}."
    received = first["input"] if isinstance(first["input"], str) else _written(first["input"])
    return f"The card's field {shown(path)} {message}, and it is {shown(received)}: correct it, or leave it out."


def _check_classes(card: Card, inferred: Card) -> None:
    """Raises: ModelError, where the card names more or fewer classes than the model has."""
    expected = {len(inferred.classes)}
    if expected == {1} and card.answer is not Answer.VALUES:
        expected = {2}  # one neuron tells two classes apart
    elif expected == {2} and card.answer is Answer.VALUES:
        expected = {1, 2}  # the guess does not tell one neuron from two
    if len(card.classes) in expected:
        return
    if not inferred.classes:
        raise ModelError(
            f"The card names {len(card.classes):,} classes, and the model answers with a picture, which has none: "
            "write an empty list, or leave the field out."
        )
    raise ModelError(
        f"The card names {len(card.classes):,} classes, and the model answers with {max(expected):,}: "
        "name each of them in the outputs' order, or leave the field out."
    )


def _kind(written: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(written), "null")


def _some_fields() -> str:
    return ", ".join(list(Card.model_fields)[:6]) + " and others"


def _written(value: Any) -> str:
    return "null" if value is None else json.dumps(value)
