"""Functions of TensorFlow and Keras that a file may call: an allow-list of names, none of which is looked up."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_OPERATIONS_MODULE = re.compile(r"(?:keras|keras\.src|keras\.api)\.ops(?:\.(?:core|numpy|nn))?")

# As the layers TFOpLambda and SlicingOpLambda of Keras 2 write them.
_KERAS_2: Mapping[str, str] = MappingProxyType(
    {
        "__operators__.add": "add",
        "__operators__.getitem": "get item",
        "__operators__.mul": "multiply",
        "__operators__.sub": "subtract",
        "__operators__.truediv": "divide",
        "cast": "cast",
        "math.add": "add",
        "math.divide": "divide",
        "math.multiply": "multiply",
        "math.negative": "negative",
        "math.reduce_mean": "mean",
        "math.sigmoid": "sigmoid",
        "math.subtract": "subtract",
        "math.tanh": "tanh",
        "math.truediv": "divide",
        "nn.bias_add": "add",
        "nn.relu": "relu",
        "nn.relu6": "relu6",
        "nn.sigmoid": "sigmoid",
        "nn.silu": "silu",
        "nn.softmax": "softmax",
        "nn.swish": "silu",
        "nn.tanh": "tanh",
    }
)
# As the operations of Keras 3 are called. Add, Multiply and Subtract are layers too: the module tells them apart.
_KERAS_3: Mapping[str, str] = MappingProxyType(
    {
        "Add": "add",
        "Cast": "cast",
        "Divide": "divide",
        "Flip": "flip",
        "GetItem": "get item",
        "HardSigmoid": "hard_sigmoid",
        "HardSilu": "hard_silu",
        "Mean": "mean",
        "Multiply": "multiply",
        "Negative": "negative",
        "Relu": "relu",
        "Relu6": "relu6",
        "Sigmoid": "sigmoid",
        "Silu": "silu",
        "Softmax": "softmax",
        "Stack": "stack",
        "Subtract": "subtract",
        "Tanh": "tanh",
        "TrueDivide": "divide",
    }
)
_CALLERS = ("TFOpLambda", "SlicingOpLambda")


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Whether the entry is written as the call of a function, known or not."""
    return (
        entry.get("class_name") in _CALLERS
        or is_operations_module(entry.get("module"))
        or (entry.get("module") is None and _is_called_as_function(entry))
    )


def _is_called_as_function(entry: Mapping[str, Any]) -> bool:
    """Tell by what the .h5 files of Keras 3 leave out: every layer says whether it is trainable, no operation does."""
    name, config, nodes = entry.get("class_name"), entry.get("config"), entry.get("inbound_nodes")
    if not isinstance(name, str) or name not in _KERAS_3 or not isinstance(config, dict) or "trainable" in config:
        return False
    return isinstance(nodes, list) and any(isinstance(node, dict) for node in nodes)


def is_operations_module(module: Any) -> bool:
    return isinstance(module, str) and _OPERATIONS_MODULE.fullmatch(module) is not None


def written_name(entry: Mapping[str, Any]) -> Any:
    """Return the name that the file has for the function."""
    config = entry.get("config")
    if entry["class_name"] in _CALLERS:
        return config.get("function") if isinstance(config, dict) else None
    return entry["class_name"]


def function_of(entry: Mapping[str, Any]) -> str | None:
    """Return the function that an operation calls, in one word for all versions of Keras; None for an unknown one."""
    if not is_operation(entry):
        return None
    known = _KERAS_2 if entry["class_name"] in _CALLERS else _KERAS_3
    name = written_name(entry)
    return known.get(name) if isinstance(name, str) else None
