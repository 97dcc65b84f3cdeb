"""What a layer is: its place in the network, its shape, and the window through which it reads."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.cnn.pooling import PoolingMode, pooling_mode

_OPTIONS = ("epsilon", "negative_slope", "max_value", "threshold", "alpha", "scale", "offset")

# What changes nothing once a layer is trained, or is said by its weights and its output's shape.
_SAID_ELSEWHERE = {
    *("name", "trainable", "dtype", "autocast", "seed", "noise_shape", "stddev", "momentum", "synchronized"),
    *("use_bias", "center", "groups", "depth_multiplier", "target_shape", "height", "width", "keepdims"),
    *("shared_axes", "fill_mode", "fill_value", "renorm_momentum", "l1", "l2"),
}
_SAID_HERE = {
    *("kernel_size", "pool_size", "strides", "dilation_rate", "size", "cropping", "filters", "units", "rate"),
    *("padding", "axis", "dims", "interpolation"),
}
_NEUTRAL = (None, False, "channels_last")

_MIXING = {"Flatten", "Dense", "Softmax", "Reshape", "Permute", "Resizing"}

Shape = tuple[int | None, ...]  # without the batch; None where any size goes


@dataclass(frozen=True)
class Window:
    """The part of its input that one cell of a convolution or pooling layer reads, in (rows, columns)."""

    size: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "valid"  # or "same"

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns from the window's first cell to its last, the gaps of dilation included."""
        height, width = ((size - 1) * step + 1 for size, step in zip(self.size, self.dilation, strict=True))
        return height, width


@dataclass(frozen=True)
class Layer:
    """One layer of a network, described in Keras' own words."""

    name: str
    kind: str  # the Keras class
    inputs: tuple[str, ...]  # the layers it reads; empty where it reads the image
    output_shape: Shape
    parameters: int
    biases: int  # how many of the parameters are biases; the others are weights
    window: Window | None  # None where each cell reads its own place, or everything
    activation: str | None
    filters: int | None
    pooling: PoolingMode | None  # the mode it was trained with
    rate: float | None = None  # dropout's
    options: tuple[tuple[str, float], ...] = ()  # the numbers that its arithmetic needs: epsilon, negative_slope, ...
    # From a place of the output to the place that it was moved from: minus the offset, divided by the factor.
    margins: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))  # zero rows, columns added before and after
    factor: tuple[int, int] = (1, 1)  # how many rows and columns each one became
    axes: tuple[int, ...] = ()  # along which it normalises, joins or moves; 0 is the batch, -1 the last
    interpolation: str | None = None
    undescribed: tuple[str, ...] = ()  # what it computes depends on these settings too, and they are not told here

    def option(self, name: str, default: float = 0.0) -> float:
        """A number of its configuration, or the default where it has none of this name."""
        return dict(self.options).get(name, default)

    @property
    def offset(self) -> tuple[int, int]:
        """Zero padding before the first row and column; cropping's is negative."""
        (top, _), (left, _) = self.margins
        return top, left

    @property
    def is_convolution(self) -> bool:
        return "Conv" in self.kind

    @property
    def is_pooling(self) -> bool:
        return self.pooling is not None

    @property
    def is_spatial(self) -> bool:
        """Its output has height, width and channels, so that it can be seen as feature maps."""
        return len(self.output_shape) == 3

    @property
    def mixes_everything(self) -> bool:
        """Each of its cells depends on the whole of its input."""
        return self.kind in _MIXING or (self.is_pooling and self.window is None)


def describe(
    name: str,
    kind: str,
    config: Mapping[str, Any],
    inputs: Sequence[str | None],
    output_shape: Shape,
    variables: Mapping[str, tuple[int, ...]],
) -> Layer:
    """A layer as its class and its settings tell of it.

    kind, config: the Keras class and what its get_config() gives. inputs: the layers that it reads, None for the image.
    variables: the shape of each of its weights, by Keras' name for it.
    """
    activation = config.get("activation")
    sizes = {variable: math.prod(shape) for variable, shape in variables.items()}
    return Layer(
        name=name,
        kind=kind,
        inputs=tuple(source for source in inputs if source is not None),
        output_shape=output_shape,
        parameters=sum(sizes.values()),
        biases=sizes.get("bias", 0),
        window=_window(config),
        activation=activation if isinstance(activation, str) else None,
        filters=config.get("filters") or config.get("units"),
        pooling=pooling_mode(kind),
        rate=config.get("rate"),
        options=tuple((option, float(config[option])) for option in _OPTIONS if _is_number(config.get(option))),
        margins=_margins(kind, config),
        factor=_pair(config["size"]) if kind == "UpSampling2D" else (1, 1),
        axes=_axes(kind, config),
        interpolation=config.get("interpolation"),
        undescribed=tuple(_undescribed(config, inputs)),
    )


def _is_number(value: Any) -> bool:
    return type(value) in {int, float}


def _margins(kind: str, config: Mapping[str, Any]) -> tuple[tuple[int, int], tuple[int, int]]:
    if kind == "ZeroPadding2D":
        (top, bottom), (left, right) = config["padding"]
        return (top, bottom), (left, right)
    if kind == "Cropping2D":
        (top, bottom), (left, right) = config["cropping"]
        return (-top, -bottom), (-left, -right)
    return (0, 0), (0, 0)


def _axes(kind: str, config: Mapping[str, Any]) -> tuple[int, ...]:
    if kind == "Permute":
        return tuple(config["dims"])
    axis = config.get("axis")
    return (axis,) if isinstance(axis, int) else tuple(axis or ())


def _undescribed(config: Mapping[str, Any], inputs: Sequence[str | None]) -> Iterator[str]:
    """The settings that change what the layer computes and that a description leaves out."""
    if len(inputs) > 1 and None in inputs:
        yield "image"  # read beside other layers' outputs
    for name, value in config.items():
        if not (_is_said(name, value) or any(value is neutral or value == neutral for neutral in _NEUTRAL)):
            yield name


def _is_said(name: str, value: Any) -> bool:
    if name == "activation":
        return isinstance(value, str)
    if name in _OPTIONS:
        return type(value) in {int, float, bool}
    weights = name.endswith(("_initializer", "_regularizer", "_constraint"))
    return weights or name in _SAID_HERE or name in _SAID_ELSEWHERE


def _window(config: Mapping[str, Any]) -> Window | None:
    size = config.get("kernel_size") or config.get("pool_size")
    if size is None:
        return None
    return Window(
        size=_pair(size),
        strides=_pair(config.get("strides") or size),
        dilation=_pair(config.get("dilation_rate", 1)),
        padding=config.get("padding", "valid"),
    )


def _pair(value: int | tuple[int, int] | list[int]) -> tuple[int, int]:
    rows, columns = (value, value) if isinstance(value, int) else value
    return rows, columns
