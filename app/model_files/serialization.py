"""An opened model as bytes, to hand from one process to another: what the file said, checked, and no HDF5."""

import io
import json
import re
from typing import Any

import numpy as np

from app.model_files.config.settings import checked_settings
from app.model_files.config.vocabulary import LAYERS
from app.model_files.errors import ModelError
from app.model_files.layers import take_apart
from app.model_files.limits import LAYERS as MOST
from app.model_files.loading import LoadedModel
from app.model_files.plan import Plan, Step
from app.model_files.weights import Array, fitted

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.>-]*")
_BENT = "The process that opened the file gave no model back. Save the model again."


def pack(opened: LoadedModel) -> bytes:
    """A zip of arrays: the plan as JSON, and each layer's weights under its position and their number."""
    plan = opened.plan
    steps = [[step.name, step.kind, step.settings, step.inputs] for step in plan.steps]
    told = {
        "shape": plan.shape,
        "input": plan.input_name,
        "steps": steps,
        "output": plan.output,
        "mends": opened.mends,
        "keras_version": opened.keras_version,
    }
    arrays: dict[str, Any] = {
        f"{position}/{number}": array
        for position, step in enumerate(plan.steps)
        for number, array in enumerate(opened.parts.weights[step.name].values())
    }
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, plan=np.frombuffer(json.dumps(told).encode(), np.uint8), **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> LoadedModel:
    """The model, built anew. Who packed it may have been taken over by the file, so all is checked again.

    Raises: ModelError.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            told = json.loads(arrays["plan"].tobytes())
            plan = _plan(told, arrays)
        mends = tuple(str(mend) for mend in told["mends"])
        version = told["keras_version"]
    # Given malformed bytes, NumPy and zipfile raise tokenize.TokenError, zlib.error, NotImplementedError and more.
    except Exception as error:
        raise ModelError(_BENT) from error
    apart = take_apart(plan)
    weights = {step.name: fitted(step.name, step.fixed, apart.variables[step.name]) for step in plan.steps}
    return LoadedModel(plan, apart.with_weights(weights), mends, version if isinstance(version, str) else None)


def _plan(told: Any, arrays: Any) -> Plan:
    known = {_name(told["input"])}
    steps: list[Step] = []
    for name, kind, settings, inputs in told["steps"][: MOST + 1]:
        if kind not in LAYERS or name in known or not inputs or not known.issuperset(inputs):
            raise ValueError(name)
        known.add(_name(name))
        values = tuple(_values(arrays, len(steps)))
        steps.append(Step(name, kind, checked_settings(kind, name, settings), tuple(inputs), (), values))
    if told["output"] not in known:
        raise ValueError(told["output"])
    height, width, channels = (None if size is None else int(size) for size in told["shape"])
    return Plan((height, width, int(channels or 0)), told["input"], tuple(steps), told["output"], {}, ())


def _name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(name)
    return name


def _values(arrays: Any, position: int) -> list[Array]:
    values: list[Array] = []
    while (key := f"{position}/{len(values)}") in arrays:
        values.append(np.asarray(arrays[key], dtype=np.float32))
    return values
