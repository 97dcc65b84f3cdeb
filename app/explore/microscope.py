"""An inspection, drawn: pictures with the window marked in them, and numbers in their pictures' colours."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ..cnn.cells import Contribution, ConvolutionCell, DenseCell, ElementwiseCell, MovedCell, PoolingCell
from ..cnn.preprocessing import channel_names
from ..cnn.receptive_field import IMAGE
from ..cnn.types import Array, as_maps_shape
from ..cnn.windows import Region
from ..imaging.colormap import (
    Colormap,
    Extremes,
    OneMap,
    Scale,
    Values,
    colours,
    cut_blocks,
    find_extremes,
    find_mean,
    join_extremes,
    quantise,
    thin,
)
from ..imaging.grid import draw_map
from .exploration import PAGE_PICTURE, RenderOptions, as_maps, draw_image, hold_scale
from .inspection import Inspection, find_strongest
from .large_layers import open_maps, reading
from .look import Look, average_maps

SHOWN_TERMS = 4
SHOWN_CONTRIBUTIONS = 8
MAX_MATRIX_CELLS = 100

# The most that is shown where everything is asked for.
_MOST_CONTRIBUTIONS = 2**15
_MOST_TERMS = 2**12
_MOST_PIXELS = 2**23  # of their pictures
_SMALL_PICTURE = 2**18  # pixels of a picture that is shown small
_MOST_PATH_PIXELS = 2**22  # of the pictures of a receptive field
_MOST_KERNEL_CELLS = 2**14  # in numbers, of all kernels
# Pictures of what input channels give are left out where they would take seconds, or much memory.
_MOST_MULTIPLICATIONS = 200_000_000
_MOST_RESULTS = 2**23  # cells of such pictures
_RESULTS_AT_ONCE = 2**18

_HUGE = 1e38  # stands for infinity when a value is given a colour

_SAME_GRID = (0.0, 0.0, 1, 1)  # Picture.cells where each pixel is the cell at the same place


@dataclass(frozen=True)
class Link:
    """The map, or the cell, that a click on a picture or a row leads to."""

    layer: str
    channel: int
    row: int | None = None  # None: that of the cell under the pointer
    column: int | None = None


@dataclass(frozen=True)
class Picture:
    """One map, one pixel a value, with a region marked in it."""

    png: bytes  # rows and columns are left out of a map that is larger than it is shown
    height: int
    width: int
    region: Region  # the cell or the window; it may reach into the padding
    caption: str
    # Maps a point of this picture to a cell of the selected map: (top, left) of cell 0,0 and the (rows, columns) to the
    # next one, in this picture's pixels. None if its points stand for no cell.
    cells: tuple[float, float, int, int] | None = None
    link: Link | None = None  # to the map that it shows; None for the selected one, and for the image
    # The values at the ends of the colours; None where each map has its own, and in an image in colour.
    colormap: Colormap | None = None
    low: float | None = None
    high: float | None = None
    # Where the first of its pixels is in the map, of which it may be a part.
    top: int = 0
    left: int = 0

    @property
    def frame(self) -> Region:
        """The whole picture, with as much padding around it as the region reaches into."""
        return Region(self.top, self.left, self.top + self.height, self.left + self.width).union(self.region)


@dataclass(frozen=True)
class ColouredNumber:
    """A value with the colour that it has in its picture. NaN is padding that does not count."""

    value: float
    fill: str  # #rrggbb
    ink: str  # black or white, whichever is more legible on it


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


@dataclass(frozen=True)
class MicroscopeView:
    """Everything that the microscope's panel shows."""

    inspection: Inspection
    map: Picture  # the selected feature map, or vector, with the cell
    map_words: str | None  # where the map is strongest, and its mean, for those who do not see it; None for a vector
    path: list[Picture]  # the receptive field on the image and on the layers between
    more_path: int  # how many of these layers are left out
    terms: list[TermView]  # of a convolution, the largest first
    weight_ends: tuple[float, float] | None  # the lowest and the highest weight of its kernels, for their legend
    more_terms: int  # how many are left out
    more_partial_sum: float  # of those
    sources: list[Picture]  # of other layers: the maps that the cell reads
    window: list[list[ColouredNumber]] | None  # of pooling; None if it is too large to show
    contributions: list[Contribution]  # of a dense layer, the largest first
    input_names: list[str]  # what each of their inputs is
    input_links: list[Link | None]  # to the cell that each of them is, where it is one
    more_contributions: int  # how many are left out
    more_product: float  # the sum of their products


