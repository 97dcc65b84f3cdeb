"""What the microscope shows of an inspection: pictures with the window drawn in, and numbers in their colours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.cnn.cells import Contribution, ConvolutionCell, DenseCell, ElementwiseCell, MovedCell, PoolingCell
from app.cnn.preprocessing import channel_names
from app.cnn.receptive_field import IMAGE
from app.cnn.types import Array
from app.cnn.windows import Region
from app.explore.exploration import RenderOptions, draw_image
from app.explore.inspection import Inspection
from app.imaging.colormap import Colormap, colours
from app.imaging.grid import draw_map
from app.imaging.quantize import Scale, quantise

SHOWN_TERMS = 4
SHOWN_CONTRIBUTIONS = 8
MAX_MATRIX_CELLS = 100

_HUGE = 1e38  # in place of infinity, where a colour is sought

SAME = (0.0, 0.0, 1, 1)  # a picture whose cells are the selected map's own


@dataclass(frozen=True)
class Picture:
    """One map, one pixel a value, with what is marked in it."""

    png: bytes
    height: int
    width: int
    region: Region  # the cell or the window; it may reach into the padding
    caption: str
    # Which cell of the selected map a point of this picture means: (top, left) of cell 0,0 and the (rows, columns) to
    # the next one, in this picture's pixels. None where its points mean no cell.
    cells: tuple[float, float, int, int] | None = None

    @property
    def frame(self) -> Region:
        """The whole picture, with as much padding around it as the region reaches into."""
        return Region(0, 0, self.height, self.width).union(self.region)


@dataclass(frozen=True)
class Number:
    """A value on the colour that it has in its picture. NaN is padding that does not count."""

    value: float
    fill: str  # #rrggbb
    ink: str  # black or white, whichever is read better on it


@dataclass(frozen=True)
class TermView:
    """One input channel's row: its map, patch times kernel, and what that gives to every cell of the map."""

    channel: int
    input: Picture
    patch: list[list[Number]]
    kernel: list[list[Number]]
    result: Picture | None  # None for a transposed convolution, whose cells are each reached by other weights
    partial: float


@dataclass(frozen=True)
class MicroscopeView:
    """Everything that the panel shows."""

    inspection: Inspection
    map: Picture  # the selected feature map, or vector, with the cell
    path: list[Picture]  # the receptive field on the image and on every layer between
    terms: list[TermView]  # of a convolution, those that give most first
    more_terms: int
    more_partial: float
    sources: list[Picture]  # of the other kinds: what the cell reads
    window: list[list[Number]] | None  # of pooling; None where it is too large to be shown
    contributions: list[Contribution]  # of a dense layer: the inputs that give most
    input_names: list[str]  # what each of these inputs is
    more_contributions: int
    more_product: float


def view_inspection(inspection: Inspection, look: RenderOptions, all_terms: bool = False) -> MicroscopeView:
    """Draw an inspection. all_terms: every input channel or input, not only those that give most."""
    cell = inspection.cell
    partials = [term.partial_sum for term in cell.terms] if isinstance(cell, ConvolutionCell) else []
    products = [each.product for each in cell.contributions] if isinstance(cell, DenseCell) else []
    shown = _largest(partials, SHOWN_TERMS, all_terms)
    contributions = _largest(products, SHOWN_CONTRIBUTIONS, all_terms)
    return MicroscopeView(
        inspection=inspection,
        map=_own_map(inspection, look),
        path=_path(inspection, look),
        terms=_terms(inspection, look, shown),
        more_terms=len(partials) - len(shown),
        more_partial=sum(partial for index, partial in enumerate(partials) if index not in shown),
        sources=_sources(inspection, look),
        window=_window(inspection, look),
        contributions=[cell.contributions[index] for index in contributions] if isinstance(cell, DenseCell) else [],
        input_names=[_input_name(inspection, index) for index in contributions],
        more_contributions=len(products) - len(contributions),
        more_product=sum(product for index, product in enumerate(products) if index not in contributions),
    )


