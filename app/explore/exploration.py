"""From a forward pass to the prediction and a picture of each layer's feature maps."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Card, Ink
from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network
from ..cnn.preprocessing import colour_channels, to_levels
from ..cnn.types import Array
from ..imaging.colormap import Colormap, Extremes, Scale, find_extremes
from ..imaging.encoding import encode_levels
from ..imaging.grid import COLUMNS, Grid, draw_grid, draw_map, draw_strip
from .prediction import Prediction, predict

# Encoding a large picture releases the GIL, so large ones are drawn in parallel. Drawing a small one mostly holds it.
_PARALLEL_PIXELS = 250_000
_pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="draw")


class NotAFeatureMap(LookupError):
    """The layer has no feature map of this index, or none at all."""


@dataclass(frozen=True)
class RenderOptions:
    """Options for drawing feature maps."""

    colormap: Colormap = Colormap.VIRIDIS
    signed: Colormap | None = Colormap.BERLIN  # for a layer with negative values; None: `colormap` for it as well
    scale: Scale = Scale.LAYER
    columns: int = COLUMNS

    def colormap_for(self, activation: Array) -> Colormap:
        return self.colormap_from(float(activation.min()))

    def colormap_from(self, minimum: float) -> Colormap:
        """Return the colour map for an activation with this minimum."""
        return self.signed if self.signed is not None and minimum < 0 else self.colormap


@dataclass(frozen=True)
class MapRange:
    """The feature maps of a layer to draw, or the units of a vector: `count` from `first` on."""

    layer: Layer
    first: int = 0
    count: int | None = None  # None: up to the last one


@dataclass(frozen=True)
class LayerView:
    """One layer's activation and a picture of its maps. The statistics are those of all its maps."""

    network: Network
    image: Array
    layer: Layer
    activation: Array
    extremes: Extremes
    grid: Grid

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """Height and width in pixels of the image; None: all of an image of any size."""
        return self.network.receptive_fields[self.layer.name]

    @property
    def extent(self) -> tuple[float, float, float, float] | None:
        """The rectangle of the image that the maps cover: top, left, bottom, right in pixels. None for a vector."""
        if not self.layer.is_spatial:
            return None
        return self.network.extent(self.layer, self.image, self.activation)

    @property
    def minimum(self) -> float:
        return float(self.extremes.lowest)

    @property
    def maximum(self) -> float:
        return float(self.extremes.highest)

    @property
    def mean(self) -> float:
        return float(self.activation.mean(dtype=np.float64))

    @property
    def constant_maps(self) -> list[int]:
        """The feature maps that have the same value everywhere, and so show nothing of this image."""
        return [int(channel) for channel in np.flatnonzero(self.extremes.low == self.extremes.high)]

    @property
    def strongest_map(self) -> int:
        """The feature map with the largest mean absolute value."""
        sizes = np.abs(self.activation).reshape(-1, self.activation.shape[-1])
        with np.errstate(over="ignore", invalid="ignore"):  # an overflowing sum is infinite, and so the largest
            return int((np.ones(len(sizes), np.float32) @ sizes).argmax())  # three times as fast as .sum(axis=0)


@dataclass(frozen=True)
class Exploration:
    """A network's answer to one image, and the layers that were drawn."""

    network: Network
    forward: ForwardPass
    prediction: Prediction | None  # None where the network answers with a picture
    layers: tuple[LayerView, ...]


def explore(
    network: Network, forward: ForwardPass, options: RenderOptions, ranges: Iterable[MapRange] | None = None
) -> Exploration:
    """Read a network's answer and draw its layers: feature maps as grids, vectors as strips.

    ranges: what to draw, by default everything. Layers that are left out cost nothing.
    """
    wanted = [MapRange(layer) for layer in network.layers] if ranges is None else list(ranges)
    largest = max((forward.activations[each.layer.name].size for each in wanted), default=0)
    draw = _pool.map if largest > _PARALLEL_PIXELS else map
    views = tuple(draw(lambda each: _view(network, forward, each, options), wanted))
    prediction = None if network.answers_with_picture else predict(network, forward)
    return Exploration(network, forward, prediction, views)


