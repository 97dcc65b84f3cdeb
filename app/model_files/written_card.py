"""A card that a person wrote, perhaps in part, completed and held against the model that it is for."""

import json
from typing import Any

from pydantic import ValidationError

from app.cnn.card import Answer, Card
from app.model_files.errors import ModelError, shown

_COUNTED = ("input_shape", "parameters", "pooling")  # what the model itself says


def complete_card(told: Any, guessed: Card) -> Card:
    """The card as it was told, and for each field that is missing the guess's.

    told: what a card's JSON holds, which should be an object. guessed: the card that infer_card makes.
    Raises: ModelError, for a card that is no object, has unknown fields or values of the wrong kind, or contradicts
    itself or the model: one sentence.
    """
    if not isinstance(told, dict):
        raise ModelError(f"The card is {_kind(told)}, and should be a JSON object of fields: {_some_fields()}.")
    if unknown := [name for name in told if name not in Card.model_fields]:
        names = ", ".join(shown(name) for name in unknown[:5])
        raise ModelError(f"The card has fields that no card has: {names}; correct or remove them.")
    card = _validate({**_defaults(told, guessed), **told})
    for name in _COUNTED:
        if getattr(card, name) != getattr(guessed, name):
            says, has = _written(getattr(card, name)), _written(getattr(guessed, name))
            raise ModelError(
                f"The card says {name} {says}, and the model has {has}: correct it, or leave the field out."
            )
    _check_classes(card, guessed)
    return card


def _defaults(told: dict[str, Any], guessed: Card) -> dict[str, Any]:
    """The guess's fields, with as many classes as the answer that was told needs of a lone neuron."""
    fields = guessed.model_dump(mode="json")
    if len(guessed.classes) == 1 and told.get("answer", Answer.VALUES) != Answer.VALUES:
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
    """What is wrong with the first field that is wrong."""
    first = error.errors(include_url=False)[0]
    if "ctx" in first and isinstance(cause := first["ctx"].get("error"), ValueError):
        return f"The card contradicts itself: {cause}."
    path = ".".join(str(part) for part in first["loc"] if part != "[key]")
    message = first["msg"].removeprefix("Input ")
    if not path:
        return f"The card cannot be read: {message}."
    received = first["input"] if isinstance(first["input"], str) else _written(first["input"])
    return f"The card's field {shown(path)} {message}, and it is {shown(received)}: correct it, or leave it out."


def _check_classes(card: Card, guessed: Card) -> None:
    """Raises: ModelError, where the card names more or fewer classes than the model has."""
    expected = {len(guessed.classes)}
    if expected == {1} and card.answer is not Answer.VALUES:
        expected = {2}  # one neuron tells two classes apart
    elif expected == {2} and card.answer is Answer.VALUES:
        expected = {1, 2}  # the guess does not tell one neuron from two
    if len(card.classes) in expected:
        return
    if not guessed.classes:
        raise ModelError(
            f"The card names {len(card.classes):,} classes, and the model answers with a picture, which has none: "
            "write an empty list, or leave the field out."
        )
    raise ModelError(
        f"The card names {len(card.classes):,} classes, and the model answers with {max(expected):,}: "
        "name each of them in the outputs' order, or leave the field out."
    )


def _kind(told: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(told), "null")


def _some_fields() -> str:
    return ", ".join(list(Card.model_fields)[:6]) + " and others"


def _written(value: Any) -> str:
    return "null" if value is None else json.dumps(value)
