"""The service: from an image to everything that the network made of it. The pages and the API both call it."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.cnn.card import Card, Fit, Ink
from app.cnn.layers import Layer
from app.cnn.network import Array, ForwardPass, Network
from app.cnn.preprocessing import colour_channels, to_levels, to_values
from app.explore.prediction import Prediction, predict
from app.imaging.colormap import Colormap
from app.imaging.drawing import DEFAULT_LIMITS, DrawingLimits, decode
from app.imaging.encoding import encode_levels
from app.imaging.grid import COLUMNS, Grid, draw_grid, draw_map, draw_strip
from app.imaging.ink import normalise, read_ink
from app.imaging.quantize import Extremes, Scale, measure
from app.imaging.resize import MIN_FREE_SIDE, ResizeMode, choose_size, pad, resize

# Encoding a picture leaves the interpreter free: large ones are drawn at once. Of small ones most is Python's own work.
_PARALLEL_PIXELS = 250_000
_artists = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="artist")


class NotAFeatureMap(LookupError):
    """The layer has no feature map of this number, or none at all."""


@dataclass(frozen=True)
class RenderOptions:
    """How feature maps are drawn.

    Maps with negative values are drawn in the signed colour map, symmetric about zero; without one, in the other.
    """

    colormap: Colormap = Colormap.VIRIDIS
    signed: Colormap | None = Colormap.BERLIN
    scale: Scale = Scale.LAYER
    columns: int = COLUMNS

    def colormap_for(self, activation: Array) -> Colormap:
        return self.colormap_from(float(activation.min()))

    def colormap_from(self, minimum: float) -> Colormap:
        """The colour map of an activation whose lowest value is known."""
        return self.signed if self.signed is not None and minimum < 0 else self.colormap


@dataclass(frozen=True)
class Part:
    """The feature maps of a layer that shall be drawn, or the units of its vector: all of them, or some."""

    layer: Layer
    first: int = 0
    count: int | None = None  # None: to the last one


@dataclass(frozen=True)
class LayerView:
    """One layer, what it made of the image, and a picture of its maps. The figures are those of the whole layer."""

    network: Network
    image: Array
    layer: Layer
    activation: Array
    extremes: Extremes
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
        """The feature maps that have one value everywhere, so that they show nothing of this image."""
        return [int(channel) for channel in np.flatnonzero(self.extremes.low == self.extremes.high)]

    @property
    def strongest_map(self) -> int:
        """The feature map with the largest mean absolute value."""
        sizes = np.abs(self.activation).reshape(-1, self.activation.shape[-1])
        with np.errstate(over="ignore", invalid="ignore"):  # a sum beyond float32 is infinite, and so the largest
            return int((np.ones(len(sizes), np.float32) @ sizes).argmax())  # three times as fast as .sum(axis=0)


@dataclass(frozen=True)
class Exploration:
    """Everything that a network made of one image."""

    network: Network
    forward: ForwardPass
    prediction: Prediction | None  # None where the network answers with a picture
    layers: tuple[LayerView, ...]  # those that were to be drawn


def see(drawing: bytes, card: Card, limits: DrawingLimits = DEFAULT_LIMITS) -> Array:
    """What a network sees of a drawing: (height, width, channels) float32, by its card's fit, range and channels.

    A side that the input leaves free is at least 32 pixels long, and at most 1,024 where ink is found at its own size,
    512 otherwise. Raises: app.imaging.drawing.InvalidDrawing.
    """
    find_levels = _ink_levels if card.finds_ink else _picture_levels
    return to_values(find_levels(drawing, card, limits), card)


def _ink_levels(drawing: bytes, card: Card, limits: DrawingLimits) -> NDArray[np.float32]:
    """The drawing's ink, found and painted in grey: (height, width, channels), 0 to 255."""
    height, width, channels = card.input_shape
    ink = read_ink(drawing, limits)
    if card.fit is Fit.DIGIT:
        grey = normalise(ink, (height or 28, width or 28)).astype(np.float32)
    else:
        grey = pad(np.asarray(ink, dtype=np.float32), MIN_FREE_SIDE, paper=0)
    grey = grey if card.ink is Ink.BRIGHT else 255 - grey
    levels = np.full((*grey.shape, channels), 255, dtype=np.float32)
    levels[..., : colour_channels(channels)] = grey[..., np.newaxis]
    return levels


