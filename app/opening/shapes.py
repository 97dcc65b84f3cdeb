"""What a layer makes of its inputs' shapes, and the weights that it has: Keras' rules, without Keras.

For the kinds of layer that the fast way runs, in their usual settings; all else is left to Keras, which also says best
what is wrong with settings that do not go together.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from app.cnn.layers import Shape
from app.opening.plan import Settings


class NeedsKeras(Exception):
    """Only Keras itself can tell, or run, what this is."""


# A layer's weights by Keras' names, in the order in which Keras saves them: those that training changes first.
Variables = Mapping[str, tuple[int, ...]]


class Made(NamedTuple):
    """What a layer makes, without the batch, and the shapes of what it learnt."""

    shape: Shape
    variables: Variables = MappingProxyType({})


Rule = Callable[[Settings, list[Shape]], Made]

_KERNEL = {"strides": (1, 1), "dilation_rate": (1, 1), "padding": "valid", "activation": "linear", "use_bias": True}
_POOL = {"pool_size": (2, 2), "strides": None, "padding": "valid"}
_GLOBAL = {"keepdims": False}

# What Keras takes where a file says nothing.
DEFAULTS: Mapping[str, Settings] = MappingProxyType(
    {
        "AveragePooling2D": _POOL,
        "BatchNormalization": {"axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
        "Concatenate": {"axis": -1},
        "Conv2D": _KERNEL | {"groups": 1},
        "Conv2DTranspose": _KERNEL,
        "Cropping2D": {"cropping": ((0, 0), (0, 0))},
        "Dense": {"activation": "linear", "use_bias": True},
        "DepthwiseConv2D": _KERNEL | {"depth_multiplier": 1},
        "ELU": {"alpha": 1.0},
        "GlobalAveragePooling2D": _GLOBAL,
        "GlobalMaxPooling2D": _GLOBAL,
        "GlobalMinPooling2D": _GLOBAL,
        "LeakyReLU": {"negative_slope": 0.3},
        "MaxPooling2D": _POOL,
        "MinPooling2D": _POOL,
        "Normalization": {"axis": -1},
        "PReLU": {"shared_axes": None},
        "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
        "Rescaling": {"offset": 0.0},
        "Resizing": {"interpolation": "bilinear"},
        "SeparableConv2D": _KERNEL | {"depth_multiplier": 1},
        "Softmax": {"axis": -1},
        "UpSampling2D": {"size": (2, 2), "interpolation": "nearest"},
        "ZeroPadding2D": {"padding": ((1, 1), (1, 1))},
    }
)


def made_by(kind: str, settings: Settings, inputs: Sequence[Shape]) -> Made:
    """settings: checked ones, completed from DEFAULTS. Raises: NeedsKeras."""
    if kind not in RULES:
        raise NeedsKeras(kind)
    try:
        _check(all(settings.get(name, 0) >= 0 for name in _NOT_NEGATIVE) and settings.get("rate", 0) <= 1)
        made = RULES[kind](settings, list(inputs))
    except (TypeError, ValueError, KeyError) as error:  # a shape of another rank, a size unknown, a setting missing
        raise NeedsKeras(kind) from error
    if any(size is not None and size < 1 for size in made.shape):
        raise NeedsKeras(kind)
    return made


_NOT_NEGATIVE = ("rate", "stddev", "negative_slope", "threshold")


def _unchanged(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    return Made(shape)


def _needing(setting: str) -> Rule:
    """The shape stays, and Keras has no default for the setting."""
    return lambda settings, inputs: _unchanged({setting: settings[setting]}, inputs)


def _relu(settings: Settings, inputs: list[Shape]) -> Made:
    _check(settings["max_value"] is None or settings["max_value"] >= 0)
    return _unchanged(settings, inputs)


def _convolution(settings: Settings, inputs: list[Shape]) -> Made:
    (height, width, channels), filters, groups = _image(inputs), settings["filters"], settings["groups"]
    _check_steps(settings)
    _check(channels % groups == 0 and filters % groups == 0)
    variables = {"kernel": (*settings["kernel_size"], channels // groups, filters)} | _bias(settings, filters)
    return Made((*_slid(settings, settings["kernel_size"], height, width), filters), variables)


def _depthwise(settings: Settings, inputs: list[Shape]) -> Made:
    (height, width, channels), depth = _image(inputs), settings["depth_multiplier"]
    _check_steps(settings, square=True)
    variables = {"kernel": (*settings["kernel_size"], channels, depth)} | _bias(settings, channels * depth)
    return Made((*_slid(settings, settings["kernel_size"], height, width), channels * depth), variables)


def _separable(settings: Settings, inputs: list[Shape]) -> Made:
    (height, width, channels), depth, filters = _image(inputs), settings["depth_multiplier"], settings["filters"]
    _check_steps(settings, square=True)
    variables = {
        "depthwise_kernel": (*settings["kernel_size"], channels, depth),
        "pointwise_kernel": (1, 1, channels * depth, filters),
    } | _bias(settings, filters)
    return Made((*_slid(settings, settings["kernel_size"], height, width), filters), variables)


def _transposed(settings: Settings, inputs: list[Shape]) -> Made:
    (height, width, channels), filters = _image(inputs), settings["filters"]
    _check(settings.get("output_padding") is None and settings["dilation_rate"] == (1, 1))
    sizes = zip((height, width), settings["kernel_size"], settings["strides"], strict=True)
    same = settings["padding"] == "same"
    shape = [
        None if size is None else size * stride + (0 if same else max(kernel - stride, 0))
        for size, kernel, stride in sizes
    ]
    return Made((*shape, filters), {"kernel": (*settings["kernel_size"], filters, channels)} | _bias(settings, filters))


def _dense(settings: Settings, inputs: list[Shape]) -> Made:
    ((*places, channels),) = inputs
    units = settings["units"]
    return Made((*places, units), {"kernel": (_known(channels), units)} | _bias(settings, units))


def _pooling(settings: Settings, inputs: list[Shape]) -> Made:
    height, width, channels = _image(inputs)
    size = settings["pool_size"]
    return Made((*_slid({**settings, "strides": settings["strides"] or size}, size, height, width), channels))


def _global_pooling(settings: Settings, inputs: list[Shape]) -> Made:
    _, _, channels = _image(inputs)
    return Made((1, 1, channels) if settings["keepdims"] else (channels,))


def _batch_normalization(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    names = {"gamma": settings["scale"], "beta": settings["center"], "moving_mean": True, "moving_variance": True}
    return Made(shape, {name: (_last(settings, shape),) for name, has_it in names.items() if has_it})


def _normalization(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    _check(settings.get("mean") is None and settings.get("variance") is None)
    return Made(shape, {"mean": (_last(settings, shape),), "variance": (_last(settings, shape),), "count": ()})


def _prelu(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    shared = settings["shared_axes"] or ()
    alpha = tuple(1 if axis in shared else _known(size) for axis, size in enumerate(shape, start=1))
    return Made(shape, {"alpha": alpha})


def _softmax(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    _last(settings, shape)
    return Made(shape)


def _merge(settings: Settings, inputs: list[Shape]) -> Made:
    """Sizes of one are repeated, as NumPy does it."""
    _check(len(inputs) > 1)
    return Made(tuple(_common(set(sizes)) for sizes in zip(*inputs, strict=True)))


def _subtract(settings: Settings, inputs: list[Shape]) -> Made:
    _check(len(inputs) == 2)
    return _merge(settings, inputs)


def _concatenate(settings: Settings, inputs: list[Shape]) -> Made:
    _check(len(inputs) > 1)
    rank, axis = len(inputs[0]), settings["axis"]
    place = axis - 1 if axis > 0 else axis + rank
    _check(0 <= place < rank)
    sizes = [list(each) for each in zip(*inputs, strict=True)]
    joined = sizes.pop(place)
    _check(all(len(set(each)) == 1 for each in sizes))
    shape: list[int | None] = [each[0] for each in sizes]
    shape.insert(place, None if None in joined else sum(size or 0 for size in joined))
    return Made(tuple(shape))


def _flatten(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    return Made((None if None in shape else math.prod(size or 0 for size in shape),))


def _reshape(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    cells, target = math.prod(_known(size) for size in shape), settings["target_shape"]
    _check(None not in target and target.count(-1) <= 1 and 0 not in target)
    told = math.prod(size for size in target if size != -1)
    _check(cells % told == 0 and (-1 in target or cells == told))
    return Made(tuple(cells // told if size == -1 else size for size in target))


def _permute(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    _check(sorted(settings["dims"]) == list(range(1, len(shape) + 1)))
    return Made(tuple(shape[place - 1] for place in settings["dims"]))


def _zero_padding(settings: Settings, inputs: list[Shape]) -> Made:
    return _moved(inputs, settings["padding"], 1)


def _cropping(settings: Settings, inputs: list[Shape]) -> Made:
    return _moved(inputs, settings["cropping"], -1)


def _upsampling(settings: Settings, inputs: list[Shape]) -> Made:
    *sides, channels = _image(inputs)
    sizes = zip(sides, settings["size"], strict=True)
    return Made((*(None if side is None else side * factor for side, factor in sizes), channels))


def _resizing(settings: Settings, inputs: list[Shape]) -> Made:
    _, _, channels = _image(inputs)
    return Made((settings["height"], settings["width"], channels))


def _image(inputs: list[Shape]) -> tuple[int | None, int | None, int]:
    """The one input's height, width and channels."""
    ((height, width, channels),) = inputs
    return height, width, _known(channels)


