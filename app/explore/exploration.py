"""From a forward pass to the prediction and a picture of each layer's feature maps."""

import math
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cnn.card import Card, Ink
from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network
from ..cnn.preprocessing import colour_channels, to_levels
from ..cnn.types import Array, as_maps_shape
from ..imaging.colormap import (
    Colormap,
    Difference,
    Extremes,
    OneMap,
    Scale,
    Values,
    cut_blocks,
    find_extremes,
    find_mean,
    shift,
    thin,
)
from ..imaging.encoding import encode_levels
from ..imaging.grid import COLUMNS, Grid, Layout, draw_grid, draw_map, draw_strip, lay_out_grid, lay_out_strip
from .large_layers import LARGE, finish, open_maps, reading
from .prediction import Prediction, predict

# Encoding a large picture releases the GIL, so large ones are drawn in parallel. Drawing a small one mostly holds it.
_PARALLEL_PIXELS = 250_000
FEWER_LAYERS = "Name fewer layers, or smaller ones, with layers=."
_FEWER_MAPS = "Ask for fewer maps, with count=."
_SMALLER = "Ask for fewer pixels a cell, with zoom=."
PAGE_PICTURE = 2**20  # pixels of a network's input or answer on a page; no screen shows more of them
_MANY_MAPS = 2**16  # so many that a layer's view does not keep the extremes of each
_AT_ONCE = 2**18  # values of a picture that are turned into levels at once
_EVERY = slice(None)
_pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="draw")


class NotAFeatureMap(LookupError):
    """The layer has no feature map of this index, or none at all."""


class TooManyPixels(ValueError):
    """The pictures that were asked for are too large for one answer."""

    def __init__(self, pixels: int, most: int, advice: str) -> None:
        super().__init__(f"The pictures of this answer would have {pixels:,} pixels; {most:,} is the most. {advice}")


@dataclass(frozen=True)
class RenderOptions:
    """Options for drawing feature maps."""

    colormap: Colormap = Colormap.VIRIDIS
    signed: Colormap | None = Colormap.BERLIN  # for a layer with negative values; None: `colormap` for it as well
    scale: Scale = Scale.LAYER
    columns: int = COLUMNS
    trained: ForwardPass | None = None  # of the same drawing, as trained: with Scale.HOLD the scale is its own
    differences: bool = False  # draw each layer minus the same one in `trained`

    @classmethod
    def chosen(
        cls,
        colormap: Colormap | None = None,
        signed: Colormap | None = None,
        scale: Scale = Scale.LAYER,
        columns: int = COLUMNS,
        differences: bool = False,
    ) -> "RenderOptions":
        """Return options with these choices. A colour map that is chosen is used for negative values as well.

        signed: another one for those.
        """
        if colormap is None:
            return cls(signed=signed or Colormap.BERLIN, scale=scale, columns=columns, differences=differences)
        return cls(colormap, signed=signed, scale=scale, columns=columns, differences=differences)

    @property
    def subtracted(self) -> ForwardPass | None:
        """The forward pass that layers are drawn minus; None where they are drawn as they are."""
        return self.trained if self.differences else None

    @property
    def passes(self) -> tuple[ForwardPass, ...]:
        """The forward passes that are read beside the one that is drawn."""
        return () if self.trained is None else (self.trained,)

    def colormap_for(self, activation: Array) -> Colormap:
        return self.colormap_from(float(activation.min()))

    def colormap_from(self, minimum: float) -> Colormap:
        """Return the colour map for an activation with this minimum."""
        return self.signed if self.signed is not None and minimum < 0 else self.colormap

    @property
    def diverging(self) -> Colormap:
        """The colour map for weights, sums and differences, which is symmetric about zero."""
        return self.signed or Colormap.BERLIN


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
    is_difference: bool = False  # the picture shows the activation minus the one as trained

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """Height and width in pixels of the image; None: all of an image of any size."""
        return self.network.receptive_fields[self.layer.name]

    @property
    def extent(self) -> tuple[float, float, float, float] | None:
        """The rectangle of the image that the maps cover: top, left, bottom, right in pixels.

        None for a vector, and for maps that do not depend on the image.
        """
        if not self.layer.is_spatial or self.network.card.takes_numbers:
            return None
        return self.network.extent(self.layer, self.image, self.activation)

    @property
    def minimum(self) -> float:
        return float(self.extremes.lowest)

    @property
    def maximum(self) -> float:
        return float(self.extremes.highest)

    @cached_property
    def mean(self) -> float:
        return float(self.activation.mean(dtype=np.float64))

    @property
    def constant_maps(self) -> list[int]:
        """The first thousand feature maps that have the same value everywhere, and so show nothing of this image."""
        return self.extremes.constant_maps

    @property
    def constant_count(self) -> int:
        """The number of all such maps."""
        return self.extremes.constant_count

    @cached_property
    def strongest_map(self) -> int:
        """The feature map with the largest mean absolute value."""
        if self.activation.size <= LARGE:
            return int(_add_sizes(self.activation).argmax())
        return _find_strongest_map(as_maps(self.activation))

    def measure(self, values: Values) -> None:
        """Work out now what pages and answers ask for, so that the activation is not read again.

        values: the activation as maps.
        """
        vars(self)["mean"] = find_mean(values)  # as if they had been asked for already
        vars(self)["strongest_map"] = _find_strongest_map(values)


