"""Layers that slide a window or mix channels: convolutions, dense layers, pooling."""

from app.cnn.layers import Shape
from app.model_files.plan import Settings
from app.model_files.shapes.made import Made, check, image_of, known


def convolution(settings: Settings, inputs: list[Shape]) -> Made:
    (height, width, channels), filters, groups = image_of(inputs), settings["filters"], settings["groups"]
    _check_steps(settings)
    check(channels % groups == 0 and filters % groups == 0)
    variables = {"kernel": (*settings["kernel_size"], channels // groups, filters)} | _bias(settings, filters)
    return Made((*_slid(settings, settings["kernel_size"], height, width), filters), variables)


def depthwise(settings: Settings, inputs: list[Shape]) -> Made:
    (height, width, channels), depth = image_of(inputs), settings["depth_multiplier"]
    _check_steps(settings, square=True)
    variables = {"kernel": (*settings["kernel_size"], channels, depth)} | _bias(settings, channels * depth)
    return Made((*_slid(settings, settings["kernel_size"], height, width), channels * depth), variables)


def separable(settings: Settings, inputs: list[Shape]) -> Made:
    (height, width, channels), depth, filters = image_of(inputs), settings["depth_multiplier"], settings["filters"]
    _check_steps(settings, square=True)
    variables = {
        "depthwise_kernel": (*settings["kernel_size"], channels, depth),
        "pointwise_kernel": (1, 1, channels * depth, filters),
    } | _bias(settings, filters)
    return Made((*_slid(settings, settings["kernel_size"], height, width), filters), variables)


def transposed(settings: Settings, inputs: list[Shape]) -> Made:
    (height, width, channels), filters = image_of(inputs), settings["filters"]
    check(settings.get("output_padding") is None and settings["dilation_rate"] == (1, 1))
    sizes = zip((height, width), settings["kernel_size"], settings["strides"], strict=True)
    same = settings["padding"] == "same"
    shape = [
        None if size is None else size * stride + (0 if same else max(kernel - stride, 0))
        for size, kernel, stride in sizes
    ]
    return Made((*shape, filters), {"kernel": (*settings["kernel_size"], filters, channels)} | _bias(settings, filters))


def dense(settings: Settings, inputs: list[Shape]) -> Made:
    ((*places, channels),) = inputs
    units = settings["units"]
    return Made((*places, units), {"kernel": (known(channels), units)} | _bias(settings, units))


def pooling(settings: Settings, inputs: list[Shape]) -> Made:
    height, width, channels = image_of(inputs)
    size = settings["pool_size"]
    return Made((*_slid({**settings, "strides": settings["strides"] or size}, size, height, width), channels))


def global_pooling(settings: Settings, inputs: list[Shape]) -> Made:
    _, _, channels = image_of(inputs)
    return Made((1, 1, channels) if settings["keepdims"] else (channels,))


def _check_steps(settings: Settings, square: bool = False) -> None:
    """Strides and dilation do not go together, and TensorFlow's depthwise convolutions know square steps only."""
    strides, dilation = settings["strides"], settings["dilation_rate"]
    check(max(strides) == 1 or max(dilation) == 1)
    check(not square or len(set(strides)) == len(set(dilation)) == 1)


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
