"""What was found in a model's file, without the model itself: enough to list it and to say what it is."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from app.cnn.card import Card
from app.cnn.layers import Layer
from app.model_files.errors import ModelError, printable

_LAYERS = TypeAdapter(tuple[Layer, ...])
_REASON_CHARACTERS = 2_000


@dataclass(frozen=True)
class ScanResult:
    """A file that opens: the card that its layers tell of, and its layers."""

    card: Card
    layers: tuple[Layer, ...]


def dump_scan_result(finding: ScanResult | ModelError) -> dict[str, Any]:
    """As plain JSON values: the finding, or the sentence that refuses the file."""
    if isinstance(finding, ModelError):
        return {"reason": str(finding)}
    return {"card": finding.card.model_dump(mode="json"), "layers": _LAYERS.dump_python(finding.layers, mode="json")}


def parse_scan_result(told: Any) -> ScanResult | ModelError:
    """What dump_scan_result wrote, each value checked again. Raises: ValueError, for anything else."""
    try:
        if isinstance(reason := told.get("reason"), str):
            return ModelError(printable(reason[:_REASON_CHARACTERS]))
        return ScanResult(Card.model_validate_json(json.dumps(told["card"])), _LAYERS.validate_python(told["layers"]))
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("This tells neither of a model nor why there is none.") from error
