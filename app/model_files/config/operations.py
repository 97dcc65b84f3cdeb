"""Operations of a file, each call as the layers that compute the same.

tf.math.truediv(x, 127.5), in a model's graph as Keras 2 writes it, is a Rescaling; so is x / 127.5 in Keras 3.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ..errors import RESAVE, ModelError, shown
from .called_functions import (
    Arguments,
    Constant,
    Operand,
    arguments_of,
    as_reference,
    function_of,
    operand,
    written_name,
)
from .migrations import LayerConfig
from .nodes import Config, Reference, name_of


@dataclass(frozen=True)
class Operation:
    """One call of a function: what it reads, and the layers that compute it, one after the other."""

    name: str
    inputs: list[Reference]
    layers: tuple[LayerConfig, ...] = ()
    channels: tuple[int, ...] | None = None  # instead of layers: these channels in this order; (): all, reversed
    channel: int | None = None  # instead of layers: this channel alone, without its axis
    stacks: bool = False  # instead of layers: single channels put side by side


def parse_operations(entry: Config) -> list[Operation]:
    """Return every call of an operation. Raises: ModelError, for one that no layer computes."""
    function, nodes = function_of(entry), entry.get("inbound_nodes")
    if function is None or not isinstance(nodes, list):
        raise ModelError(f"The operation {shown(name_of(entry))} is in no graph. {RESAVE}")
    return [_FUNCTIONS[function](_Use(entry, function, arguments_of(node, entry))) for node in nodes]


def gather_channels(operations: Mapping[Reference, Operation]) -> dict[Reference, Operation]:
    """Turn x[..., 2], x[..., 1], x[..., 0] stacked again into x with its channels in this order.

    Raises: ModelError, for a stack of anything else.
    """
    return {key: _gather_stack(each, operations) if each.stacks else each for key, each in operations.items()}


def _gather_stack(stack: Operation, operations: Mapping[Reference, Operation]) -> Operation:
    parts = [operations.get(reference) for reference in stack.inputs]
    taken = [(part.inputs[0], part.channel) for part in parts if part is not None and part.channel is not None]
    if len(taken) != len(parts) or len({source for source, _ in taken}) != 1:
        raise ModelError(f"The operation {shown(stack.name)} stacks something other than channels of one image.")
    return replace(stack, inputs=[taken[0][0]], channels=tuple(channel for _, channel in taken), stacks=False)


@dataclass(frozen=True)
class _Use:
    """An operation that is called once."""

    entry: Config
    function: str
    arguments: Arguments

    @property
    def name(self) -> str:
        return name_of(self.entry)

    def option(self, key: str, default: Any = None) -> Any:
        """Return a setting, which Keras 2 writes into the call and Keras 3 into the operation's own config."""
        config = self.entry["config"]
        own = config.get(key, default) if isinstance(config, dict) else default
        return self.arguments.options.get(key, own)

    def only(self, *options: str) -> None:
        """Raise ModelError, where it was called with anything but these options."""
        if unknown := [key for key in self.arguments.options if key not in options]:
            raise self.refused(f"is called with {shown(unknown[0])}, which Layerglass does not know")

    def operands(self, count: int) -> tuple[Operand, ...]:
        if len(self.arguments.operands) != count:
            raise self.refused(f"is called with {len(self.arguments.operands)} values; expected {count}")
        return tuple(operand(value, self.name) for value in self.arguments.operands)

    def tensor(self, count: int = 1) -> Reference:
        """Return the one output that it reads, its first operand."""
        raw = self.arguments.operands
        found = as_reference(raw[0]) if len(raw) == count else None
        if found is None:
            raise self.refused("is called with something other than the output of a layer")
        return found

    def as_layers(self, inputs: list[Reference], *layers: tuple[str, Config]) -> Operation:
        kinds = " and ".join(kind for kind, _ in layers)
        note = f"The operation {written_name(self.entry)} is a layer {kinds} here."
        made = tuple(LayerConfig(kind, settings, notes=(note,)) for kind, settings in layers)
        return Operation(self.name, inputs, made)

    def refused(self, why: str) -> ModelError:
        return ModelError(f"The operation {shown(self.name)} ({written_name(self.entry)}) {why}.")


def _combine(use: _Use) -> Operation:
    """Arithmetic of two operands: of a tensor with numbers, or of two tensors."""
    use.only("data_format")
    if use.option("data_format") not in (None, "NHWC"):
        raise use.refused("computes with the channels first")
    first, second = use.operands(2)
    if isinstance(first, Constant):
        if isinstance(second, Constant):
            raise use.refused("reads numbers only, and no layer")
        return use.as_layers([second], ("Rescaling", _numbers_first(use, first.values)))
    if isinstance(second, Constant):
        return use.as_layers([first], ("Rescaling", _numbers_second(use, second.values)))
    if use.function not in _LAYERS:
        raise use.refused("divides one layer's output by another's, which no layer of Keras does")
    return use.as_layers([first, second], (_LAYERS[use.function], {}))


_LAYERS = {"add": "Add", "subtract": "Subtract", "multiply": "Multiply"}
_Values = float | tuple[float, ...]


def _numbers_first(use: _Use, values: _Values) -> Config:
    if use.function == "divide":
        raise use.refused("divides a number by a layer's output, which no layer of Keras does")
    return {"scale": -1.0, "offset": values} if use.function == "subtract" else _numbers_second(use, values)


