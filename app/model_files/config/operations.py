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
        over: tuple[tuple[str, Config], ...] = (("Reciprocal", {}),) if use.function == "divide" else ()
        return use.as_layers([second], *over, ("Rescaling", _numbers_first(use, first.values)))
    if isinstance(second, Constant):
        return use.as_layers([first], ("Rescaling", _numbers_second(use, second.values)))
    return use.as_layers([first, second], (_LAYERS[use.function], {}))


_LAYERS = {"add": "Add", "subtract": "Subtract", "multiply": "Multiply", "divide": "Divide"}
_Values = float | tuple[float, ...]


def _numbers_first(use: _Use, values: _Values) -> Config:
    if use.function == "divide":  # the layer's output is turned over already
        return {"scale": values, "offset": 0.0}
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


def _reduce(use: _Use) -> Operation:
    """Keep one number of all along some axes. Of height and width it is a pooling, which the pooling modes swap."""
    use.only("axis", "keepdims", "initial")
    axis, keepdims = use.option("axis"), bool(use.option("keepdims", False))
    if axis is None or 0 in _listed(axis):
        raise use.refused("makes one number of all values, those of a whole batch included")
    if use.option("initial") is not None:
        raise use.refused(f"is called with initial={shown(use.option('initial'))}; expected none")
    if use.function in _GLOBAL and axis in ([1, 2], [2, 1], [-3, -2], [-2, -3]):
        return use.as_layers([use.tensor()], (_GLOBAL[use.function], {"keepdims": keepdims}))
    return use.as_layers([use.tensor()], (_REDUCTIONS[use.function], {"axis": axis, "keepdims": keepdims}))


_GLOBAL = {"max": "GlobalMaxPooling2D", "mean": "GlobalAveragePooling2D", "min": "GlobalMinPooling2D"}
_REDUCTIONS = {
    "max": "ReduceMax",
    "mean": "ReduceMean",
    "min": "ReduceMin",
    "std": "ReduceDeviation",
    "sum": "ReduceSum",
    "variance": "ReduceVariance",
}


def _apply(use: _Use) -> Operation:
    """Compute a function of each value by itself."""
    use.only()
    return use.as_layers([use.tensor()], (_APPLIED[use.function], {}))


_APPLIED = {
    "absolute": "Absolute",
    "exp": "Exp",
    "flatten": "Flatten",
    "log": "Log",
    "reciprocal": "Reciprocal",
    "rsqrt": "Rsqrt",
    "sqrt": "Sqrt",
    "square": "Square",
}


def _pass_on(use: _Use) -> Operation:
    """Change nothing when a trained network answers."""
    use.only()
    return Operation(use.name, [use.tensor()])


def _power(use: _Use) -> Operation:
    use.only()
    base, exponent = use.operands(2)
    if isinstance(base, Constant) or not isinstance(exponent, Constant) or not isinstance(exponent.values, float):
        raise use.refused("raises to a power that is not one fixed number")
    kind = {2.0: "Square", 0.5: "Sqrt", -1.0: "Reciprocal"}.get(exponent.values, "Power")
    return use.as_layers([base], (kind, {"exponent": exponent.values} if kind == "Power" else {}))


def _bound(use: _Use) -> Operation:
    """Keep the larger or the smaller of two tensors' values, or of a tensor's and a fixed number."""
    use.only()
    first, second = use.operands(2)
    kind, end = ("Maximum", "minimum") if use.function == "maximum" else ("Minimum", "maximum")
    if not isinstance(first, Constant) and not isinstance(second, Constant):
        return use.as_layers([first, second], (kind, {}))
    bound, tensor = (first, second) if isinstance(first, Constant) else (second, first)
    if not isinstance(bound, Constant) or isinstance(tensor, Constant) or not isinstance(bound.values, float):
        raise use.refused("compares with something other than one fixed number")
    return use.as_layers([tensor], ("Clip", {end: bound.values}))


def _clip(use: _Use) -> Operation:
    use.only("x_min", "x_max", "clip_value_min", "clip_value_max")
    low, high = use.option("x_min", use.option("clip_value_min")), use.option("x_max", use.option("clip_value_max"))
    return use.as_layers([use.tensor()], ("Clip", {"minimum": low, "maximum": high}))


def _normalize(use: _Use) -> Operation:
    use.only("axis", "order", "epsilon")
    if use.option("order", 2) != 2:
        raise use.refused(f"is called with order={shown(use.option('order'))}; expected 2")
    return use.as_layers([use.tensor()], ("UnitNormalization", {"axis": use.option("axis", -1)}))


def _reshape(use: _Use) -> Operation:
    use.only("shape", "newshape")
    shape = use.option("newshape", use.option("shape"))
    if not isinstance(shape, list) or len(shape) < 2 or shape[0] not in (-1, None):
        raise use.refused("gives its input a shape that does not begin with the batch, -1")
    return use.as_layers([use.tensor()], ("Reshape", {"target_shape": shape[1:]}))