def view_inspection(inspection: Inspection, options: RenderOptions, all_terms: bool = False) -> MicroscopeView:
    """Draw an inspection. all_terms: show every input channel or input, not only the largest."""
    return view_inspections([inspection], options, all_terms)[0]


def view_inspections(
    inspections: Sequence[Inspection], options: RenderOptions, all_terms: bool = False
) -> list[MicroscopeView]:
    """Draw the same cell of several forward passes of one image, on common colour scales.

    All of them show the same input channels or inputs, in the same order. all_terms: every one, not only the largest.
    """
    look = Look.of(options, [each.forward for each in inspections])
    partial_sums = [_partial_sums(each) for each in inspections]
    products = [_products(each) for each in inspections]
    shown = _largest(partial_sums, _count_terms(inspections) if all_terms else SHOWN_TERMS)
    most = _MOST_CONTRIBUTIONS // len(inspections)
    contributions = _largest(products, most if all_terms else SHOWN_CONTRIBUTIONS)
    return [_view(each, look, shown, contributions) for each in inspections]


def _partial_sums(inspection: Inspection) -> list[float]:
    cell = inspection.cell
    return [term.partial_sum for term in cell.terms] if isinstance(cell, ConvolutionCell) else []


def _products(inspection: Inspection) -> list[float]:
    cell = inspection.cell
    return [each.product for each in cell.contributions] if isinstance(cell, DenseCell) else []


def _view(inspection: Inspection, options: Look, shown: list[int], contributions: list[int]) -> MicroscopeView:
    """Draw an inspection. shown: the indices of the terms to show. contributions: those of a dense layer's inputs."""
    cell = inspection.cell
    partial_sums, products = _partial_sums(inspection), _products(inspection)
    links = [_find_cell(inspection, index) for index in contributions]
    path = _path(inspection, options)
    return MicroscopeView(
        inspection=inspection,
        map=_own_map(inspection, options),
        map_words=_describe_map(inspection),
        path=path,
        more_path=len(_path_layers(inspection)) - len(path),
        terms=_terms(inspection, options, shown),
        weight_ends=_ends([term.kernel for term in cell.terms]) if isinstance(cell, ConvolutionCell) else None,
        more_terms=len(partial_sums) - len(shown),
        more_partial_sum=_sum_others(partial_sums, shown),
        sources=_sources(inspection, options),
        window=_window(inspection, options),
        contributions=[cell.contributions[index] for index in contributions] if isinstance(cell, DenseCell) else [],
        input_names=[_input_name(inspection, *each) for each in zip(contributions, links, strict=True)],
        input_links=links,
        more_contributions=len(products) - len(contributions),
        more_product=_sum_others(products, contributions),
    )


def _largest(values: Sequence[Sequence[float]], count: int) -> list[int]:
    """Return the places with the largest absolute values in any of several rows of one length, in this order."""
    sizes = [max(map(abs, each)) for each in zip(*values, strict=True)]
    return sorted(range(len(sizes)), key=lambda index: -sizes[index])[:count]


def _sum_others(values: Sequence[float], shown: Iterable[int]) -> float:
    """Return the sum of the values that are not shown."""
    left_out = set(range(len(values))).difference(shown)
    return sum(values[index] for index in sorted(left_out))


