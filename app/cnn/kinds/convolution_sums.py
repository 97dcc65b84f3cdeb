"""The sums of convolutions, and how gradients go back through them: everywhere at once, kernel cell by kernel cell."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..gradients import Gradients
from ..sweep import Sweep
from ..types import Array


def convolve(kernel: Array, maps: NDArray[Any], sweep: Sweep) -> NDArray[Any]:
    """Return the sums of a convolution over (..., height, width, channels).

    kernel: (rows, columns, channels of a group, filters).
    """
    size, filters = kernel.shape[2:]
    groups = maps.shape[-1] // size
    padded = sweep.pad(maps, 0.0)
    sums = np.zeros((groups, math.prod((*maps.shape[:-3], *sweep.places)), filters // groups), maps.dtype)
    for row, column, cells in sweep.cells():
        read = padded[cells].reshape(-1, groups, size).swapaxes(0, 1)
        sums += read @ kernel[row, column].reshape(size, groups, -1).swapaxes(0, 1)
    return sums.swapaxes(0, 1).reshape(*maps.shape[:-3], *sweep.places, filters)


def spread(kernel: Array, gradients: Gradients, sweep: Sweep, channels: int) -> Gradients:
    """Return the gradients of an input of so many channels: each goes by the kernel to all cells that were read."""
    size, filters = kernel.shape[2:]
    groups = channels // size
    flat = gradients.reshape(-1, groups, filters // groups).swapaxes(0, 1)
    padded = sweep.make_padded(len(gradients), channels=channels, dtype=gradients.dtype)
    for row, column, cells in sweep.cells():
        weights = kernel[row, column].reshape(size, groups, -1).transpose(1, 2, 0)
        padded[cells] += (flat @ weights).swapaxes(0, 1).reshape(*gradients.shape[:-1], channels)
    return sweep.crop(padded)


def convolve_channels(kernel: Array, image: NDArray[np.float64], sweep: Sweep) -> NDArray[np.float64]:
    """Return the sums of a depthwise convolution. kernel: (rows, columns, channels, multiplier)."""
    padded = sweep.pad(image, 0.0)[..., None]
    sums = np.zeros((*sweep.places, *kernel.shape[2:]))
    for row, column, cells in sweep.cells():
        sums += padded[(*cells, slice(None))] * kernel[row, column]
    return sums.reshape(*sweep.places, -1)


def spread_channels(kernel: Array, gradients: Gradients, sweep: Sweep) -> Gradients:
    """Return the gradients of the input of a depthwise convolution."""
    channels, multiplier = kernel.shape[2:]
    parts = gradients.reshape(*gradients.shape[:-1], channels, multiplier)
    padded = sweep.make_padded(len(gradients), channels=channels, dtype=gradients.dtype)
    for row, column, cells in sweep.cells():
        padded[cells] += np.einsum("...cm,cm->...c", parts, kernel[row, column])
    return sweep.crop(padded)