def _transpose(use: _Use) -> Operation:
    use.only("axes", "perm")
    axes = use.option("axes", use.option("perm"))
    if not isinstance(axes, list) or axes[:1] != [0]:
        raise use.refused("turns the batch with the image")
    return use.as_layers([use.tensor()], ("Permute", {"dims": axes[1:]}))


def _listed(axis: Any) -> list[Any]:
    return axis if isinstance(axis, list) else [axis]


def _along_axis(use: _Use) -> Operation:
    """Take away or add an axis of one cell."""
    use.only("axis", "squeeze_dims")
    kind = {"squeeze": "Squeeze", "expand dims": "ExpandDims"}[use.function]
    axis = use.option("axis", use.option("squeeze_dims"))
    if axis is None or 0 in _listed(axis):
        raise use.refused("does not say which axis, or takes the batch's")
    return use.as_layers([use.tensor()], (kind, {"axis": axis}))


def _concatenate(use: _Use) -> Operation:
    use.only("axis")
    listed = use.arguments.operands[0] if len(use.arguments.operands) == 1 else None
    parts = [as_reference(part) for part in listed] if isinstance(listed, list) else []
    found = [part for part in parts if part is not None]
    if not found or len(found) != len(parts):
        raise use.refused("joins something other than the outputs of layers")
    return use.as_layers(found, ("Concatenate", {"axis": use.option("axis", -1)}))


def _resize(use: _Use) -> Operation:
    flags = ("antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio")
    use.only("size", "interpolation", "method", "fill_mode", "fill_value", "data_format", *flags)
    size = use.option("size")
    if not isinstance(size, list) or len(size) != 2:
        raise use.refused("resizes to something other than two fixed numbers")
    interpolation = use.option("interpolation", use.option("method")) or "bilinear"
    settings = {"height": size[0], "width": size[1], "interpolation": interpolation}
    return use.as_layers([use.tensor()], ("Resizing", settings | {name: True for name in flags if use.option(name)}))


def _pad(use: _Use) -> Operation:
    use.only("pad_width", "paddings", "mode", "constant_values")
    if str(use.option("mode", "constant")).lower() != "constant" or use.option("constant_values") not in (None, 0):
        raise use.refused("adds something other than zeros")
    margins = use.option("pad_width", use.option("paddings"))
    if not isinstance(margins, list) or not margins or margins[0] not in ([0, 0], 0):
        raise use.refused("adds to the batch, or an unknown number of cells")
    return use.as_layers([use.tensor()], ("Pad", {"margins": margins[1:]}))


def _move_depth(use: _Use) -> Operation:
    use.only("block_size", "data_format")
    if use.option("data_format") not in (None, "channels_last", "NHWC"):
        raise use.refused("computes with the channels first")
    kind = "DepthToSpace" if use.function == "depth to space" else "SpaceToDepth"
    return use.as_layers([use.tensor()], (kind, {"block_size": use.option("block_size")}))


def _pool(use: _Use) -> Operation:
    use.only("pool_size", "ksize", "strides", "padding", "data_format")
    if use.option("data_format") not in (None, "channels_last", "NHWC"):
        raise use.refused("computes with the channels first")
    kind = "MaxPooling2D" if use.function == "max pool" else "AveragePooling2D"
    size, strides = _two(use.option("pool_size", use.option("ksize"))), _two(use.option("strides"))
    settings = {"pool_size": size, "strides": strides, "padding": str(use.option("padding", "valid")).lower()}
    return use.as_layers([use.tensor()], (kind, settings))


def _two(sizes: Any) -> Any:
    """Return sizes for rows and columns of those for the batch, rows, columns and channels."""
    return sizes[1:3] if isinstance(sizes, list) and len(sizes) == 4 else sizes


def _leak(use: _Use) -> Operation:
    use.only("negative_slope", "alpha")
    slope = use.option("negative_slope", use.option("alpha", 0.2))
    return use.as_layers([use.tensor()], ("LeakyReLU", {"negative_slope": slope}))


def _gelu(use: _Use) -> Operation:
    use.only("approximate")
    if use.option("approximate", False):
        raise use.refused("computes GELU by an approximation, which no layer of Keras does")
    return use.as_layers([use.tensor()], ("Activation", {"activation": "gelu"}))


def _elu(use: _Use) -> Operation:
    use.only("alpha")
    return use.as_layers([use.tensor()], ("ELU", {"alpha": use.option("alpha", 1.0)}))


def _flip(use: _Use) -> Operation:
    use.only("axis")
    axis = use.option("axis")
    if axis in (-1, 3, [-1], [3]):
        return Operation(use.name, [use.tensor()], channels=())
    if axis not in (1, 2, [1], [2]):
        raise use.refused("turns over something other than rows, columns or channels")
    turned = axis[0] if isinstance(axis, list) else axis
    steps = [-1 if at == turned else None for at in (1, 2)]
    return use.as_layers([use.tensor()], ("Slice", {"begin": [None] * 2, "end": [None] * 2, "step": steps}))


