"""A model on its way from the process that opened its file to those that show and run it.

Whoever sends it may have been taken over by the file, so everything is checked a second time.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from mmap import mmap
from typing import Any

import numpy as np

from ..cnn.card import Card
from ..cnn.kinds import KINDS, Layer
from ..cnn.types import Array, Weights
from .errors import ModelError, UndeclaredLambdas, printable
from .layers import define, infer_layers
from .limits import LAYERS
from .loading import LoadedModel
from .plan import Plan, Step, check_settings
from .weights import match_weights

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.>-]*")
_REASON_CHARACTERS = 2_000
_NAME_CHARACTERS = 200
HEADER_BYTES = 16 * 2**20
_SIZE_BYTES = 8
_ALIGNMENT = 64  # bytes
_FLOAT = np.dtype("<f4")
# What reading malformed bytes raises.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
_NO_MODEL = "The process that opened the file gave no model back. Save the model again."


@dataclass(frozen=True)
class ScanResult:
    """A model's file without its weights: enough to list it and to describe it."""

    card: Card  # that its layers tell of
    layers: tuple[Layer, ...]


def dump_scan_result(result: ScanResult | ModelError) -> dict[str, Any]:
    """Return plain JSON values: the result, or the sentence that refuses the file."""
    if isinstance(result, ModelError):
        undeclared = {"lambdas": list(result.names)} if isinstance(result, UndeclaredLambdas) else {}
        return {"reason": str(result)} | undeclared
    return {"card": result.card.model_dump(mode="json"), "layers": [_dump_layer(layer) for layer in result.layers]}


def parse_scan_result(dumped: Any) -> ScanResult | ModelError:
    """Return what was dumped, each value checked again. Raises: ValueError, for anything else."""
    try:
        if isinstance(reason := dumped.get("reason"), str):
            return _parse_refusal(printable(reason[:_REASON_CHARACTERS]), dumped.get("lambdas"))
        card = Card.model_validate_json(json.dumps(dumped["card"]))
        layers = tuple(_parse_layer(each) for each in dumped["layers"])
        known: set[str | None] = {None}
        for layer in layers:
            if layer.name in known or bool(layer.sources) == layer.is_held or not known.issuperset(layer.sources):
                raise ValueError(layer.name)
            known.add(layer.name)
        return ScanResult(card, layers)
    except (AttributeError, KeyError, TypeError, RecursionError, ModelError) as error:
        raise ValueError("This is neither a scan result nor a refusal.") from error


def _parse_refusal(reason: str, undeclared: Any) -> ModelError:
    if undeclared is None:
        return ModelError(reason)
    if not isinstance(undeclared, list) or not 0 < len(undeclared) <= LAYERS:
        raise ValueError(undeclared)
    return UndeclaredLambdas(reason, (str(name)[:_NAME_CHARACTERS] for name in undeclared))


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


def serialize(model: LoadedModel) -> Iterator[bytes | memoryview]:
    """Yield the model in parts: the size of a header in 8 bytes, the header, and the weights, each at a multiple of 64.

    The header is the plan as JSON. The weights are float32 with the lowest byte first, in the order of the steps, so
    that they can be read where they lie, in a file that is mapped into memory.
    """
    plan = model.plan
    weights = [list(model.definition.weights[step.name].values()) for step in plan.steps]
    header = json.dumps(
        {
            "shape": plan.shape,
            "input": plan.input_name,
            "steps": [[step.name, step.kind.__name__, step.settings, step.inputs] for step in plan.steps],
            "output": plan.output,
            "takes_numbers": plan.takes_numbers,
            "mends": model.mends,
            "keras_version": model.keras_version,
            "weights": [[array.shape for array in arrays] for arrays in weights],
        }
    ).encode()
    yield len(header).to_bytes(_SIZE_BYTES, "little")
    yield header
    yield bytes(_padding(_SIZE_BYTES + len(header)))
    for array in (array for arrays in weights for array in arrays):
        yield np.ascontiguousarray(array, _FLOAT).data.cast("B") if array.size else b""
        yield bytes(_padding(array.nbytes))


def deserialize(data: bytes | mmap) -> LoadedModel:
    """Return the model, built anew; its weights lie in the data. Raises: ModelError."""
    header, weights = _read(data)
    try:
        plan = _parse_plan(header, weights)
        mends = tuple(str(mend) for mend in header["mends"])
        version = header["keras_version"]
    except _MALFORMED as error:
        raise ModelError(_NO_MODEL) from error
    layers = infer_layers(plan)
    steps = zip(plan.steps, layers, strict=True)
    matched = {step.name: match_weights(step.name, step.fixed, layer.variables) for step, layer in steps}
    return LoadedModel(plan, define(plan, layers, matched), mends, version if isinstance(version, str) else None)


def deserialize_weights(data: bytes | mmap, layers: Sequence[Layer]) -> dict[str, Weights]:
    """Return the weights of a model whose layers are known. They lie in the data, unread. Raises: ModelError."""
    _, weights = _read(data)
    if len(weights) != len(layers):
        raise ModelError(_NO_MODEL)
    return {
        layer.name: match_weights(layer.name, arrays, layer.variables)
        for layer, arrays in zip(layers, weights, strict=True)
    }


def _read(data: bytes | mmap) -> tuple[dict[str, Any], list[list[Array]]]:
    """Return the header, and the weights of each step. Raises: ModelError."""
    try:
        size = int.from_bytes(data[:_SIZE_BYTES], "little")
        if size > HEADER_BYTES:
            raise ValueError(size)
        header = json.loads(data[_SIZE_BYTES : _SIZE_BYTES + size])
        place = _SIZE_BYTES + size
        weights = []
        for shapes in header["weights"]:
            arrays = []
            for shape in shapes:
                place += _padding(place)
                count = math.prod(map(_check_size, shape))
                arrays.append(np.frombuffer(data, _FLOAT, count, place).reshape(shape) if count else _empty(shape))
                place += count * _FLOAT.itemsize
            weights.append(arrays)
    except _MALFORMED as error:
        raise ModelError(_NO_MODEL) from error
    return header, weights


def _empty(shape: Sequence[int]) -> Array:
    return np.empty(shape, np.float32)


def _padding(size: int) -> int:
    """Return how many bytes lie between what has this size, or ends there, and the next multiple of 64."""
    return -size % _ALIGNMENT


def _parse_plan(header: Any, weights: list[list[Array]]) -> Plan:
    known = {_check_name(header["input"])}
    steps: list[Step] = []
    for (name, kind, settings, inputs), arrays in zip(header["steps"][: LAYERS + 1], weights, strict=True):
        if kind not in KINDS or name in known or not known.issuperset(inputs):
            raise ValueError(name)
        if bool(inputs) == KINDS[kind].is_held:
            raise ValueError(name)
        known.add(_check_name(name))
        checked = check_settings(KINDS[kind], name, settings)
        steps.append(Step(name, KINDS[kind], checked, tuple(inputs), (), tuple(arrays)))
    if header["output"] not in known:
        raise ValueError(header["output"])
    height, width, channels = (None if size is None else int(size) for size in header["shape"])
    shape = (height, width, int(channels or 0))
    numbers = bool(header["takes_numbers"])
    return Plan(shape, header["input"], tuple(steps), header["output"], {}, (), takes_numbers=numbers)