def _numbers_second(use: _Use, values: _Values) -> Config:
    match use.function:
        case "add":
            return {"scale": 1.0, "offset": values}
        case "subtract":
            return {"scale": 1.0, "offset": _each(values, lambda value: -value)}
        case "multiply":
            return {"scale": values, "offset": 0.0}
    if not all(value and math.isfinite(1 / value) for value in ([values] if isinstance(values, float) else values)):
        raise use.refused("divides by zero")
    return {"scale": _each(values, lambda value: 1 / value), "offset": 0.0}


def _each(values: _Values, change: Callable[[float], float]) -> _Values:
    return change(values) if isinstance(values, float) else tuple(map(change, values))


def _negate(use: _Use) -> Operation:
    use.only()
    return use.as_layers([use.tensor()], ("Rescaling", {"scale": -1.0, "offset": 0.0}))


def _cast(use: _Use) -> Operation:
    """Everything is computed in 32-bit numbers here."""
    use.only("dtype")
    if (dtype := use.option("dtype")) not in ("float32", "float16", "bfloat16"):
        raise use.refused(f"turns its input into {shown(dtype)}; expected float32")
    return Operation(use.name, [use.tensor()])


def _activate(use: _Use) -> Operation:
    use.only("beta")
    if use.option("beta", 1.0) != 1:
        raise use.refused(f"is called with beta={shown(use.option('beta'))}; expected 1")
    kind, settings = _ACTIVATIONS.get(use.function, ("Activation", {"activation": use.function}))
    return use.as_layers([use.tensor()], (kind, settings))


_ACTIVATIONS: Mapping[str, tuple[str, Config]] = {"relu": ("ReLU", {}), "relu6": ("ReLU", {"max_value": 6.0})}


def _softmax(use: _Use) -> Operation:
    use.only("axis")
    axis = use.option("axis")
    return use.as_layers([use.tensor()], ("Softmax", {"axis": -1 if axis is None else axis}))


def _mean(use: _Use) -> Operation:
    use.only("axis", "keepdims")
    if use.option("axis") not in ([1, 2], [2, 1], [-3, -2]):
        raise use.refused("averages over something other than height and width")
    return use.as_layers([use.tensor()], ("GlobalAveragePooling2D", {"keepdims": use.option("keepdims", False)}))


def _flip(use: _Use) -> Operation:
    use.only("axis")
    if use.option("axis") not in (-1, 3, [-1], [3]):
        raise use.refused("turns an image over, which no layer of Keras does; channels are all that is reversed")
    return Operation(use.name, [use.tensor()], channels=())


def _get_item(use: _Use) -> Operation:
    """Read x[..., ::-1], as preprocess_input turns red, green, blue into blue, green, red; or x[..., 2]."""
    use.only("slice_spec")
    in_call = use.arguments.options.get("slice_spec")
    source = use.tensor(1 if in_call is not None else 2)
    key = in_call if in_call is not None else use.arguments.operands[1]
    if isinstance(key, dict) and isinstance(key.get("config"), list):  # a tuple of Keras 3
        key = key["config"]
    last = key[-1] if isinstance(key, list) and len(key) == 2 and _is_ellipsis(key[0]) else None
    if isinstance(last, int) and not isinstance(last, bool) and 0 <= last < _COLOURS:
        return Operation(use.name, [source], channel=last)
    if _is_reversed(last):
        return Operation(use.name, [source], channels=())
    raise use.refused(
        "takes a part of its input; only the order of the channels is turned. Build the model with a layer Cropping2D "
        "instead, and save it again"
    )


_COLOURS = 3


def _is_ellipsis(thing: Any) -> bool:
    return thing == "..." or (isinstance(thing, dict) and thing.get("class_name") == "__ellipsis__")


def _is_reversed(thing: Any) -> bool:
    if isinstance(thing, dict) and thing.get("class_name") == "__slice__":
        thing = thing.get("config")
    if not isinstance(thing, dict) or not {"start", "stop", "step"} <= thing.keys():
        return False
    return thing["step"] == -1 and thing["start"] is None and thing["stop"] is None


def _stack(use: _Use) -> Operation:
    use.only("axis")
    listed = use.arguments.operands[0] if len(use.arguments.operands) == 1 else None
    parts = [as_reference(part) for part in listed] if isinstance(listed, list) else []
    found = [part for part in parts if part is not None]
    if use.option("axis") not in (-1, 3) or not found or len(found) != len(parts) or len(parts) > _COLOURS:
        raise use.refused("stacks something other than channels of one image")
    return Operation(use.name, found, stacks=True)


_FUNCTIONS: Mapping[str, Callable[[_Use], Operation]] = MappingProxyType(
    {
        "add": _combine,
        "cast": _cast,
        "divide": _combine,
        "flip": _flip,
        "get item": _get_item,
        "hard_sigmoid": _activate,
        "hard_silu": _activate,
        "mean": _mean,
        "multiply": _combine,
        "negative": _negate,
        "relu": _activate,
        "relu6": _activate,
        "sigmoid": _activate,
        "silu": _activate,
        "softmax": _softmax,
        "stack": _stack,
        "subtract": _combine,
        "tanh": _activate,
    }
)