def _find_strongest_map(maps: Values) -> int:
    """Return the map of many values with the largest sum of absolute values."""
    height, width, channels = maps.shape
    strongest, largest = 0, -1.0
    for first in range(0, channels, _MANY_MAPS):
        sums = np.zeros(min(_MANY_MAPS, channels - first))
        for block in cut_blocks((height, width, sums.size)):
            sums[block[2]] += _add_sizes(maps[shift(block, first)])
        here = int(sums.argmax())
        if np.isnan(sums[here]):
            return first + here
        if sums[here] > largest:
            strongest, largest = first + here, float(sums[here])
    return strongest


def _add_sizes(activation: Array) -> Array:
    """Return the sum of each map's absolute values."""
    sizes = np.abs(activation).reshape(-1, activation.shape[-1])
    with np.errstate(over="ignore", invalid="ignore"):  # an overflowing sum is infinite, and so the largest
        return np.asarray(np.ones(len(sizes), np.float32) @ sizes)  # three times as fast as .sum(axis=0)


@dataclass(frozen=True)
class Exploration:
    """A network's answer to one image, and the layers that were drawn."""

    network: Network
    forward: ForwardPass
    prediction: Prediction | None  # None where the network answers with a picture
    layers: tuple[LayerView, ...]

    @property
    def example(self) -> tuple[str, int] | None:
        """A map to begin with, by its layer and number: that of the first convolution's highest value.

        The map with the largest sum is often one that answers to paper alone.
        """
        views = (view for view in self.layers if view.layer.is_convolution and view.layer.is_spatial)
        first = next(views, None)
        if first is None or not first.extremes.high.size:
            return None
        return first.layer.name, int(first.extremes.high.argmax())


def explore(
    network: Network,
    forward: ForwardPass,
    options: RenderOptions,
    ranges: Iterable[MapRange] | None = None,
    most_pixels: int | None = None,
) -> Exploration:
    """Read a network's answer and draw its layers: feature maps as grids, vectors as strips.

    ranges: what to draw, by default everything. Layers that are left out cost nothing. most_pixels: of all pictures.
    Raises: TooManyPixels.
    """
    wanted = [MapRange(layer) for layer in network.layers] if ranges is None else list(ranges)
    if most_pixels is not None:
        require_pixels(sum(count_pixels(forward, each, options) for each in wanted), most_pixels, FEWER_LAYERS)
    largest = max((forward.activations[each.layer.name].size for each in wanted), default=0)
    draw = _pool.map if largest > _PARALLEL_PIXELS else map
    views = tuple(draw(lambda each: _view(network, forward, each, options), wanted))
    prediction = None if network.answers_with_picture else predict(network, forward)
    finish(forward, *options.passes)
    return Exploration(network, forward, prediction, views)


def count_pixels(forward: ForwardPass, maps: MapRange, options: RenderOptions) -> int:
    """Return the size of the picture of some of a layer's maps, or of a vector's units."""
    layout = lay_out(forward, maps, options)
    return layout.width * layout.height


def lay_out(forward: ForwardPass, maps: MapRange, options: RenderOptions) -> Layout:
    """Return the layout of that picture."""
    shape = forward.activations[maps.layer.name].shape
    has_maps = len(shape) > 1
    height, width, channels = as_maps_shape(shape)
    total = channels if has_maps else math.prod(shape)
    count = total - maps.first if maps.count is None else min(maps.count, total - maps.first)
    return lay_out_grid(height, width, count, options.columns) if has_maps else lay_out_strip(count)


def require_pixels(pixels: int, most: int, advice: str) -> None:
    """Check the size of pictures. Raises: TooManyPixels."""
    if pixels > most:
        raise TooManyPixels(pixels, most, advice)