def _slice(use: _Use) -> Operation:
    """Read tf.slice and keras.ops.slice: from a first cell along each axis, so many of them."""
    use.only("begin", "size", "shape")
    in_call = use.arguments.options.get("begin")
    begin = in_call if in_call is not None else use.arguments.operands[-1]
    size = use.option("size", use.option("shape"))
    source = use.tensor(1 if in_call is not None else 2)
    is_known = isinstance(begin, list) and isinstance(size, list) and len(begin) == len(size) > 1
    if not is_known or begin[0] != 0 or not all(_is_whole(each) for each in (*begin, *size)):
        raise use.refused("takes a part of the batch, or an unknown one")
    end = [None if count == -1 else first + count for first, count in zip(begin[1:], size[1:], strict=True)]
    return use.as_layers([source], ("Slice", {"begin": begin[1:], "end": end, "step": [None] * len(end)}))


def _get_item(use: _Use) -> Operation:
    """Read x[..., ::-1], as preprocess_input turns red, green, blue into blue, green, red; x[..., 2]; or any slice."""
    use.only("slice_spec")
    in_call = use.arguments.options.get("slice_spec")
    source = use.tensor(1 if in_call is not None else 2)
    key = in_call if in_call is not None else use.arguments.operands[1]
    if isinstance(key, dict) and isinstance(key.get("config"), list):  # a tuple of Keras 3
        key = key["config"]
    last = key[-1] if isinstance(key, list) and len(key) == 2 and _is_ellipsis(key[0]) else None
    if _is_reversed(last):
        return Operation(use.name, [source], channels=())
    taken = use.as_layers([source], ("Slice", _read_slices(use, key)))
    # One channel of an image, which may be stacked with others again.
    is_colour = isinstance(last, int) and not isinstance(last, bool) and 0 <= last < _COLOURS
    return replace(taken, channel=last) if is_colour else taken


def _read_slices(use: _Use, key: Any) -> Config:
    """Return the settings of a Slice, without the batch. Raises: ModelError."""
    parts = list(key) if isinstance(key, list) else [key]
    dots = [at for at, part in enumerate(parts) if _is_ellipsis(part)]
    if len(dots) > 1 or (dots[:1] != [0] and _bounds(parts[0]) != (None, None, None)):
        raise use.refused("takes a part of the batch")
    inner = parts if dots[:1] == [0] else parts[1:]
    ellipsis = None if not dots else 0 if dots[0] == 0 else dots[0] - 1
    settings: Config = {"begin": [], "end": [], "step": [], "dropped": [], "ellipsis": ellipsis}
    for part in (each for each in inner if not _is_ellipsis(each)):
        bounds: Any = (part, part + 1 or None, None) if _is_whole(part) else _bounds(part)
        if bounds is None:
            raise use.refused("takes a part of its input that is not fixed")
        if _is_whole(part):
            settings["dropped"].append(len(settings["begin"]))
        for name, value in zip(("begin", "end", "step"), bounds, strict=True):
            settings[name].append(value)
    return settings


def _is_whole(thing: Any) -> bool:
    return isinstance(thing, int) and not isinstance(thing, bool)


def _bounds(thing: Any) -> tuple[int | None, int | None, int | None] | None:
    """Return first, end and step of a slice as files write it; None for anything else."""
    if isinstance(thing, dict) and thing.get("class_name") == "__slice__":
        thing = thing.get("config")
    if not isinstance(thing, dict) or not {"start", "stop", "step"} <= thing.keys():
        return None
    found = (thing["start"], thing["stop"], thing["step"])
    return found if all(each is None or _is_whole(each) for each in found) else None


_COLOURS = 3


def _is_ellipsis(thing: Any) -> bool:
    return thing in ("...", "Ellipsis") or (isinstance(thing, dict) and thing.get("class_name") == "__ellipsis__")


def _is_reversed(thing: Any) -> bool:
    return _bounds(thing) == (None, None, -1)


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
        "average pool": _pool,
        "cast": _cast,
        "clip": _clip,
        "concatenate": _concatenate,
        "depth to space": _move_depth,
        "divide": _combine,
        "elu": _elu,
        "expand dims": _along_axis,
        "flip": _flip,
        "gelu": _gelu,
        "get item": _get_item,
        "hard_sigmoid": _activate,
        "hard_silu": _activate,
        "identity": _pass_on,
        "leaky_relu": _leak,
        "max pool": _pool,
        "maximum": _bound,
        "minimum": _bound,
        "multiply": _combine,
        "negative": _negate,
        "normalize": _normalize,
        "pad": _pad,
        "power": _power,
        "relu": _activate,
        "relu6": _activate,
        "reshape": _reshape,
        "resize": _resize,
        "selu": _activate,
        "sigmoid": _activate,
        "silu": _activate,
        "slice": _slice,
        "softmax": _softmax,
        "softplus": _activate,
        "space to depth": _move_depth,
        "squeeze": _along_axis,
        "stack": _stack,
        "subtract": _combine,
        "tanh": _activate,
        "transpose": _transpose,
        **dict.fromkeys(_APPLIED, _apply),
        **dict.fromkeys(_REDUCTIONS, _reduce),
    }
)
