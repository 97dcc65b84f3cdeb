"""All kernels of a convolution in one picture: a row for each map, a column for each input channel."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..cnn.errors import NoArithmetic
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..explore.inspection import feature_map_kernel
from ..imaging.colormap import Colormap, Extremes, Scale
from ..imaging.grid import Grid, draw_grid
from .layers import NoMaps, count_maps

MOST_WEIGHTS = 2**20  # of a layer
_MOST_COLUMNS = 16  # of kernels of one input channel


@dataclass(frozen=True)
class Kernels:
    """The kernels of one convolution."""

    layer: Layer
    weights: NDArray[np.float32]  # (maps, input channels that each map reads, height, width)
    input_channels: NDArray[np.intp]  # (maps, input channels that each map reads), their numbers
    bias: NDArray[np.float32] | None  # (maps,)

    @cached_property
    def largest(self) -> float:
        """The largest absolute weight."""
        return float(np.abs(self.weights).max())

    def draw(self, colormap: Colormap = Colormap.BERLIN) -> Grid:
        """Draw all kernels, one pixel a weight, in colours symmetric about zero that are the same for all maps.

        A row for each map; where each of them reads one channel, they stand side by side.
        """
        count, read = self.weights.shape[:2]
        return self._draw(self.weights, colormap, read if read > 1 else min(count, _MOST_COLUMNS))

    def draw_map(self, number: int, colormap: Colormap = Colormap.BERLIN) -> Grid:
        """Draw the kernels of one map in the same colours, in rows of a few."""
        return self._draw(self.weights[number : number + 1], colormap, min(self.weights.shape[1], _MOST_COLUMNS))

    def _draw(self, weights: NDArray[np.float32], colormap: Colormap, columns: int) -> Grid:
        pictures = weights.reshape(-1, *weights.shape[2:]).transpose(1, 2, 0)
        ends = np.array([self.largest], np.float32)
        return draw_grid(pictures, colormap, Scale.LAYER, columns, Extremes(-ends, ends))


def read_kernels(network: Network, layer: Layer) -> Kernels:
    """Return the kernels of a convolution. Raises: NoMaps, NoArithmetic."""
    if not layer.is_convolution:
        raise NoMaps(f"“{layer.name}” ({layer.kind}) has no kernels: it is no convolution.")
    weights = layer.parameters
    if weights > MOST_WEIGHTS:
        raise NoMaps(f"“{layer.name}” has {weights:,} weights, more than the {MOST_WEIGHTS:,} that are drawn at once.")
    each = [feature_map_kernel(network, layer, number) for number in range(count_maps(layer))]
    bias = None if each[0].bias is None else np.array([kernel.bias for kernel in each], np.float32)
    channels = np.array([kernel.input_channels for kernel in each])
    return Kernels(layer, np.stack([kernel.kernels for kernel in each]), channels, bias)


def find_kernels(network: Network, layer: Layer) -> Kernels | None:
    """Return the same; None for a layer without kernels, or with more than can be drawn."""
    try:
        return read_kernels(network, layer)
    except (NoMaps, NoArithmetic):
        return None
