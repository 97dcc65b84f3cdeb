"""The service: from an image to everything that the network made of it. The pages and the API both call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.cnn.card import Card, Fit, Ink
from app.cnn.layers import Layer
from app.cnn.levels import colour_channels, to_levels, to_values
from app.cnn.network import Array, ForwardPass, Network
from app.cnn.pooling import PoolingMode
from app.cnn.receptive_field import map_extent
from app.imaging.colormap import Colormap
from app.imaging.drawing import decode
from app.imaging.grid import COLUMNS, Grid, Scale, draw_grid, draw_map, draw_strip
from app.imaging.ink import normalise, read_ink
from app.imaging.picture import MIN_FREE_SIDE, Placing, find_size, margined, place
from app.imaging.png import encode_levels
from app.prediction import Prediction, predict


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
        lowest, highest = self.activation.min(axis=(0, 1)), self.activation.max(axis=(0, 1))
        return [int(channel) for channel in np.flatnonzero(lowest == highest)]

    @property
    def strongest_map(self) -> int:
        """The feature map with the largest mean absolute value."""
        return int(np.abs(self.activation).mean(axis=(0, 1), dtype=np.float64).argmax())


@dataclass(frozen=True)
class Exploration:
    """Everything that a network made of one image."""

    network: Network
    forward: ForwardPass
    prediction: Prediction | None  # None where the network answers with a picture
    layers: tuple[LayerView, ...]


def see(drawing: bytes, card: Card) -> Array:
    """What a network sees of a drawing: (height, width, channels) float32, by its card's fit, range and channels.

    A side that the input leaves free is at least 32 pixels long, and at most 1,024 where ink is found at its own size,
    512 otherwise. Raises: app.imaging.drawing.InvalidDrawing.
    """
    return to_values(_ink_levels(drawing, card) if card.finds_ink else _picture_levels(drawing, card), card)


def _ink_levels(drawing: bytes, card: Card) -> NDArray[np.float32]:
    """The drawing's ink, found and painted in grey: (height, width, channels), 0 to 255."""
    height, width, channels = card.input_shape
    ink = read_ink(drawing)
    if card.fit is Fit.DIGIT:
        grey = normalise(ink, (height or 28, width or 28)).astype(np.float32)
    else:
        grey = margined(ink, MIN_FREE_SIDE, paper=0) * 255
    grey = grey if card.ink is Ink.BRIGHT else 255 - grey
    levels = np.full((*grey.shape, channels), 255, dtype=np.float32)
    levels[..., : colour_channels(channels)] = grey[..., np.newaxis]
    return levels


def _picture_levels(drawing: bytes, card: Card) -> NDArray[np.uint8]:
    """The picture in the input's size: (height, width, channels), 0 to 255."""
    height, width, channels = card.input_shape
    picture = decode(drawing)
    # An input of any size is given the picture's own, in which nothing is to be fitted.
    placing = Placing.FIT if card.fit in {Fit.ORIGINAL, Fit.DIGIT} else Placing(card.fit)
    levels = place(picture, find_size(picture, height, width), placing, channels)
    if card.ink is Ink.DARK:
        return levels
    colours = colour_channels(channels)
    return np.concatenate([255 - levels[..., :colours], levels[..., colours:]], axis=2)


def explore(
    image: Array, network: Network, pooling: PoolingMode | None, look: Look, layers: Sequence[Layer] | None = None
) -> Exploration:
    """Run the network once and draw the layers, all unless some are named: spatial ones as grids, others as strips."""
    forward = network.run(image, pooling)
    shown = network.layers if layers is None else layers
    views = tuple(_view(network, forward, layer, look) for layer in shown)
    prediction = None if network.answers_with_picture else predict(network, forward)
    return Exploration(network, forward, prediction, views)


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
    """What the network sees as a PNG, one pixel a value, its card's range, mean, std and channel order undone.

    In colour for 3 and 4 channels; otherwise in grey, of more than 4 their mean. Where a channel is alpha, on paper:
    white, or black where ink is bright.
    """
    levels, colours = to_levels(image, card), colour_channels(image.shape[2])
    if colours < image.shape[2]:
        alpha = np.clip(levels[..., colours:] / 255, 0, 1)
        levels = levels[..., :colours] * alpha + (0 if card.ink is Ink.BRIGHT else 255) * (1 - alpha)
    return _draw_levels(levels)


def draw_answer(forward: ForwardPass) -> bytes:
    """The answer of a network that answers with a picture, as a PNG: 0 black, 1 white.

    Of three channels in colour, of more or fewer their mean in grey. What is not a number is black.
    """
    return _draw_levels(forward.output * np.float32(255))


def _draw_levels(levels: NDArray[Any]) -> bytes:
    """Levels from 0 to 255, (height, width, channels), as a PNG."""
    shown = levels if levels.shape[2] == 3 else levels.mean(axis=2)
    shown = np.nan_to_num(np.clip(np.round(shown), 0, 255)).astype(np.uint8)
    return encode_levels(shown)
