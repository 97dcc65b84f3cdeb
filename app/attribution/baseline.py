"""The image that stands for nothing, for the methods that start from one."""

from enum import StrEnum

import numpy as np

from ..cnn.types import Array
from ..explore.drawing_runs import DrawingRun


class Baseline(StrEnum):
    """The image that stands for nothing."""

    PAPER = "paper"
    ZERO = "zero"
    MEAN = "mean"


def make_baseline(run: DrawingRun, baseline: Baseline) -> Array:
    """Return the image that stands for nothing, of the size of the drawing's. Raises: as DrawingRun.forward does."""
    image = run.forward().image
    if baseline is Baseline.MEAN:
        return np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
    if baseline is Baseline.ZERO or run.network.card.takes_numbers:
        return np.zeros_like(image)
    blank = run.passes.run(run.network, None, run.pooling, held=run.held).image
    return np.broadcast_to(blank[0, 0], image.shape)
