"""Values to be drawn, and the levels that they must have."""

import numpy as np
import pytest
from numpy.typing import NDArray

from app.imaging.colormap import Colormap, Scale

BOTH_SCALES = pytest.mark.parametrize("scale", list(Scale))
BOTH_KINDS = pytest.mark.parametrize("colormap", [Colormap.VIRIDIS, Colormap.BERLIN])


def activation(height: int, width: int, channels: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(1, 3, (height, width, channels)).astype(np.float32)


def expected_levels(values: NDArray[np.float32], colormap: Colormap, scale: Scale) -> NDArray[np.int64]:
    """Each value's level by the book, map by map, in float64."""
    levels = np.zeros(values.shape, dtype=np.int64)
    for channel in range(values.shape[2]):
        extremes = values[:, :, channel] if scale is Scale.MAP else values
        low, high = float(extremes.min()), float(extremes.max())
        if colormap.diverging:
            high = max(abs(low), abs(high))
            low = -high
        levels[:, :, channel] = np.floor((values[:, :, channel].astype(float) - low) / (high - low) * 254 + 0.5)
    return levels
