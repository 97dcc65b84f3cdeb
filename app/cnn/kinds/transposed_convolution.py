"""Transposed convolution."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell
from ..errors import NoArithmetic, UnsupportedLayer, require_few
from ..gradients import Gradients
from ..sweep import Sweep
from ..types import Array, Maps, Shape, Variables, Weights
from ..windows import Region, Size, read_cells
from .activation_functions import activate
from .checks import UNITS, optional, pair, setting, whole
from .convolution import EVERY, LANES, Convolution
from .convolution_sums import convolve, spread
from .layer import (
    CellIndex,
    GraphBuilder,
    Sizes,
    Tensor,
    WeightsPlace,
    image_shape,
    require,
)


class Conv2DTranspose(Convolution):
    """Each input cell puts its multiple of the kernel into the output, a stride further for each cell.

    Cell i of the input reaches the cells i·s - p .. i·s - p + k - 1 of the output.
    """

    filters: int = setting(whole(1, UNITS))
    output_padding: tuple[int, int] | None = setting(optional(pair(0)), None)

    aliases = ("Deconvolution2D", "Convolution2DTranspose")
    has_partial_maps = False
    title = "transposed convolution"

    @property
    def kernels(self) -> int:
        return self.filters

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        height, width, _ = image_shape(*inputs)
        require(self.output_padding is None and self.dilation_rate == (1, 1))
        return (*self._output_size((height, width)), self.filters)

    def _output_size(self, size: Size) -> Size:
        """Return n · s, and without padding as much more as the kernel is larger than the stride."""
        height, width = (
            None if side is None else side * stride + (0 if self.padding == "same" else max(kernel - stride, 0))
            for side, kernel, stride in zip(size, self.kernel_size, self.strides, strict=True)
        )
        return height, width

    def variable_shapes(self, *inputs: Shape) -> Variables:
        _, _, channels = image_shape(*inputs)
        return {"kernel": (*self.kernel_size, self.filters, channels), **self._bias(self.filters)}

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return math.prod(inputs[0]) * math.prod(self.kernel_size) * max(self.filters, LANES)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        if self.dilation_rate != (1, 1) or self.output_padding is not None:
            raise UnsupportedLayer("a transposed convolution with dilation or output_padding")
        height, width = self._output_size((inputs[0].shape[1], inputs[0].shape[2]))
        made = graph.transpose_conv(inputs[0], weights["kernel"], weights.get("bias"), self.window, (height, width))
        return activate(graph, self.activation, made)

    def map_kernels(
        self, weights: Weights, input_channels: int, channel: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        raise NoArithmetic(self.kind)  # each cell is reached by other weights

    def kernel_place(self, number: int, channel: int) -> WeightsPlace:
        self._require_channel(channel, 0, self.variables["kernel"][3])
        return "kernel", (EVERY, EVERY, number, channel)

    def partial_maps(
        self, weights: Weights, image: Maps, channel: int, shape: tuple[int, int], terms: slice = slice(None)
    ) -> NDArray[np.float64] | None:
        return None

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        """Return the input cells that reach a cell of the output, and the weight of each."""
        image, (row, column, channel) = inputs[0], place
        region = self.read_region(Region(row, column, row + 1, column + 1), image.shape[:2])
        require_few(region.height * region.width * image.shape[2])
        down, across = np.arange(region.top, region.bottom), np.arange(region.left, region.right)
        patch = read_cells(image, down[:, None], across[None], 0.0)
        rows, hits_row = self._kernel_places(0, row, down)
        columns, hits_column = self._kernel_places(1, column, across)
        kernels = weights["kernel"][:, :, channel][np.ix_(rows, columns)].astype(np.float64)
        kernels *= (hits_row[:, None] & hits_column[None])[:, :, None]
        return self._cell(weights, region, np.arange(image.shape[2]), patch, kernels, channel, value)

    def _sweep(self, size: Sequence[int]) -> Sweep:
        """Return the window's places over the output, for an input of this size: they are the input's cells."""
        height, width = self._made_size((size[0], size[1]))
        return Sweep(self.window, (height, width), (size[0], size[1]))

    def _made_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the output."""
        rows, columns = self.output_shape[:2]
        own = self._output_size(size)
        return rows or own[0] or 0, columns or own[1] or 0

    def _convolve(self, weights: Weights, image: NDArray[np.float64]) -> NDArray[np.float64]:
        return spread(weights["kernel"], image[np.newaxis], self._sweep(image.shape), self.filters)[0]

    def _spread(self, weights: Weights, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        return convolve(weights["kernel"], gradients, self._sweep(shape))

    def _by_map(self, kernel: Array) -> Array:
        return kernel.swapaxes(2, 3)

    def _kernel_places(
        self, axis: int, cell: int, read: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return the row (axis 0) or column (axis 1) of the kernel by which each input cell reaches an output cell.

        An input cell i puts the kernel's first row at i times the stride, less the padding, and the others a dilation
        apart. Returns: the rows, and where there is one: elsewhere the cell falls into a gap.
        """
        offsets = cell + self._padding(axis) - read * self.strides[axis]
        places, gaps = np.divmod(offsets, self.dilation_rate[axis])
        return places, gaps == 0

    def read_region(self, cells: Region, size: Size) -> Region:
        (top, _), (left, _) = self._read(0, cells.top), self._read(1, cells.left)
        (_, bottom), (_, right) = self._read(0, cells.bottom - 1), self._read(1, cells.right - 1)
        return Region(top, left, bottom, right)

    def _read(self, axis: int, cell: int) -> tuple[int, int]:
        """Return the first row (axis 0) or column (axis 1) that reaches a cell, and the one after the last."""
        stride, extent, padding = self.strides[axis], self.window.extent[axis], self._padding(axis)
        return -((extent - 1 - cell - padding) // stride), (cell + padding) // stride + 1

    def _padding(self, axis: int) -> int:
        """Return how many rows (axis 0) or columns (axis 1) are cut off before the first one that is kept."""
        return max(self.window.extent[axis] - self.strides[axis], 0) // 2 if self.padding == "same" else 0