def _largest(values: Sequence[float], count: int, everything: bool) -> list[int]:
    order = sorted(range(len(values)), key=lambda index: -abs(values[index]))
    return order if everything else order[:count]


def _own_map(inspection: Inspection, look: RenderOptions) -> Picture:
    place, name = inspection.place, inspection.layer.name
    activation = inspection.forward.activations[name]
    region = Region(place.row, place.column, place.row + 1, place.column + 1)
    if activation.ndim == 1:
        return _picture(activation[np.newaxis, :, np.newaxis], 0, region, f"{name}, unit {place.column}", look, SAME)
    return _picture(activation, place.channel, region, f"{name}, map {place.channel}", look, SAME)


def _picture(
    activation: Array,
    channel: int,
    region: Region,
    caption: str,
    look: RenderOptions,
    cells: tuple[float, float, int, int] | None = None,
) -> Picture:
    drawn = draw_map(activation, channel, look.colormap_for(activation), look.scale)
    return Picture(drawn.png, drawn.map_height, drawn.map_width, region, caption, cells)


def _cells_of_windows(inspection: Inspection, window: Region) -> tuple[float, float, int, int] | None:
    """Which cell's window is centred nearest to a point of the input."""
    layer, place = inspection.layer, inspection.place
    if layer.window is None:
        return None
    rows, columns = layer.window.strides
    top = window.top - place.row * rows + (window.height - rows) / 2
    left = window.left - place.column * columns + (window.width - columns) / 2
    return top, left, rows, columns


def _path(inspection: Inspection, look: RenderOptions) -> list[Picture]:
    """From the image to the layer before this one: the mean of each layer's maps, and the region on it."""
    pictures = []
    for name, region in reversed(inspection.regions.items()):
        activation = inspection.forward.image if name == IMAGE else inspection.forward.activations[name]
        if name == inspection.layer.name or activation.ndim != 3:
            continue
        if name == IMAGE and activation.shape[2] in {3, 4}:
            png = draw_image(activation, inspection.network.card)
            height, width, _ = activation.shape
            pictures.append(Picture(png, height, width, region, "input, in colour"))
            continue
        mean = activation.mean(axis=2, keepdims=True)
        maps = f", mean of {activation.shape[2]} maps" if activation.shape[2] > 1 else ""
        pictures.append(_picture(mean, 0, region, f"{name}{maps}", RenderOptions(look.colormap, scale=look.scale)))
    return pictures


def _terms(inspection: Inspection, look: RenderOptions, shown: list[int]) -> list[TermView]:
    cell, layer, network = inspection.cell, inspection.layer, inspection.network
    if not isinstance(cell, ConvolutionCell):
        return []
    (source,) = network.inputs(layer, inspection.forward)
    results = _results(inspection, source)
    kernels = np.stack([term.kernel for term in cell.terms], axis=2).astype(np.float32)
    place = inspection.place
    windows = None if results is None else _cells_of_windows(inspection, cell.window)
    here = Region(place.row, place.column, place.row + 1, place.column + 1)
    # One colour scale for all partial results, so that they can be compared by eye.
    signed = RenderOptions(Colormap.BERLIN, scale=Scale.LAYER)
    return [
        TermView(
            channel=cell.terms[index].channel,
            input=_picture(
                source,
                cell.terms[index].channel,
                cell.window,
                _name(inspection, layer.sources[0] or IMAGE, cell.terms[index].channel),
                look,
                windows,
            ),
            patch=_numbers(cell.terms[index].inputs, source, look.colormap_for(source)),
            kernel=_numbers(cell.terms[index].kernel, kernels, Colormap.BERLIN),
            result=None if results is None else _picture(results, index, here, "what it gives", signed, SAME),
            partial=cell.terms[index].partial_sum,
        )
        for index in shown
    ]


