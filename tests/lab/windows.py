"""Windows read one by one, as the references do: slowly, and without the code under test."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def places(side: int, window: int, stride: int, padding: str) -> tuple[int, int]:
    """How many windows there are along a side, and the cells of padding before the first, by TensorFlow's rule."""
    if padding == "valid":
        return (side - window) // stride + 1, 0
    count = math.ceil(side / stride)
    return count, max((count - 1) * stride + window - side, 0) // 2


def pool(
    planes: NDArray[np.float32], window: int, stride: int, padding: str, make: Callable[[Values], float]
) -> Values:
    """Apply a function to the values of each window that are no padding, row by row."""
    channels, height, width = planes.shape
    (rows, above), (columns, left) = (places(side, window, stride, padding) for side in (height, width))
    made = np.empty((channels, rows, columns))
    for channel, row, column in np.ndindex(made.shape):
        top, first = row * stride - above, column * stride - left
        cells = planes[channel, max(top, 0) : top + window, max(first, 0) : first + window]
        made[channel, row, column] = make(cells.astype(np.float64))
    return made