def _known(size: int | None) -> int:
    if size is None:
        raise ValueError(size)
    return size


def _check(is_so: bool) -> None:
    if not is_so:
        raise ValueError


def _check_steps(settings: Settings, square: bool = False) -> None:
    """Strides and dilation do not go together, and TensorFlow's depthwise convolutions know square steps only."""
    strides, dilation = settings["strides"], settings["dilation_rate"]
    _check(max(strides) == 1 or max(dilation) == 1)
    _check(not square or len(set(strides)) == len(set(dilation)) == 1)


def _bias(settings: Settings, size: int) -> dict[str, tuple[int, ...]]:
    return {"bias": (size,)} if settings["use_bias"] else {}


def _slid(settings: Settings, window: tuple[int, int], *sides: int | None) -> list[int | None]:
    """How many places a window has along each side."""
    dilation, same = settings.get("dilation_rate", (1, 1)), settings["padding"] == "same"
    extents = [(size - 1) * step + 1 for size, step in zip(window, dilation, strict=True)]
    steps = zip(sides, extents, settings["strides"], strict=True)
    return [
        None if side is None else (side + stride - 1) // stride if same else (side - extent) // stride + 1
        for side, extent, stride in steps
    ]


def _last(settings: Settings, shape: Shape) -> int:
    """The size of the last axis, which must be the one meant."""
    _check(settings["axis"] in (-1, len(shape), (-1,), (len(shape),)))
    return _known(shape[-1])


