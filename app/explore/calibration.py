"""How well a network's confidence tells how often it is right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15  # what most papers take (Guo et al. 2017, arXiv:1706.04599)


@dataclass(frozen=True)
class CalibrationBin:
    """The answers whose confidence is in one part of the way from 0 to 1."""

    low: float
    high: float  # of the last bin, this itself is in it
    count: int
    confidence: float | None  # the mean; None where there are no answers
    accuracy: float | None  # the share that is right

    @property
    def gap(self) -> float:
        """How far the accuracy is above the confidence; 0 where there are no answers."""
        return 0.0 if self.accuracy is None or self.confidence is None else self.accuracy - self.confidence


def bin_by_confidence(
    confidences: NDArray[np.float64], is_right: NDArray[np.bool_], bins: int = BINS
) -> list[CalibrationBin]:
    """Sort answers into bins of equal width (Guo et al. 2017).

    confidences: (n,), from 0 to 1; what lies beyond, as outputs that are no probabilities may, is in the first or last
    bin. is_right: (n,).
    """
    number = np.clip((confidences * bins).astype(int), 0, bins - 1)
    counts, surest, right = (
        np.bincount(number, weights, minlength=bins).tolist() for weights in (None, confidences, is_right)
    )
    return [
        CalibrationBin(each / bins, (each + 1) / bins, count, sure / count, good / count)
        if count
        else CalibrationBin(each / bins, (each + 1) / bins, 0, None, None)
        for each, (count, sure, good) in enumerate(zip(counts, surest, right, strict=True))
    ]


def calibration_error(bins: list[CalibrationBin]) -> float:
    """Return the expected calibration error, from 0 to 1.

    That is the mean distance of a bin's accuracy from its confidence, weighted by how many answers are in it.
    """
    return sum(each.count * abs(each.gap) for each in bins) / sum(each.count for each in bins)
