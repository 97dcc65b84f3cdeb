"""The arithmetic of layers by the book: plain NumPy, one cell at a time."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_KEEP: dict[str, Callable[[Array], Any]] = {"max": np.max, "average": np.mean, "min": np.min}


def pool(image: Array, mode: str, size: tuple[int, int], strides: tuple[int, int], padding: str) -> Array:
    """Pooling of (height, width, channels). Cells of padding are no values: they count for nothing in any mode."""
    padded = _pad(image, size, strides) if padding == "same" else image
    rows = (padded.shape[0] - size[0]) // strides[0] + 1
    columns = (padded.shape[1] - size[1]) // strides[1] + 1
    pooled = np.empty((rows, columns, image.shape[2]), dtype=np.float32)
    for row in range(rows):
        for column in range(columns):
            for channel in range(image.shape[2]):
                top, left = row * strides[0], column * strides[1]
                window = padded[top : top + size[0], left : left + size[1], channel]
                pooled[row, column, channel] = _KEEP[mode](window[~np.isnan(window)])
    return pooled


def _pad(image: Array, size: tuple[int, int], strides: tuple[int, int]) -> Array:
    """Not-a-number around the image, so that ceil(length / stride) windows fit; of an odd number, more at the end."""
    margins = []
    for length, extent, stride in zip(image.shape[:2], size, strides, strict=True):
        missing = max((-(-length // stride) - 1) * stride + extent - length, 0)
        margins.append((missing // 2, missing - missing // 2))
    return np.pad(image, [*margins, (0, 0)], constant_values=np.nan)


def pool_all(image: Array, mode: str) -> Array:
    """Global pooling of (height, width, channels): (channels,)."""
    return np.array([_KEEP[mode](image[:, :, channel]) for channel in range(image.shape[2])], dtype=np.float32)


def activate(name: str, x: float) -> float:
    """Return an activation function of one value, from Keras' documentation of keras.activations."""
    match name:
        case "linear":
            return x
        case "relu":
            return max(x, 0.0)
        case "sigmoid":
            return 1 / (1 + math.exp(-x))
        case "tanh":
            return math.tanh(x)
        case "elu":
            return x if x > 0 else math.expm1(x)
        case "softplus":
            return math.log1p(math.exp(-abs(x))) + max(x, 0.0)
        case "silu":
            return x / (1 + math.exp(-x))
    raise KeyError(name)
