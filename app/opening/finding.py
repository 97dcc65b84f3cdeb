"""What was found in a model's file, without the model itself: enough to list it and to say what it is."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.cnn.card import Card
from app.cnn.layers import Layer
from app.opening.unusable import UnusableModel

_LAYERS = TypeAdapter(tuple[Layer, ...])


@dataclass(frozen=True)
class Finding:
    """A file that opens: the card that its layers tell of, and its layers."""

    card: Card
    layers: tuple[Layer, ...]


def write_finding(finding: Finding | UnusableModel) -> dict[str, Any]:
    """As plain JSON values: the finding, or the sentence that refuses the file."""
    if isinstance(finding, UnusableModel):
        return {"reason": str(finding)}
    return {"card": finding.card.model_dump(mode="json"), "layers": _LAYERS.dump_python(finding.layers, mode="json")}


def read_finding(told: Any) -> Finding:
    """The finding in what write_finding wrote, each value checked again. Raises: UnusableModel, if it is a refusal."""
    if isinstance(told, dict) and isinstance(told.get("reason"), str):
        raise UnusableModel(told["reason"])
    try:
        return Finding(Card.model_validate_json(json.dumps(told["card"])), _LAYERS.validate_python(told["layers"]))
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise UnusableModel("The process that opened the file gave no model back. Save the model again.") from error
