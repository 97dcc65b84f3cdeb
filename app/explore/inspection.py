"""One cell of a forward pass: where its value comes from, and the weights behind it."""

from dataclasses import dataclass

import numpy as np

from ..cnn.cells import Cell
from ..cnn.errors import NoArithmetic
from ..cnn.kinds import Layer
from ..cnn.network import ForwardPass, Network
from ..cnn.receptive_field import IMAGE, receptive_field
from ..cnn.types import Array, as_maps_shape
from ..cnn.windows import Region
from ..imaging.colormap import Colormap, OneMap, Values, cut_blocks
from ..imaging.grid import Grid, draw_grid
from .large_layers import LARGE, open_maps, reading


class UnknownCell(LookupError):
    """The layer has no such feature map, or the map has no such cell."""


@dataclass(frozen=True)
class Place:
    """The indices of a cell in a layer's output. In a vector, channel and row are 0 and the column is the unit."""

    channel: int
    row: int
    column: int


@dataclass(frozen=True)
class Inspection:
    """One cell: its value, the arithmetic that made it, and what it depends on."""

    network: Network
    forward: ForwardPass
    layer: Layer
    place: Place
    index: tuple[int, ...]  # of the same cell in the layer's output
    value: float
    cell: Cell | None  # None where this kind of layer has no arithmetic yet, and where it is too long
    reason: str | None  # why there is none
    regions: dict[str, Region]  # the receptive field on each layer before, by name, and on the image; padding counts


def inspect(network: Network, forward: ForwardPass, layer: Layer, place: Place) -> Inspection:
    """Explain one cell of a forward pass. Raises: UnknownCell."""
    output = forward.activations[layer.name]
    index = _index(layer, output, place)
    shapes = {name: activation.shape for name, activation in forward.activations.items()}
    regions = receptive_field(network.layers, forward.image.shape, layer.name, (place.row, place.column), shapes)
    cell, reason = None, None
    inputs = network.inputs(layer, forward)
    try:
        with reading(sum(each.size for each in inputs), forward):
            if layer.is_pooling and inputs[0].size > LARGE:
                inputs = (_read_one_map(inputs[0], forward, index[-1], regions[layer.sources[0] or IMAGE]),)
            cell = layer.with_pooling(forward.pooling).explain(network.weights(layer), inputs, output, index)
    except NoArithmetic as error:
        reason = str(error)
    return Inspection(network, forward, layer, place, index, float(output[index]), cell, reason, regions)


def _read_one_map(activation: Array, forward: ForwardPass, channel: int, region: Region) -> Array:
    """Return an activation whose maps are all like one of them, and zero outside a region.

    A pooling layer's cell reads no other. In mapped memory they would count as read, too.
    """
    height, width, _ = activation.shape
    top, left, bottom, right = region.clipped((height, width))
    only = np.zeros((height, width, 1), dtype=np.float32)
    values = OneMap(open_maps(activation, forward), channel)
    only[top:bottom, left:right] = values[slice(top, bottom), slice(left, right), slice(0, 1)]
    return np.broadcast_to(only, activation.shape)


@dataclass(frozen=True)
class Kernel:
    """The weights of one feature map: a kernel for each input channel that it reads, and the bias."""

    input_channels: tuple[int, ...]
    kernels: Array  # (input channels, height, width)
    bias: float | None


def feature_map_kernel(network: Network, layer: Layer, channel: int) -> Kernel:
    """Return the weights of one of a convolution's feature maps. Raises: UnknownCell, NoArithmetic."""
    if not layer.is_convolution:
        raise UnknownCell(f"The layer “{layer.name}” ({layer.kind}) has no kernels: it is no convolution.")
    channels = layer.output_shape[-1] or 0
    if not 0 <= channel < channels:
        raise UnknownCell(f"The layer “{layer.name}” has no kernel {channel}. It has {_range(channels)}.")
    weights = network.weights(layer)
    read, kernels = layer.map_kernels(weights, network.input_channels(layer), channel)
    bias = float(weights["bias"][channel]) if "bias" in weights else None
    return Kernel(tuple(read.tolist()), kernels.transpose(2, 0, 1).astype(np.float32), bias)


def draw_kernels(kernel: Kernel) -> Grid:
    """Draw the kernels of one feature map side by side, in a colour map that is symmetric about zero."""
    return draw_grid(kernel.kernels.transpose(1, 2, 0), Colormap.BERLIN)


def find_place(forward: ForwardPass, layer: Layer, channel: int, row: int | None, column: int | None) -> Place:
    """Return the place of a cell of a layer; without row and column, that of the map's strongest cell.

    Raises: UnknownCell for a channel outside the layer's output.
    """
    _, _, channels = as_maps_shape(forward.activations[layer.name].shape)
    if not 0 <= channel < channels:
        raise UnknownCell(f"There is no feature map {channel}. There is {_range(channels)}.")
    return strongest_cell(forward, layer, channel) if row is None or column is None else Place(channel, row, column)


def strongest_cell(forward: ForwardPass, layer: Layer, channel: int) -> Place:
    """Return the cell with the largest absolute value in one channel of a layer's output, or in a vector."""
    output = forward.activations[layer.name]
    with reading(output.size, forward):
        maps = open_maps(output.reshape(as_maps_shape(output.shape)), forward)
        return Place(channel, *find_strongest(OneMap(maps, channel)))


def find_strongest(values: Values) -> tuple[int, int]:
    """Return the row and column of the largest absolute value of one map, (height, width, 1); of a NaN, if any."""
    place, largest = (0, 0), np.float32(-1)
    for block in cut_blocks(values.shape):
        sizes = np.abs(values[block])
        row, column, _ = np.unravel_index(sizes.argmax(), sizes.shape)
        size, here = sizes[row, column, 0], (block[0].start + int(row), block[1].start + int(column))
        if np.isnan(size):
            return here
        if size > largest:
            place, largest = here, size
    return place


def _index(layer: Layer, output: Array, place: Place) -> tuple[int, ...]:
    height, width, channels = as_maps_shape(output.shape)
    if not 0 <= place.channel < channels:
        raise UnknownCell(f"The layer “{layer.name}” has no feature map {place.channel}. It has {_range(channels)}.")
    if not (0 <= place.row < height and 0 <= place.column < width):
        raise UnknownCell(
            f"A map of “{layer.name}” has no cell {place.row},{place.column}. "
            f"It has rows {_range(height)} and columns {_range(width)}."
        )
    at = (place.row, place.column, place.channel)
    return at[: output.ndim] if output.ndim in (2, 3) else _unravel(at, output.shape)


def _unravel(at: tuple[int, int, int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index of a cell in an output of another number of axes."""
    number = np.ravel_multi_index(at, as_maps_shape(shape))
    return tuple(map(int, np.unravel_index(number, shape)))


def _range(count: int) -> str:
    return "0 only" if count == 1 else f"0 to {count - 1}"
