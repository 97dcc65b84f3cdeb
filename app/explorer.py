"""The service: from an image to everything that the network made of it. The pages and the API both call it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.cnn.card import Card, Fit
from app.cnn.layers import Layer
from app.cnn.network import Array, ForwardPass, Network
from app.cnn.pooling import PoolingMode
from app.cnn.receptive_field import map_extent
from app.imaging.colormap import Colormap
from app.imaging.drawing import normalise, read_ink
from app.imaging.grid import COLUMNS, Grid, Scale, draw_grid, draw_map, draw_strip
from app.imaging.png import encode_grey


class NoClasses(ValueError):
    """The network answers with a picture, not with a class."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The model “{name}” answers with a picture, not with a class. Ask for its feature maps.")


class NotAFeatureMap(LookupError):
    """The layer has no feature map of this number, or none at all."""


@dataclass(frozen=True)
class Look:
    """How feature maps are drawn.

    Maps with negative values are drawn in the signed colour map, symmetric about zero; without one, in the other.
    """

    colormap: Colormap = Colormap.VIRIDIS
    signed: Colormap | None = Colormap.BERLIN
    scale: Scale = Scale.LAYER
    columns: int = COLUMNS

    def colormap_for(self, activation: Array) -> Colormap:
        return self.signed if self.signed is not None and activation.min() < 0 else self.colormap


@dataclass(frozen=True)
class ClassProbability:
    """How likely one class is, from 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """Which class the network says it is."""

    model: str
    pooling: PoolingMode | None
    label: str
    probability: float
    probabilities: tuple[ClassProbability, ...]  # in the order of the classes
    is_binary: bool  # one neuron's answer: the probability of the second of two classes

    @property
    def ranked(self) -> list[ClassProbability]:
        """The most likely class first."""
        return sorted(self.probabilities, key=lambda each: -each.probability)


@dataclass(frozen=True)
class LayerView:
    """One layer, what it made of the image, and its picture."""

    network: Network
    image: Array
    layer: Layer
    activation: Array
    grid: Grid

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """Height and width of what a cell sees of the image; None: everything, whatever its size."""
        return self.network.receptive_fields[self.layer.name]

    @property
    def extent(self) -> tuple[float, float, float, float] | None:
        """Where the maps lie over the image: top, left, bottom, right in its pixels. None for a vector."""
        if not self.layer.is_spatial:
            return None
        return map_extent(self.network.layers, self.image.shape, self.activation.shape, self.layer.name)

    @property
    def minimum(self) -> float:
        return float(self.activation.min())

    @property
    def maximum(self) -> float:
        return float(self.activation.max())

    @property
    def mean(self) -> float:
        return float(self.activation.mean(dtype=np.float64))

    @property
    def constant_maps(self) -> list[int]:
        """The feature maps that have one value everywhere, so that they show nothing of this image."""
        spread = np.ptp(self.activation, axis=(0, 1))
        return [int(channel) for channel in np.flatnonzero(spread == 0)]

    @property
    def strongest_map(self) -> int:
        """The feature map with the largest mean absolute value."""
        return int(np.abs(self.activation).mean(axis=(0, 1)).argmax())


@dataclass(frozen=True)
class Exploration:
    """Everything that a network made of one image."""

    network: Network
    forward: ForwardPass
    prediction: Prediction | None  # None where the network answers with a picture
    layers: tuple[LayerView, ...]


def see(drawing: bytes, card: Card) -> Array:
    """What a network sees of a drawing: (height, width, channels) float32 in its card's shape and value range.

    Raises: app.imaging.drawing.InvalidDrawing.
    """
    ink = read_ink(drawing)
    if card.fit is Fit.DIGIT:
        height, width, _ = card.input_shape
        ink = np.asarray(normalise(ink, (height or 28, width or 28)) / 255, dtype=np.float32)
    paper, full = card.value_range
    image = paper + ink[..., np.newaxis] * (full - paper)
    return np.repeat(image, card.input_shape[2], axis=2).astype(np.float32)


def explore(
    image: Array, network: Network, pooling: PoolingMode | None, look: Look, layers: Sequence[Layer] | None = None
) -> Exploration:
    """Run the network once and draw the layers, all unless some are named: spatial ones as grids, others as strips."""
    forward = network.run(image, pooling)
    shown = network.layers if layers is None else layers
    views = tuple(_view(network, forward, layer, look) for layer in shown)
    prediction = None if network.answers_with_picture else predict(network, forward)
    return Exploration(network, forward, prediction, views)


def predict(network: Network, forward: ForwardPass) -> Prediction:
    """The network's answer, read from its last layer. Raises: NoClasses."""
    if network.answers_with_picture:
        raise NoClasses(network.name)
    output = forward.output.ravel()
    is_binary = output.size == 1
    if is_binary:
        output = np.array([1 - output[0], output[0]])
    classes = network.card.classes
    probabilities = tuple(ClassProbability(*each) for each in zip(classes, output.tolist(), strict=True))
    best = probabilities[int(output.argmax())]
    return Prediction(network.name, forward.pooling, best.label, best.probability, probabilities, is_binary)


def layer_grid(forward: ForwardPass, layer: Layer, look: Look) -> Grid:
    """The picture of all feature maps of one layer. Raises: NotAFeatureMap for a layer without height and width."""
    return _draw(_feature_maps(forward, layer), look)


def feature_map_grid(forward: ForwardPass, layer: Layer, channel: int, look: Look) -> Grid:
    """The picture of one feature map, in the colours that it has in its layer's grid. Raises: NotAFeatureMap."""
    activation = _feature_maps(forward, layer)
    if not 0 <= channel < activation.shape[2]:
        raise NotAFeatureMap(
            f"The layer “{layer.name}” has no feature map {channel}. It has 0 to {activation.shape[2] - 1}."
        )
    return draw_map(activation, channel, look.colormap_for(activation), look.scale)


def _feature_maps(forward: ForwardPass, layer: Layer) -> Array:
    if not layer.is_spatial:
        raise NotAFeatureMap(f"The layer “{layer.name}” ({layer.kind}) has no feature maps: its output is a vector.")
    return forward.activations[layer.name]


def _view(network: Network, forward: ForwardPass, layer: Layer, look: Look) -> LayerView:
    activation = forward.activations[layer.name]
    return LayerView(network, forward.image, layer, activation, _draw(activation, look))


def _draw(activation: Array, look: Look) -> Grid:
    colormap = look.colormap_for(activation)
    if activation.ndim == 3:
        return draw_grid(activation, colormap, look.scale, look.columns)
    return draw_strip(activation.ravel(), colormap)


def draw_image(image: Array, card: Card) -> bytes:
    """What the network sees as a grey PNG: paper black and ink white, one pixel a value."""
    paper, full = card.value_range
    return _draw_grey((image.mean(axis=2) - paper) / (full - paper))


def draw_answer(forward: ForwardPass) -> bytes:
    """The answer of a network that answers with a picture, as a grey PNG: 0 black, 1 white."""
    return _draw_grey(forward.output.mean(axis=2))


def _draw_grey(levels: NDArray[np.float32]) -> bytes:
    return encode_grey(np.round(np.clip(levels, 0, 1) * 255).astype(np.uint8))