def draw_layer(
    forward: ForwardPass, maps: MapRange, options: RenderOptions, most_pixels: int | None = None, zoom: int = 1
) -> Grid:
    """Draw feature maps of a layer, on the colour scale of all of them.

    most_pixels: of the picture once it is enlarged by `zoom`. Raises: NotAFeatureMap, TooManyPixels.
    """
    activation = _feature_maps(forward, maps.layer)
    _check_map(activation, maps.layer, maps.first)
    if most_pixels is not None:
        pixels = count_pixels(forward, maps, options) * zoom**2
        require_pixels(pixels, most_pixels, _SMALLER if zoom > 1 else _FEWER_MAPS)
    with reading(activation.size, forward, *options.passes):
        values = open_maps(activation, forward)
        if options.subtracted:
            return _draw_difference(values, options.subtracted, maps, options)
        return _draw(values, find_extremes(values), maps, options)


def draw_feature_map(
    forward: ForwardPass,
    layer: Layer,
    channel: int,
    options: RenderOptions,
    most_pixels: int | None = None,
    zoom: int = 1,
) -> Grid:
    """Draw one feature map, in the colours that it has in its layer's grid.

    most_pixels: of the picture once it is enlarged by `zoom`. Raises: NotAFeatureMap, TooManyPixels.
    """
    activation = _feature_maps(forward, layer)
    _check_map(activation, layer, channel)
    if most_pixels is not None:
        require_pixels(math.prod(activation.shape[:2]) * zoom**2, most_pixels, _SMALLER)
    with reading(activation.size, forward, *options.passes):
        values = open_maps(activation, forward)
        if options.subtracted:
            return draw_map(_subtract(values, options.subtracted, layer), channel, options.diverging)
        scaled = hold_scale(layer, find_extremes(values), options)
        return draw_map(values, channel, scaled.colormap, scaled.scale, scaled.ends)


def read_map(forward: ForwardPass, layer: Layer, channel: int) -> Values:
    """Return one feature map, (height, width, 1), or a vector as a single row. Raises: NotAFeatureMap."""
    activation = forward.activations[layer.name]
    maps = activation.reshape(as_maps_shape(activation.shape))
    _check_map(maps, layer, channel)
    return OneMap(open_maps(maps, forward), channel)


def all_maps(layer: Layer) -> MapRange:
    """Return the range of all feature maps of a layer. Raises: NotAFeatureMap for one without height and width."""
    if not layer.is_spatial:
        raise NotAFeatureMap(f"The layer “{layer.name}” ({layer.kind}) has no feature maps: its output is a vector.")
    return MapRange(layer)


def _feature_maps(forward: ForwardPass, layer: Layer) -> Array:
    return as_maps(forward.activations[all_maps(layer).layer.name])


def _check_map(activation: Array, layer: Layer, channel: int) -> None:
    if not 0 <= channel < activation.shape[2]:
        raise NotAFeatureMap(
            f"The layer “{layer.name}” has no feature map {channel}. It has 0 to {activation.shape[2] - 1}."
        )


def _view(network: Network, forward: ForwardPass, maps: MapRange, options: RenderOptions) -> LayerView:
    activation = forward.activations[maps.layer.name]
    trained = options.subtracted
    with reading(activation.size, forward, *options.passes):
        values = open_maps(as_maps(activation), forward)
        extremes = find_extremes(values)
        grid = _draw_difference(values, trained, maps, options) if trained else _draw(values, extremes, maps, options)
        return make_view(network, forward.image, maps.layer, activation, extremes, grid, values, trained is not None)


def make_view(
    network: Network,
    image: Array,
    layer: Layer,
    activation: Array,
    extremes: Extremes,
    grid: Grid,
    values: Values,
    is_difference: bool = False,
) -> LayerView:
    """Return the view of a layer, with the statistics of a large one. values: the activation as maps."""
    view = LayerView(network, image, layer, activation, _keep(extremes), grid, is_difference)
    if activation.size > LARGE:
        view.measure(values)
    return view


def _keep(extremes: Extremes) -> Extremes:
    return extremes.summarise() if extremes.low.size > _MANY_MAPS else extremes


def as_maps(activation: Array) -> Array:
    """Return an output as (height, width, channels): a vector as one map, (units, 1, 1); see also as_maps_shape."""
    if activation.ndim == 3:
        return activation
    return activation.reshape(-1, 1, 1) if activation.ndim < 2 else activation.reshape(as_maps_shape(activation.shape))


class Scaled(NamedTuple):
    """The colours of a layer, and the values at their ends."""

    colormap: Colormap
    scale: Scale
    ends: Extremes


