"""Functions of TensorFlow and Keras that a file may call, and the arguments of a call, as Keras 2 and 3 write them.

Names are compared with an allow-list; none is ever looked up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ...cnn.kinds.checks import UNITS, real, several
from ..errors import RESAVE, ModelError, shown
from .nodes import Config, Reference, history, name_of, reference

_OPERATIONS_MODULE = re.compile(r"(?:keras|keras\.src|keras\.api)\.ops(?:\.(?:core|image|math|numpy|nn))?")

# As the layers TFOpLambda and SlicingOpLambda of Keras 2 write them.
_KERAS_2: Mapping[str, str] = MappingProxyType(
    {
        "__operators__.add": "add",
        "__operators__.getitem": "get item",
        "__operators__.mul": "multiply",
        "__operators__.sub": "subtract",
        "__operators__.truediv": "divide",
        "cast": "cast",
        "clip_by_value": "clip",
        "compat.v1.nn.depth_to_space": "depth to space",
        "compat.v1.nn.space_to_depth": "space to depth",
        "compat.v1.pad": "pad",
        "compat.v1.squeeze": "squeeze",
        "compat.v1.transpose": "transpose",
        "concat": "concatenate",
        "expand_dims": "expand dims",
        "identity": "identity",
        "image.resize": "resize",
        "keras.backend.batch_flatten": "flatten",
        "math.abs": "absolute",
        "math.add": "add",
        "math.divide": "divide",
        "math.exp": "exp",
        "math.l2_normalize": "normalize",
        "math.log": "log",
        "math.maximum": "maximum",
        "math.minimum": "minimum",
        "math.multiply": "multiply",
        "math.negative": "negative",
        "math.pow": "power",
        "math.reciprocal": "reciprocal",
        "math.reduce_max": "max",
        "math.reduce_mean": "mean",
        "math.reduce_min": "min",
        "math.reduce_std": "std",
        "math.reduce_sum": "sum",
        "math.reduce_variance": "variance",
        "math.rsqrt": "rsqrt",
        "math.sigmoid": "sigmoid",
        "math.sqrt": "sqrt",
        "math.square": "square",
        "math.subtract": "subtract",
        "math.tanh": "tanh",
        "math.truediv": "divide",
        "nn.avg_pool2d": "average pool",
        "nn.bias_add": "add",
        "nn.depth_to_space": "depth to space",
        "nn.elu": "elu",
        "nn.gelu": "gelu",
        "nn.leaky_relu": "leaky_relu",
        "nn.max_pool2d": "max pool",
        "nn.relu": "relu",
        "nn.relu6": "relu6",
        "nn.selu": "selu",
        "nn.sigmoid": "sigmoid",
        "nn.silu": "silu",
        "nn.softmax": "softmax",
        "nn.softplus": "softplus",
        "nn.space_to_depth": "space to depth",
        "nn.swish": "silu",
        "nn.tanh": "tanh",
        "pad": "pad",
        "reshape": "reshape",
        "reverse": "flip",
        "slice": "slice",
        "squeeze": "squeeze",
        "stop_gradient": "identity",
        "transpose": "transpose",
    }
)
# As the operations of Keras 3 are called. Add, Multiply and Subtract are layers too: the module tells them apart.
_KERAS_3: Mapping[str, str] = MappingProxyType(
    {
        "Abs": "absolute",
        "Absolute": "absolute",
        "Add": "add",
        "AveragePool": "average pool",
        "Cast": "cast",
        "Clip": "clip",
        "Concatenate": "concatenate",
        "DepthToSpace": "depth to space",
        "Divide": "divide",
        "Elu": "elu",
        "Exp": "exp",
        "ExpandDims": "expand dims",
        "Flip": "flip",
        "Gelu": "gelu",
        "GetItem": "get item",
        "HardSigmoid": "hard_sigmoid",
        "HardSilu": "hard_silu",
        "LeakyRelu": "leaky_relu",
        "Log": "log",
        "Max": "max",
        "MaxPool": "max pool",
        "Maximum": "maximum",
        "Mean": "mean",
        "Min": "min",
        "Minimum": "minimum",
        "Multiply": "multiply",
        "Negative": "negative",
        "Normalize": "normalize",
        "Pad": "pad",
        "Power": "power",
        "Reciprocal": "reciprocal",
        "Relu": "relu",
        "Relu6": "relu6",
        "Reshape": "reshape",
        "Resize": "resize",
        "Rsqrt": "rsqrt",
        "Selu": "selu",
        "Sigmoid": "sigmoid",
        "Silu": "silu",
        "Slice": "slice",
        "Softmax": "softmax",
        "Softplus": "softplus",
        "SpaceToDepth": "space to depth",
        "Sqrt": "sqrt",
        "Square": "square",
        "Squeeze": "squeeze",
        "Stack": "stack",
        "Std": "std",
        "StopGradient": "identity",
        "Subtract": "subtract",
        "Sum": "sum",
        "Tanh": "tanh",
        "Transpose": "transpose",
        "TrueDivide": "divide",
        "Var": "variance",
    }
)
_CALLERS = ("TFOpLambda", "SlicingOpLambda")


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Return whether the entry is written as the call of a function, known or not."""
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


