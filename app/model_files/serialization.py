"""A model on its way from the process that opened its file to the server: a scan result as JSON, the model as NPZ.

Whoever sends it may have been taken over by the file, so everything is checked a second time.
"""

import io
import json
import re
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..cnn.card import Card
from ..cnn.kinds import KINDS, Layer
from ..cnn.types import Array
from .errors import ModelError, printable
from .layers import define, infer_layers
from .limits import LAYERS
from .loading import LoadedModel
from .plan import Plan, Step, check_settings
from .weights import match_weights

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.>-]*")
_REASON_CHARACTERS = 2_000
_NO_MODEL = "The process that opened the file gave no model back. Save the model again."


@dataclass(frozen=True)
class ScanResult:
    """A model's file without its weights: enough to list it and to describe it."""

    card: Card  # that its layers tell of
    layers: tuple[Layer, ...]


def dump_scan_result(result: ScanResult | ModelError) -> dict[str, Any]:
    """Return plain JSON values: the result, or the sentence that refuses the file."""
    if isinstance(result, ModelError):
        return {"reason": str(result)}
    return {"card": result.card.model_dump(mode="json"), "layers": [_dump_layer(layer) for layer in result.layers]}


def parse_scan_result(dumped: Any) -> ScanResult | ModelError:
    """Return what was dumped, each value checked again. Raises: ValueError, for anything else."""
    try:
        if isinstance(reason := dumped.get("reason"), str):
            return ModelError(printable(reason[:_REASON_CHARACTERS]))
        card = Card.model_validate_json(json.dumps(dumped["card"]))
        return ScanResult(card, tuple(_parse_layer(each) for each in dumped["layers"]))
    except (AttributeError, KeyError, TypeError, RecursionError, ModelError) as error:
        raise ValueError("This is neither a scan result nor a refusal.") from error


def _dump_layer(layer: Layer) -> dict[str, Any]:
    return (
        {"kind": layer.kind}
        | {each.name: getattr(layer, each.name) for each in fields(layer)}
        | {"variables": dict(layer.variables)}
    )


def _parse_layer(dumped: dict[str, Any]) -> Layer:
    """Raises: KeyError, TypeError, ValueError, ModelError."""
    kind, name = KINDS[dumped["kind"]], _check_name(dumped["name"])
    settings = {key: dumped[key] for key in kind.checks() if key in dumped}
    return kind(
        name=name,
        sources=tuple(None if source is None else _check_name(source) for source in dumped["sources"]),
        output_shape=tuple(None if size is None else _check_size(size) for size in dumped["output_shape"]),
        variables={_check_name(key): tuple(map(_check_size, sizes)) for key, sizes in dumped["variables"].items()},
        **check_settings(kind, name, settings),
    )


def _check_name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(name)
    return name


def _check_size(size: Any) -> int:
    if not isinstance(size, int) or size < 0:
        raise ValueError(size)
    return size


def serialize(model: LoadedModel) -> bytes:
    """Return a zip of arrays: the plan as JSON, and each layer's weights under its position and their number."""
    plan = model.plan
    description = {
        "shape": plan.shape,
        "input": plan.input_name,
        "steps": [[step.name, step.kind.__name__, step.settings, step.inputs] for step in plan.steps],
        "output": plan.output,
        "mends": model.mends,
        "keras_version": model.keras_version,
    }
    arrays: dict[str, Any] = {
        f"{position}/{number}": array
        for position, step in enumerate(plan.steps)
        for number, array in enumerate(model.definition.weights[step.name].values())
    }
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, plan=np.frombuffer(json.dumps(description).encode(), np.uint8), **arrays)
    return buffer.getvalue()


def deserialize(data: bytes) -> LoadedModel:
    """Return the model, built anew. Raises: ModelError."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            description = json.loads(arrays["plan"].tobytes())
            plan = _parse_plan(description, arrays)
        mends = tuple(str(mend) for mend in description["mends"])
        version = description["keras_version"]
    # Given malformed bytes, NumPy and zipfile raise tokenize.TokenError, zlib.error, NotImplementedError and more.
    except Exception as error:
        raise ModelError(_NO_MODEL) from error
    layers = infer_layers(plan)
    steps = zip(plan.steps, layers, strict=True)
    weights = {step.name: match_weights(step.name, step.fixed, layer.variables) for step, layer in steps}
    return LoadedModel(plan, define(plan, layers, weights), mends, version if isinstance(version, str) else None)


def _parse_plan(description: Any, arrays: Any) -> Plan:
    known = {_check_name(description["input"])}
    steps: list[Step] = []
    for name, kind, settings, inputs in description["steps"][: LAYERS + 1]:
        if kind not in KINDS or name in known or not inputs or not known.issuperset(inputs):
            raise ValueError(name)
        known.add(_check_name(name))
        values, checked = tuple(_read_values(arrays, len(steps))), check_settings(KINDS[kind], name, settings)
        steps.append(Step(name, KINDS[kind], checked, tuple(inputs), (), values))
    if description["output"] not in known:
        raise ValueError(description["output"])
    height, width, channels = (None if size is None else int(size) for size in description["shape"])
    shape = (height, width, int(channels or 0))
    return Plan(shape, description["input"], tuple(steps), description["output"], {}, ())


def _read_values(arrays: Any, position: int) -> list[Array]:
    values: list[Array] = []
    while (key := f"{position}/{len(values)}") in arrays:
        values.append(np.asarray(arrays[key], dtype=np.float32))
    return values
