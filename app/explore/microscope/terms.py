"""The rows of a convolution: each input channel with its numbers, its kernel, and what it gives to every cell."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...cnn.cells import ConvolutionCell
from ...cnn.receptive_field import IMAGE
from ...cnn.types import Array
from ...cnn.windows import Region
from ...imaging.colormap import Extremes, Scale, find_extremes, join_extremes
from ..exploration import RenderOptions
from ..inspection import Inspection
from ..large_layers import open_maps, reading
from ..look import Look
from .numbers import ColouredNumber, colour_numbers
from .pictures import SAME_GRID, Picture, cells_of_windows, draw_picture, link_to, name_map

_MOST_KERNEL_CELLS = 2**14  # in numbers, of all kernels
# Pictures of what input channels give are left out where they would take seconds, or much memory.
_MOST_MULTIPLICATIONS = 200_000_000
_MOST_RESULTS = 2**23  # cells of such pictures
_RESULTS_AT_ONCE = 2**18


@dataclass(frozen=True)
class TermView:
    """One input channel's row: its map, inputs times kernel, and its share of every cell of the map."""

    channel: int
    input: Picture
    inputs: list[list[ColouredNumber]]
    kernel: list[list[ColouredNumber]]
    result: Picture | None  # None for a transposed convolution, in which each cell is reached by other weights
    partial_sum: float
    steps: tuple[int, int] | None  # rows and columns from one input to the next; None where they are no window's


def draw_terms(inspection: Inspection, options: Look, shown: list[int]) -> list[TermView]:
    """Draw the rows of these input channels; none where the cell is no convolution's."""
    cell, layer, network = inspection.cell, inspection.layer, inspection.network
    if not isinstance(cell, ConvolutionCell):
        return []
    (source,) = network.inputs(layer, inspection.forward)
    # Those of several forward passes would need a scale of their own, and they stand too narrow to show them.
    results, common = _results(inspection, source, shown) if len(options.forwards) == 1 else ({}, None)
    kernel_ends = find_ends([term.kernel for term in cell.terms])
    place = inspection.place
    windows = cells_of_windows(inspection, cell.window) if layer.has_partial_maps else None
    here = Region(place.row, place.column, place.row + 1, place.column + 1)
    # One colour scale for all partial results makes them comparable.
    signed = RenderOptions(options.diverging, options.diverging, Scale.LAYER)
    extremes = options.find_extremes(layer.sources[0] or IMAGE)
    ends = (float(extremes.lowest), float(extremes.highest))
    views: list[TermView] = []
    for index in shown:
        term = cell.terms[index]
        caption = name_map(inspection, layer.sources[0] or IMAGE, term.channel)
        with reading(source.size, inspection.forward):
            link = link_to(layer.sources[0], term.channel)
            values = open_maps(source, inspection.forward)
            picture = draw_picture(values, term.channel, cell.window, caption, options, extremes, windows, link)
        has_numbers = (len(views) + 1) * term.kernel.size <= _MOST_KERNEL_CELLS // len(options.forwards)
        result = results.get(index)
        views.append(
            TermView(
                channel=term.channel,
                input=picture,
                inputs=colour_numbers(term.inputs, ends, options.colormap_from(ends[0])) if has_numbers else [],
                kernel=colour_numbers(term.kernel, kernel_ends, options.diverging) if has_numbers else [],
                result=None
                if result is None or common is None
                else draw_picture(result, 0, here, "what it gives", signed, common, SAME_GRID),
                partial_sum=term.partial_sum,
                steps=layer.window.dilation if layer.window and layer.has_partial_maps else None,
            )
        )
    return views


def find_ends(kernels: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Return the lowest and the highest weight of all kernels; 0 where there are none."""
    weights = np.stack(kernels).astype(np.float32)
    return (float(weights.min()), float(weights.max())) if weights.size else (0.0, 0.0)


def _results(inspection: Inspection, source: Array, shown: Sequence[int]) -> tuple[dict[int, Array], Extremes | None]:
    """Return the shares of the whole map, (height, width, 1), of the input channels shown, and a scale for them.

    The scale is that of all channels' shares, unless these take too long. There are no shares where those of the
    channels shown do, nor where the layer has no such parts.
    """
    cell, layer, channel = inspection.cell, inspection.layer, inspection.place.channel
    assert isinstance(cell, ConvolutionCell)
    height, width, _ = inspection.forward.activations[layer.name].shape
    terms, weights = cell.terms, inspection.network.weights(layer)
    each = height * width * terms[0].kernel.size
    if (
        not layer.has_partial_maps
        or each * len(shown) > _MOST_MULTIPLICATIONS
        or height * width * len(shown) > _MOST_RESULTS
    ):
        return {}, None
    groups = [slice(index, index + 1) for index in shown]
    if each * len(terms) <= _MOST_MULTIPLICATIONS:
        size = max(1, _RESULTS_AT_ONCE // max(height * width, math.prod(source.shape[:2])))
        groups = [slice(first, first + size) for first in range(0, len(terms), size)]
    kept, scales, wanted = {}, [], set(shown)
    for group in groups:
        with reading(source.size, inspection.forward):
            values = open_maps(source, inspection.forward)
            maps = layer.partial_maps(weights, values, channel, (height, width), group)
        if maps is None:
            return {}, None
        results = maps.astype(np.float32)
        extremes = find_extremes(results)
        scales.append(Extremes(extremes.low.min(keepdims=True), extremes.high.max(keepdims=True)))
        for index in wanted.intersection(range(group.start, group.start + results.shape[2])):
            kept[index] = results[:, :, index - group.start : index - group.start + 1].copy()
    return kept, join_extremes(scales)