def _results(inspection: Inspection, source: Array) -> Array | None:
    """What each input channel gives to the whole map, (height, width, terms)."""
    layer, channel = inspection.layer, inspection.place.channel
    height, width, _ = inspection.forward.activations[layer.name].shape
    maps = layer.partial_maps(inspection.network.weights(layer), source, channel, (height, width))
    return None if maps is None else maps.astype(np.float32)


def _name(inspection: Inspection, source: str, channel: int) -> str:
    """What a map that the layer reads is called: the input's channels by what they are."""
    if source != IMAGE:
        return f"{source}, map {channel}"
    names = channel_names(inspection.network.card)
    return f"the input, {names[channel]}" if len(names) > 1 else "the input"


def _input_name(inspection: Inspection, index: int) -> str:
    """An input of a dense layer: its place in the feature maps that were flattened, else its number."""
    network, forward, layer = inspection.network, inspection.forward, inspection.layer
    name = layer.sources[0]
    place: tuple[int, ...] = (index,)
    while name is not None:
        before = network.layer(name)
        moved = before.source_of(place, [each.shape for each in network.inputs(before, forward)])
        if moved is None or moved[1] is None:
            break
        name, place = before.sources[moved[0]], moved[1]
        if name is not None and len(place) == 3:
            row, column, channel = place
            return f"{index}: {name}, map {channel}, row {row}, column {column}"
    return str(index)


def _sources(inspection: Inspection, look: RenderOptions) -> list[Picture]:
    cell, layer, place = inspection.cell, inspection.layer, inspection.place
    inputs = inspection.network.inputs(layer, inspection.forward)
    names = [source or IMAGE for source in layer.sources]
    if isinstance(cell, PoolingCell):
        channel = place.channel if layer.is_spatial else place.column
        cells = _cells_of_windows(inspection, cell.window)
        return [_picture(inputs[0], channel, cell.window, _name(inspection, names[0], channel), look, cells)]
    if isinstance(cell, MovedCell) and cell.place and inputs[cell.source].ndim == 3:
        row, column, channel = cell.place
        region = Region(row, column, row + 1, column + 1)
        return [_picture(inputs[cell.source], channel, region, _name(inspection, names[cell.source], channel), look)]
    if isinstance(cell, ElementwiseCell) and layer.is_spatial:
        region = Region(place.row, place.column, place.row + 1, place.column + 1)
        pairs = zip(names, inputs, strict=True)
        return [
            _picture(each, place.channel, region, _name(inspection, name, place.channel), look, SAME)
            for name, each in pairs
        ]
    return []


def _window(inspection: Inspection, look: RenderOptions) -> list[list[Number]] | None:
    cell = inspection.cell
    if not isinstance(cell, PoolingCell) or cell.inputs.size > MAX_MATRIX_CELLS:
        return None
    source = inspection.network.inputs(inspection.layer, inspection.forward)[0]
    return _numbers(cell.inputs, source, look.colormap_for(source))


def _numbers(values: NDArray[np.float64], scale: Array, colormap: Colormap) -> list[list[Number]]:
    """Values, (rows, columns), in the colours that they have where this array sets the scale."""
    if values.size == 0:  # a cell that no input reaches
        return []
    known = np.nan_to_num(values, posinf=_HUGE, neginf=-_HUGE).astype(np.float32)
    ends = np.array([scale.min(), scale.max()], dtype=np.float32)
    levels, _, _ = quantise(np.append(known.ravel(), ends)[:, None, None], colormap, Scale.LAYER)
    table = colours(colormap)[levels.ravel()[:-2]]
    return [
        [
            Number(float(value), "#" + bytes(colour).hex(), _readable_ink(colour))
            for value, colour in zip(row, line, strict=True)
        ]
        for row, line in zip(values, table.reshape(*values.shape, 3), strict=True)
    ]


def _readable_ink(colour: NDArray[np.uint8]) -> str:
    """Black or white, by the colour's luma (ITU-R BT.601)."""
    red, green, blue = (int(part) for part in colour)
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"