def draw_layer(forward: ForwardPass, maps: MapRange, options: RenderOptions) -> Grid:
    """Draw feature maps of a layer, on the colour scale of all of them. Raises: NotAFeatureMap."""
    activation = _feature_maps(forward, maps.layer)
    _check_map(activation, maps.layer, maps.first)
    return _draw(activation, find_extremes(activation), maps, options)


def draw_feature_map(forward: ForwardPass, layer: Layer, channel: int, options: RenderOptions) -> Grid:
    """Draw one feature map, in the colours that it has in its layer's grid. Raises: NotAFeatureMap."""
    activation = _feature_maps(forward, layer)
    _check_map(activation, layer, channel)
    return draw_map(activation, channel, options.colormap_for(activation), options.scale)


def all_maps(layer: Layer) -> MapRange:
    """Return the range of all feature maps of a layer. Raises: NotAFeatureMap for one without height and width."""
    if not layer.is_spatial:
        raise NotAFeatureMap(f"The layer “{layer.name}” ({layer.kind}) has no feature maps: its output is a vector.")
    return MapRange(layer)


def _feature_maps(forward: ForwardPass, layer: Layer) -> Array:
    return forward.activations[all_maps(layer).layer.name]


def _check_map(activation: Array, layer: Layer, channel: int) -> None:
    if not 0 <= channel < activation.shape[2]:
        raise NotAFeatureMap(
            f"The layer “{layer.name}” has no feature map {channel}. It has 0 to {activation.shape[2] - 1}."
        )


def _view(network: Network, forward: ForwardPass, maps: MapRange, options: RenderOptions) -> LayerView:
    activation = forward.activations[maps.layer.name]
    extremes = find_extremes(as_maps(activation))
    grid = _draw(activation, extremes, maps, options)
    return LayerView(network, forward.image, maps.layer, activation, extremes, grid)


def as_maps(activation: Array) -> Array:
    """Return a vector as one map, (units, 1, 1); feature maps as they are."""
    return activation if activation.ndim == 3 else activation.reshape(-1, 1, 1)


def _draw(activation: Array, extremes: Extremes, maps: MapRange, options: RenderOptions) -> Grid:
    colormap = options.colormap_from(float(extremes.lowest))
    if activation.ndim == 3:
        return draw_grid(activation, colormap, options.scale, options.columns, extremes, maps.first, maps.count)
    return draw_strip(activation.ravel(), colormap, first=maps.first, count=maps.count)


def draw_image(image: Array, card: Card) -> bytes:
    """Draw a network's input as a PNG, one pixel a value, undoing its card's range, mean, std and channel order.

    3 and 4 channels give colours, any other number gives grey: the mean of more than 4. Alpha is blended over the
    colour of paper: white, or black where ink is bright.
    """
    levels, colours = to_levels(image, card), colour_channels(image.shape[2])
    if colours < image.shape[2]:
        alpha = np.clip(levels[..., colours:] / 255, 0, 1)
        levels = levels[..., :colours] * alpha + (0 if card.ink is Ink.BRIGHT else 255) * (1 - alpha)
    return _draw_levels(levels)


def draw_answer(forward: ForwardPass) -> bytes:
    """Draw the output of a network that answers with a picture as a PNG: 0 is black, 1 is white, NaN is black.

    3 channels give colours, any other number gives their mean in grey.
    """
    return _draw_levels(forward.output * np.float32(255))


def _draw_levels(levels: NDArray[Any]) -> bytes:
    """Encode levels from 0 to 255, (height, width, channels), as a PNG."""
    if levels.shape[2] != 3:
        levels = levels[..., 0] if levels.shape[2] == 1 else levels.mean(axis=2)
    return encode_levels(np.rint(np.fmin(np.fmax(levels, 0), 255)).astype(np.uint8))  # fmax turns NaN into 0