def _common(sizes: set[int | None]) -> int | None:
    if len(sizes) == 2 and 1 in sizes and None not in sizes:
        sizes = sizes - {1}
    (size,) = sizes
    return size


def _moved(inputs: list[Shape], margins: tuple[tuple[int, int], tuple[int, int]], sign: int) -> Made:
    *sides, channels = _image(inputs)
    sums = zip(sides, map(sum, margins), strict=True)
    return Made((*(None if side is None else side + sign * margin for side, margin in sums), channels))


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "Activation": _needing("activation"),
        "ActivityRegularization": _unchanged,
        "Add": _merge,
        "AlphaDropout": _needing("rate"),
        "Average": _merge,
        "AveragePooling2D": _pooling,
        "BatchNormalization": _batch_normalization,
        "Concatenate": _concatenate,
        "Conv2D": _convolution,
        "Conv2DTranspose": _transposed,
        "Cropping2D": _cropping,
        "Dense": _dense,
        "DepthwiseConv2D": _depthwise,
        "Dropout": _needing("rate"),
        "ELU": _unchanged,
        "Flatten": _flatten,
        "GaussianDropout": _needing("rate"),
        "GaussianNoise": _needing("stddev"),
        "GlobalAveragePooling2D": _global_pooling,
        "GlobalMaxPooling2D": _global_pooling,
        "GlobalMinPooling2D": _global_pooling,
        "Identity": _unchanged,
        "LeakyReLU": _unchanged,
        "MaxPooling2D": _pooling,
        "Maximum": _merge,
        "MinPooling2D": _pooling,
        "Minimum": _merge,
        "Multiply": _merge,
        "Normalization": _normalization,
        "PReLU": _prelu,
        "Permute": _permute,
        "ReLU": _relu,
        "Rescaling": _needing("scale"),
        "Reshape": _reshape,
        "Resizing": _resizing,
        "SeparableConv2D": _separable,
        "Softmax": _softmax,
        "SpatialDropout2D": _needing("rate"),
        "Subtract": _subtract,
        "UpSampling2D": _upsampling,
        "ZeroPadding2D": _zero_padding,
    }
)
