"""What a cell of any other layer reads: the maps with its window, the numbers in it, or the inputs of a dense layer."""

from ...cnn.cells import ElementwiseCell, MovedCell, PoolingCell
from ...cnn.receptive_field import IMAGE
from ...cnn.types import Array, as_maps_shape
from ...cnn.windows import Region
from ..exploration import as_maps
from ..inspection import Inspection
from ..look import Look
from .numbers import ColouredNumber, colour_numbers
from .pictures import SAME_GRID, Link, Picture, cells_of_windows, link_to, name_map, read_picture

MAX_MATRIX_CELLS = 100


def draw_sources(inspection: Inspection, options: Look) -> list[Picture]:
    """Draw the maps of other layers that the cell reads, with what it reads of them marked."""
    cell, layer, place = inspection.cell, inspection.layer, inspection.place
    inputs = inspection.network.inputs(layer, inspection.forward)
    names = [source or IMAGE for source in layer.sources]
    if isinstance(cell, PoolingCell):
        channel = place.channel if layer.is_spatial else place.column
        cells = cells_of_windows(inspection, cell.window)
        caption = name_map(inspection, names[0], channel)
        link = link_to(layer.sources[0], channel)
        extremes = options.find_extremes(names[0])
        return [read_picture(inspection, inputs[0], channel, cell.window, caption, options, extremes, cells, link)]
    if isinstance(cell, MovedCell) and cell.place and inputs[cell.source].ndim > 1:
        row, column, channel = cell.place
        region = Region(row, column, row + 1, column + 1)
        caption = name_map(inspection, names[cell.source], channel)
        link = link_to(layer.sources[cell.source], channel)
        source, extremes = as_maps(inputs[cell.source]), options.find_extremes(names[cell.source])
        return [read_picture(inspection, source, channel, region, caption, options, extremes, link=link)]
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
    region, caption = Region(row, column, row + 1, column + 1), name_map(inspection, name, channel)
    own = as_maps_shape(inspection.forward.activations[inspection.layer.name].shape)
    cells, link = SAME_GRID if shape[:2] == own[:2] else None, None if name == IMAGE else Link(name, channel)
    extremes = options.find_extremes(name)
    return read_picture(inspection, image, channel, region, caption, options, extremes, cells, link)


def colour_window(inspection: Inspection, options: Look) -> list[list[ColouredNumber]] | None:
    """Return the numbers in a pooling cell's window; None for other cells, and where there are too many to show."""
    cell = inspection.cell
    if not isinstance(cell, PoolingCell) or cell.inputs is None or cell.inputs.size > MAX_MATRIX_CELLS:
        return None
    extremes = options.find_extremes(inspection.layer.sources[0] or IMAGE)
    ends = (float(extremes.lowest), float(extremes.highest))
    return colour_numbers(cell.inputs, ends, options.colormap_from(ends[0]))


def name_input(inspection: Inspection, index: int, link: Link | None) -> str:
    """Name an input of a dense layer by the cell that it is, else by its index."""
    if link is None:
        return str(index)
    if not inspection.network.layer(link.layer).is_spatial:
        return f"{link.layer}, unit {link.column}"
    return f"{link.layer}, map {link.channel}, row {link.row}, column {link.column}"


def find_cell(inspection: Inspection, index: int) -> Link | None:
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