def _picture_levels(drawing: bytes, card: Card, limits: DrawingLimits) -> NDArray[np.uint8]:
    """The picture in the input's size: (height, width, channels), 0 to 255."""
    height, width, channels = card.input_shape
    picture = decode(drawing, limits)
    # An input of any size is given the picture's own, in which nothing is to be fitted.
    mode = ResizeMode.FIT if card.fit in {Fit.ORIGINAL, Fit.DIGIT} else ResizeMode(card.fit)
    levels = resize(picture, choose_size(picture, height, width), mode, channels)
    if card.ink is Ink.DARK:
        return levels
    colours = colour_channels(channels)
    return np.concatenate([255 - levels[..., :colours], levels[..., colours:]], axis=2)


def explore(
    network: Network, forward: ForwardPass, look: RenderOptions, parts: Iterable[Part] | None = None
) -> Exploration:
    """Read a network's answer and draw its layers, all unless some are named: spatial ones as grids, others as strips.

    What is not drawn costs nothing, however large the network is.
    """
    wanted = [Part(layer) for layer in network.layers] if parts is None else list(parts)
    largest = max((forward.activations[part.layer.name].size for part in wanted), default=0)
    draw = _artists.map if largest > _PARALLEL_PIXELS else map
    views = tuple(draw(lambda part: _view(network, forward, part, look), wanted))
    prediction = None if network.answers_with_picture else predict(network, forward)
    return Exploration(network, forward, prediction, views)


def layer_grid(forward: ForwardPass, part: Part, look: RenderOptions) -> Grid:
    """The picture of a layer's feature maps. Raises: NotAFeatureMap for a layer or a map that is not there."""
    activation = _feature_maps(forward, part.layer)
    _check_map(activation, part.layer, part.first)
    return _draw(activation, measure(activation), part, look)


def feature_map_grid(forward: ForwardPass, layer: Layer, channel: int, look: RenderOptions) -> Grid:
    """The picture of one feature map, in the colours that it has in its layer's grid. Raises: NotAFeatureMap."""
    activation = _feature_maps(forward, layer)
    _check_map(activation, layer, channel)
    return draw_map(activation, channel, look.colormap_for(activation), look.scale)


def feature_maps(layer: Layer) -> Part:
    """All feature maps of a layer. Raises: NotAFeatureMap for one without height and width."""
    if not layer.is_spatial:
        raise NotAFeatureMap(f"The layer “{layer.name}” ({layer.kind}) has no feature maps: its output is a vector.")
    return Part(layer)


def _feature_maps(forward: ForwardPass, layer: Layer) -> Array:
    return forward.activations[feature_maps(layer).layer.name]


def _check_map(activation: Array, layer: Layer, channel: int) -> None:
    if not 0 <= channel < activation.shape[2]:
        raise NotAFeatureMap(
            f"The layer “{layer.name}” has no feature map {channel}. It has 0 to {activation.shape[2] - 1}."
        )


def _view(network: Network, forward: ForwardPass, part: Part, look: RenderOptions) -> LayerView:
    activation = forward.activations[part.layer.name]
    extremes = measure(as_maps(activation))
    grid = _draw(activation, extremes, part, look)
    return LayerView(network, forward.image, part.layer, activation, extremes, grid)


def as_maps(activation: Array) -> Array:
    """A vector as one map, however many units it has; feature maps as they are."""
    return activation if activation.ndim == 3 else activation.reshape(-1, 1, 1)


def _draw(activation: Array, extremes: Extremes, part: Part, look: RenderOptions) -> Grid:
    colormap = look.colormap_from(float(extremes.lowest))
    if activation.ndim == 3:
        return draw_grid(activation, colormap, look.scale, look.columns, extremes, part.first, part.count)
    return draw_strip(activation.ravel(), colormap, first=part.first, count=part.count)


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
    if levels.shape[2] != 3:
        levels = levels[..., 0] if levels.shape[2] == 1 else levels.mean(axis=2)
    return encode_levels(np.rint(np.fmin(np.fmax(levels, 0), 255)).astype(np.uint8))  # fmax: 0 for what is no number