@dataclass(frozen=True)
class Constant:
    """A finite number, or one for each channel."""

    values: float | tuple[float, ...]


Operand = Reference | Constant

# The names that TensorFlow and Keras have for the first operand and for the second.
_FIRST = ("x", "x1", "value")
_SECOND = ("y", "x2", "bias")
_VALUES = frozenset({"__numpy__", "__tensor__"})


@dataclass(frozen=True)
class Arguments:
    """One call of an operation."""

    operands: tuple[Any, ...]  # in order, as they are written
    options: dict[str, Any]  # whatever else it was called with that is not off


def arguments_of(node: Any, entry: Config) -> Arguments:
    """Return the arguments of one call. Raises: ModelError, where it is not written as Keras writes one."""
    positional, named = _written(node, name_of(entry))
    named = {key: value for key, value in named.items() if key != "name"}
    first = [named.pop(key) for key in _FIRST if key in named]
    second = [named.pop(key) for key in _SECOND if key in named]
    options = {key: value for key, value in named.items() if value is not None and value is not False}
    return Arguments((*first, *positional, *second), options)


def _written(node: Any, name: str) -> tuple[list[Any], dict[str, Any]]:
    if isinstance(node, dict):  # Keras 3
        positional, named = node.get("args"), node.get("kwargs") or {}
    else:
        positional, named = _written_by_keras_2(node)
    if not isinstance(positional, list) or not isinstance(named, dict):
        raise ModelError(f"The operation {shown(name)} is not called as Keras calls one. {RESAVE}")
    return positional, named


def _written_by_keras_2(node: Any) -> tuple[Any, Any]:
    """Return the reference and the named arguments of a node.

    It is [layer, call, output, arguments] or ["_CONSTANT_VALUE", -1, number, arguments], alone or in a list; of a
    function that reads a list, one for each that it reads.
    """
    if isinstance(node, list) and len(node) == 1:
        node = node[0]
    if isinstance(node, list) and node and all(isinstance(each, list) and len(each) in {3, 4} for each in node):
        return [[each[:3] for each in node]], node[0][3] if len(node[0]) == 4 else {}
    if not isinstance(node, list) or len(node) not in {3, 4}:
        return None, None
    named = node[3] if len(node) == 4 else {}
    return [node[2] if node[0] == "_CONSTANT_VALUE" else node[:3]], named


def operand(value: Any, name: str) -> Operand:
    """Return an operand: another layer's output, or numbers. Raises: ModelError.

    name: the operation's, for the sentence.
    """
    if (found := as_reference(value)) is not None:
        return found
    if isinstance(value, dict) and value.get("class_name") in _VALUES:
        value = value["config"].get("value") if isinstance(value.get("config"), dict) else None
    while isinstance(value, list) and len(value) == 1:  # an axis of one, which repeats
        value = value[0]
    try:
        return Constant(several(real, most=UNITS)(value) if isinstance(value, list) and value else real(value))
    except (ValueError, OverflowError):
        raise ModelError(
            f"The operation {shown(name)} is called with {shown(value)}; expected the output of a layer, a number, or "
            "a number for each channel."
        ) from None


def as_reference(value: Any) -> Reference | None:
    """Return the output of a layer that a value names, if it names one. Raises: ModelError, for one that cannot be."""
    if (found := history(value)) is not None:
        return reference(found)
    return reference(value) if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) else None