def _count_terms(inspections: Sequence[Inspection]) -> int:
    """Return how many input channels can be shown at once, each with two pictures for each inspection."""
    inspection = inspections[0]
    sources = inspection.network.inputs(inspection.layer, inspection.forward)[:1]  # none of an input that is held
    maps = (inspection.forward.activations[inspection.layer.name], *sources)
    pixels: int = len(inspections) * sum(min(_SMALL_PICTURE, math.prod(each.shape[:2])) for each in maps)
    return max(SHOWN_TERMS, min(_MOST_TERMS, _MOST_PIXELS // pixels))


_ROWS, _COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")


def _describe_map(inspection: Inspection) -> str | None:
    """Say of the selected map in which ninth its largest absolute value lies, and its mean."""
    activation = inspection.forward.activations[inspection.layer.name]
    if activation.ndim == 1:
        return None
    with reading(activation.size, inspection.forward):
        cells = OneMap(open_maps(as_maps(activation), inspection.forward), inspection.place.channel)
        mean = find_mean(cells)
        if not math.isfinite(mean):
            return "some of its values are not finite"
        extremes = find_extremes(cells)
        if extremes.constant_count:
            return f"the same everywhere, {mean:.3g}"
        row, column = find_strongest(cells)
    height, width, _ = cells.shape
    places = (_ROWS[3 * row // height], _COLUMNS[3 * column // width])
    where = "middle" if places == ("middle", "middle") else " ".join(places)
    return f"strongest at the {where}, mean {mean:.3g}"


def _own_map(inspection: Inspection, options: Look) -> Picture:
    place, name = inspection.place, inspection.layer.name
    activation = inspection.forward.activations[name]
    region = Region(place.row, place.column, place.row + 1, place.column + 1)
    extremes = options.find_extremes(name)
    if activation.ndim == 1:
        row = activation[np.newaxis, :, np.newaxis]
        return _read_picture(inspection, row, 0, region, f"{name}, unit {place.column}", options, extremes, _SAME_GRID)
    with reading(activation.size, *options.passes):
        colormap, scale, ends = hold_scale(inspection.layer, extremes, options)
    look = replace(options, colormap=colormap, signed=None, scale=scale)
    caption, channel, maps = f"{name}, map {place.channel}", place.channel, as_maps(activation)
    return _read_picture(inspection, maps, channel, region, caption, look, ends, _SAME_GRID, most_pixels=PAGE_PICTURE)


def _read_picture(
    inspection: Inspection,
    activation: Array,
    channel: int,
    region: Region,
    caption: str,
    options: RenderOptions,
    extremes: Extremes,
    cells: tuple[float, float, int, int] | None = None,
    link: Link | None = None,
    most_pixels: int = _SMALL_PICTURE,
) -> Picture:
    """Draw a map of the forward pass."""
    with reading(activation.size, inspection.forward):
        values = open_maps(activation, inspection.forward)
        return _picture(values, channel, region, caption, options, extremes, cells, link, most_pixels)


def _picture(
    activation: Values,
    channel: int,
    region: Region,
    caption: str,
    options: RenderOptions,
    extremes: Extremes,
    cells: tuple[float, float, int, int] | None = None,
    link: Link | None = None,
    most_pixels: int = _SMALL_PICTURE,
) -> Picture:
    """Draw a map on the scale of these extremes. most_pixels: rows and columns are left out of a larger one."""
    height, width, _ = activation.shape
    shown, colormap = thin(activation, most_pixels), options.colormap_from(float(extremes.lowest))
    drawn = draw_map(shown, channel, colormap, options.scale, extremes)
    ends = drawn.low, drawn.high
    return Picture(drawn.png, height, width, region, caption, cells, link, drawn.colormap, *ends)


def _cells_of_windows(inspection: Inspection, window: Region) -> tuple[float, float, int, int] | None:
    """Return Picture.cells for the input of a layer: the cell whose window is centred nearest to a point."""
    layer, place = inspection.layer, inspection.place
    if layer.window is None:
        return None
    rows, columns = layer.window.strides
    top = window.top - place.row * rows + (window.height - rows) / 2
    left = window.left - place.column * columns + (window.width - columns) / 2
    return top, left, rows, columns


def _path(inspection: Inspection, options: Look) -> list[Picture]:
    """Draw the receptive field on the image and on the layers up to this one, on the mean of each layer's maps."""
    pictures = []
    for name in _path_layers(inspection, _MOST_PATH_PIXELS // len(options.forwards)):
        region = inspection.regions[name]
        activation = inspection.forward.image if name == IMAGE else inspection.forward.activations[name]
        if name == IMAGE and activation.shape[2] in {3, 4}:
            png = draw_image(activation, inspection.network.card, _SMALL_PICTURE)
            height, width, _ = activation.shape
            pictures.append(Picture(png, height, width, region, "input, in colour"))
            continue
        activation = as_maps(activation)
        with reading(activation.size, inspection.forward):
            values = open_maps(activation, inspection.forward)
            mean = average_maps(values) if activation.shape[2] > 1 else activation
            link = None if name == IMAGE else Link(name, _strongest_channel(values, region))
        maps = f", mean of {activation.shape[2]} maps" if activation.shape[2] > 1 else ""
        look, extremes = RenderOptions(options.colormap, scale=options.scale), options.find_extremes(name, of_mean=True)
        caption = f"{name or 'input'}{maps}"
        pictures.append(_read_picture(inspection, mean, 0, region, caption, look, extremes, link=link))
    return pictures


def _path_layers(inspection: Inspection, most_pixels: int | None = None) -> list[str]:
    """Return the layers, and the image, on which the receptive field is drawn.

    most_pixels: of their pictures. Where that is too few for all, the image and the layers next to this one are kept.
    """
    sizes = {}
    for name in inspection.regions:  # the image, then from this layer back
        activation = inspection.forward.image if name == IMAGE else inspection.forward.activations[name]
        if name != inspection.layer.name and activation.ndim > 1:
            sizes[name] = min(_SMALL_PICTURE, math.prod(activation.shape[:2]))
    sums = zip(sizes, accumulate(sizes.values()), strict=True)
    kept = [name for name, pixels in sums if most_pixels is None or pixels <= most_pixels or name == IMAGE]
    return kept[::-1]


def _strongest_channel(activation: Values, region: Region) -> int:
    """Return the map with the largest absolute value within a region, which may lie in the padding alone."""
    height, width, channels = activation.shape
    top, left, bottom, right = region.clipped((height, width))
    if top >= bottom or left >= right:
        return 0
    strongest = np.zeros(channels, dtype=np.float32)
    for rows, columns, maps in cut_blocks((bottom - top, right - left, channels)):
        down = slice(top + rows.start, top + rows.stop)
        across = slice(left + columns.start, left + columns.stop)
        window = activation[down, across, maps]
        np.maximum(strongest[maps], np.abs(window).max(axis=(0, 1)), out=strongest[maps])
    return int(strongest.argmax())


def _terms(inspection: Inspection, options: Look, shown: list[int]) -> list[TermView]:
    cell, layer, network = inspection.cell, inspection.layer, inspection.network
    if not isinstance(cell, ConvolutionCell):
        return []
    (source,) = network.inputs(layer, inspection.forward)
    # Those of several forward passes would need a scale of their own, and they stand too narrow to show them.
    results, common = _results(inspection, source, shown) if len(options.forwards) == 1 else ({}, None)
    kernel_ends = _ends([term.kernel for term in cell.terms])
    place = inspection.place
    windows = _cells_of_windows(inspection, cell.window) if layer.has_partial_maps else None
    here = Region(place.row, place.column, place.row + 1, place.column + 1)
    # One colour scale for all partial results makes them comparable.
    signed = RenderOptions(options.diverging, options.diverging, Scale.LAYER)
    extremes = options.find_extremes(layer.sources[0] or IMAGE)
    ends = (float(extremes.lowest), float(extremes.highest))
    views: list[TermView] = []
    for index in shown:
        term = cell.terms[index]
        caption = _name(inspection, layer.sources[0] or IMAGE, term.channel)
        with reading(source.size, inspection.forward):
            link = _link(layer.sources[0], term.channel)
            values = open_maps(source, inspection.forward)
            picture = _picture(values, term.channel, cell.window, caption, options, extremes, windows, link)
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
                else _picture(result, 0, here, "what it gives", signed, common, _SAME_GRID),
                partial_sum=term.partial_sum,
                steps=layer.window.dilation if layer.window and layer.has_partial_maps else None,
            )
        )
    return views


def _ends(kernels: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
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


def _link(source: str | None, channel: int) -> Link | None:
    """Return the link to a map that a layer reads; the image has none."""
    return None if source is None else Link(source, channel)


def _name(inspection: Inspection, source: str, channel: int) -> str:
    """Return the caption of a map that the layer reads. The image's channels have names of their own."""
    if source != IMAGE:
        return f"{source}, map {channel}"
    names = channel_names(inspection.network.card)
    return f"the input, {names[channel]}" if len(names) > 1 else "the input"


def _input_name(inspection: Inspection, index: int, link: Link | None) -> str:
    """Name an input of a dense layer by the cell that it is, else by its index."""
    if link is None:
        return str(index)
    if not inspection.network.layer(link.layer).is_spatial:
        return f"{link.layer}, unit {link.column}"
    return f"{link.layer}, map {link.channel}, row {link.row}, column {link.column}"


def _find_cell(inspection: Inspection, index: int) -> Link | None:
    """Return the cell that an input of a dense layer is: of a map, if it was only moved since, or of a vector."""
    network, forward = inspection.network, inspection.forward
    place: tuple[int, ...] = (*inspection.index[:-1], index)
    name = source = inspection.layer.sources[0]
    while name is not None:
        before = network.layer(name)
        moved = before.source_of(place, [each.shape for each in network.inputs(before, forward)])
        if moved is None or moved[1] is None:
            break
        name, place = before.sources[moved[0]], moved[1]
        if name is not None and len(place) == 3:
            row, column, channel = place
            return Link(name, channel, row, column)
    is_vector = source is not None and forward.activations[source].ndim == 1
    return Link(source, 0, 0, index) if source is not None and is_vector else None


def _sources(inspection: Inspection, options: Look) -> list[Picture]:
    cell, layer, place = inspection.cell, inspection.layer, inspection.place
    inputs = inspection.network.inputs(layer, inspection.forward)
    names = [source or IMAGE for source in layer.sources]
    if isinstance(cell, PoolingCell):
        channel = place.channel if layer.is_spatial else place.column
        cells = _cells_of_windows(inspection, cell.window)
        caption = _name(inspection, names[0], channel)
        link = _link(layer.sources[0], channel)
        extremes = options.find_extremes(names[0])
        return [_read_picture(inspection, inputs[0], channel, cell.window, caption, options, extremes, cells, link)]
    if isinstance(cell, MovedCell) and cell.place and inputs[cell.source].ndim > 1:
        row, column, channel = cell.place
        region = Region(row, column, row + 1, column + 1)
        caption = _name(inspection, names[cell.source], channel)
        link = _link(layer.sources[cell.source], channel)
        source, extremes = as_maps(inputs[cell.source]), options.find_extremes(names[cell.source])
        return [_read_picture(inspection, source, channel, region, caption, options, extremes, link=link)]
    if isinstance(cell, ElementwiseCell) and layer.is_spatial and len(cell.inputs) == len(inputs):
        pairs = zip(names, map(as_maps, inputs), strict=True)
        return [_elementwise_source(inspection, name, each, options) for name, each in pairs]
    return []


def _elementwise_source(inspection: Inspection, name: str, image: Array, options: Look) -> Picture:
    """Draw an input that a cell reads at its own place; one of a single row, column or channel is repeated."""
    place, shape = inspection.place, image.shape
    row, column, channel = (
        min(at, size - 1) for at, size in zip((place.row, place.column, place.channel), shape, strict=True)
    )
    region, caption = Region(row, column, row + 1, column + 1), _name(inspection, name, channel)
    own = as_maps_shape(inspection.forward.activations[inspection.layer.name].shape)
    cells, link = _SAME_GRID if shape[:2] == own[:2] else None, None if name == IMAGE else Link(name, channel)
    extremes = options.find_extremes(name)
    return _read_picture(inspection, image, channel, region, caption, options, extremes, cells, link)


def _window(inspection: Inspection, options: Look) -> list[list[ColouredNumber]] | None:
    cell = inspection.cell
    if not isinstance(cell, PoolingCell) or cell.inputs is None or cell.inputs.size > MAX_MATRIX_CELLS:
        return None
    extremes = options.find_extremes(inspection.layer.sources[0] or IMAGE)
    ends = (float(extremes.lowest), float(extremes.highest))
    return colour_numbers(cell.inputs, ends, options.colormap_from(ends[0]))


def colour_numbers(
    values: NDArray[np.float64], ends: tuple[float, float], colormap: Colormap
) -> list[list[ColouredNumber]]:
    """Give values, (rows, columns), the colours that they have on a scale with these ends."""
    if values.size == 0:  # no input reaches this cell
        return []
    finite = np.nan_to_num(values, posinf=_HUGE, neginf=-_HUGE).astype(np.float32)
    levels, _, _ = quantise(
        np.append(finite.ravel(), np.array(ends, dtype=np.float32))[:, None, None], colormap, Scale.LAYER
    )
    table = colours(colormap)[levels.ravel()[:-2]]
    return [
        [
            ColouredNumber(float(value), "#" + bytes(colour).hex(), _readable_ink(colour))
            for value, colour in zip(row, line, strict=True)
        ]
        for row, line in zip(values, table.reshape(*values.shape, 3), strict=True)
    ]


def _readable_ink(colour: NDArray[np.uint8]) -> str:
    """Choose black or white by the background's luma (ITU-R BT.601)."""
    red, green, blue = (int(part) for part in colour)
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
