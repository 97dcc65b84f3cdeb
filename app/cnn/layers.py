"""What a layer is: its place in the network, its shape, and the window through which it reads."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

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


def describe_layers(model: keras.Model) -> tuple[Layer, ...]:
    """All layers but the input, in the order in which the data flows."""
    return tuple(_describe(layer) for layer in computing_layers(model))


def computing_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The Keras layers of a model that compute something, in the order in which the data flows."""
    return (layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer))


def _describe(layer: keras.layers.Layer) -> Layer:
    config: dict[str, Any] = layer.get_config()
    activation = config.get("activation")
    return Layer(
        name=layer.name,
        kind=type(layer).__name__,
        inputs=_inputs(layer),
        output_shape=tuple(layer.output.shape[1:]),
        parameters=layer.count_params(),
        biases=sum(math.prod(weight.shape) for weight in layer.weights if weight.name == "bias"),
        window=_window(config),
        activation=activation if isinstance(activation, str) else None,
        filters=config.get("filters") or config.get("units"),
        pooling=pooling_mode(layer),
        rate=config.get("rate"),
        options=tuple((name, float(config[name])) for name in _OPTIONS if type(config.get(name)) in {int, float}),
        margins=_margins(layer, config),
        factor=_pair(config["size"]) if isinstance(layer, keras.layers.UpSampling2D) else (1, 1),
        axes=_axes(layer, config),
        interpolation=config.get("interpolation"),
        undescribed=tuple(_undescribed(layer, config)),
    )


def _margins(layer: keras.layers.Layer, config: dict[str, Any]) -> tuple[tuple[int, int], tuple[int, int]]:
    if isinstance(layer, keras.layers.ZeroPadding2D):
        (top, bottom), (left, right) = config["padding"]
        return (top, bottom), (left, right)
    if isinstance(layer, keras.layers.Cropping2D):
        (top, bottom), (left, right) = config["cropping"]
        return (-top, -bottom), (-left, -right)
    return (0, 0), (0, 0)


def _axes(layer: keras.layers.Layer, config: dict[str, Any]) -> tuple[int, ...]:
    if isinstance(layer, keras.layers.Permute):
        return tuple(config["dims"])
    axis = config.get("axis")
    return (axis,) if isinstance(axis, int) else tuple(axis or ())


def _undescribed(layer: keras.layers.Layer, config: dict[str, Any]) -> Iterator[str]:
    """The settings that change what the layer computes and that a description leaves out."""
    if type(layer) is not getattr(keras.layers, type(layer).__name__, None) and pooling_mode(layer) is None:
        yield "class"
    if layer.compute_dtype != "float32":
        yield "dtype"
    node = layer._inbound_nodes[-1]
    if len(node.input_tensors) > 1 and len(node.input_tensors) != len(_inputs(layer)):
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


def _inputs(layer: keras.layers.Layer) -> tuple[str, ...]:
    parents = (node.operation for node in layer._inbound_nodes[-1].parent_nodes)
    return tuple(parent.name for parent in parents if not isinstance(parent, keras.layers.InputLayer))


def _window(config: dict[str, Any]) -> Window | None:
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