def hold_scale(layer: Layer, extremes: Extremes, options: RenderOptions) -> Scaled:
    """Return the colours of a layer with these extremes: with Scale.HOLD those that it has as trained."""
    own = options.scale if options.trained or options.scale is not Scale.HOLD else Scale.LAYER
    if own is not Scale.HOLD or options.trained is None:
        return Scaled(options.colormap_from(float(extremes.lowest)), own, extremes)
    activation = options.trained.activations[layer.name]
    ends = find_extremes(open_maps(as_maps(activation), options.trained))
    lowest = min(float(extremes.lowest), float(ends.lowest))
    if not (math.isfinite(lowest) and math.isfinite(extremes.highest) and math.isfinite(ends.highest)):
        return Scaled(options.colormap_from(float(extremes.lowest)), Scale.LAYER, extremes)
    return Scaled(options.colormap_from(lowest), Scale.HOLD, ends)


def _draw(values: Values, extremes: Extremes, maps: MapRange, options: RenderOptions) -> Grid:
    colormap, scale, ends = hold_scale(maps.layer, extremes, options)
    if maps.layer.is_spatial:
        return draw_grid(values, colormap, scale, options.columns, ends, maps.first, maps.count)
    return draw_strip(values, colormap, first=maps.first, count=maps.count, extremes=ends, scale=scale)


def _draw_difference(values: Values, trained: ForwardPass, maps: MapRange, options: RenderOptions) -> Grid:
    change = _subtract(values, trained, maps.layer)
    if maps.layer.is_spatial:
        return draw_grid(change, options.diverging, columns=options.columns, first=maps.first, count=maps.count)
    return draw_strip(change, options.diverging, first=maps.first, count=maps.count)


def _subtract(values: Values, trained: ForwardPass, layer: Layer) -> Difference:
    return Difference(values, open_maps(as_maps(trained.activations[layer.name]), trained))


def draw_image(image: Array, card: Card, most_pixels: int | None = None) -> bytes:
    """Draw a network's input as a PNG, one pixel a value, undoing its card's range, mean, std and channel order.

    most_pixels: rows and columns are left out of a larger one. 3 and 4 channels give colours, any other number gives
    grey: the mean of more than 4. Alpha is blended over the colour of paper: white, or black where ink is bright.
    """
    return _draw_picture(image if most_pixels is None else thin(image, most_pixels), partial(_colour_levels, card=card))


def draw_answer(forward: ForwardPass, lowest: float = 0) -> bytes:
    """Draw the output of a network that answers with a picture as a PNG: the lowest value is black, as NaN, 1 is white.

    Rows and columns are left out of one that is larger than PAGE_PICTURE. 3 channels give colours, any other number
    gives their mean in grey.
    """
    output = forward.output
    low, levels = np.float32(lowest), np.float32(255 / (1 - lowest))
    with reading(output.size, forward):
        return _draw_picture(thin(open_maps(output, forward), PAGE_PICTURE), lambda cells: (cells - low) * levels)


def _colour_levels(image: Array, card: Card) -> NDArray[np.float64]:
    """Return the levels of an image's colours, 0 to 255, with its alpha blended over the colour of paper."""
    levels, colours = to_levels(image, card), colour_channels(image.shape[2])
    if colours < image.shape[2]:
        alpha = np.clip(levels[..., colours:] / 255, 0, 1)
        levels = levels[..., :colours] * alpha + (0 if card.ink is Ink.BRIGHT else 255) * (1 - alpha)
    return levels


def _draw_picture(image: Values, to_levels: Callable[[Array], NDArray[Any]]) -> bytes:
    """Encode a picture, (height, width, channels), as a PNG, some cells at a time.

    to_levels: return the levels of some cells, 0 to 255, in their own shape: (rows, columns, channels).
    """
    height, width, channels = image.shape
    pixels: NDArray[np.uint8] | None = None
    wide = min(width, max(1, _AT_ONCE // channels))
    high = max(1, _AT_ONCE // (channels * wide))
    for top in range(0, height, high):
        for left in range(0, width, wide):
            rows, columns = slice(top, min(top + high, height)), slice(left, min(left + wide, width))
            made = _round_levels(to_levels(image[rows, columns, _EVERY]))
            if pixels is None:  # now it is known whether it is in colour
                pixels = np.empty((height, width, *made.shape[2:]), dtype=np.uint8)
            pixels[rows, columns] = made
    assert pixels is not None
    return encode_levels(pixels)


def _round_levels(levels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return levels, (rows, columns, channels), as bytes: three channels as they are, the mean of any other number."""
    if levels.shape[2] != 3:
        levels = levels[..., 0] if levels.shape[2] == 1 else levels.mean(axis=2)
    rounded: NDArray[np.uint8] = np.rint(np.fmin(np.fmax(levels, 0), 255)).astype(np.uint8)  # fmax turns NaN into 0
    return rounded
