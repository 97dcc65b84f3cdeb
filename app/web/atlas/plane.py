"""The geometry of a cloud of digits on the page: one scale for both axes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...atlas.cloud import Cloud

WIDTH, HEIGHT = 100.0, 72.0  # of the drawing
_MARGIN = 4.0  # around the digits


@dataclass(frozen=True)
class Mark:
    """A digit on the drawing; y goes down."""

    name: str  # such as test-7
    label: int
    x: float
    y: float


@dataclass(frozen=True)
class ClassPlace:
    """Where the digits of one class lie: the mean and the standard deviation along each axis."""

    label: int
    count: int
    mean: tuple[float, float]
    spread: tuple[float, float]


@dataclass(frozen=True)
class Plane:
    """A cloud, and how its plane becomes the drawing."""

    cloud: Cloud

    def marks(self) -> list[Mark]:
        """Return all of its digits."""
        labels, examples = self.cloud.examples.labels.tolist(), self.cloud.examples
        places = self._to_drawing(self.cloud.plane).round(2).tolist()
        return [Mark(examples.name(at), labels[at], x, y) for at, (x, y) in enumerate(places)]

    def show(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the plane is on the drawing; at its edge if it lies beyond."""
        shown = self._to_drawing(np.array([[x, y]])).clip((1, 1), (WIDTH - 1, HEIGHT - 1)).round(2)
        return float(shown[0, 0]), float(shown[0, 1])

    def classes(self) -> list[ClassPlace]:
        """Return where each class lies."""
        labels, points = self.cloud.examples.labels, self.cloud.plane.astype(np.float64)
        places = []
        for label in np.unique(labels).tolist():
            own = points[labels == label]
            mean, spread = own.mean(axis=0).tolist(), own.std(axis=0).tolist()
            places.append(ClassPlace(label, len(own), (mean[0], mean[1]), (spread[0], spread[1])))
        return places

    def _to_drawing(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        low, high = self.cloud.plane.min(axis=0), self.cloud.plane.max(axis=0)
        room = np.array([WIDTH, HEIGHT]) - 2 * _MARGIN
        scale = float((room / np.maximum(high - low, 1e-9)).min())
        away = (points.astype(np.float64) - (low + high) / 2) * (scale, -scale)
        middle = np.array([WIDTH, HEIGHT]) / 2
        return np.asarray(away + middle, np.float64)
