"""Where real digits lie for a layer: its activations, projected onto the directions in which they differ most.

That is principal component analysis (Pearson, "On Lines and Planes of Closest Fit to Systems of Points", 1901).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cnn.cost import RunLimits
from ..cnn.kinds import Layer
from ..cnn.types import Array
from ..explore.evaluation import run_on_image
from .examples import Examples
from .layers import NoMaps, why_not
from .runs import LayerRun

USUAL = 1000  # digits
MOST = 2000  # of them
MOST_VALUES = 2**15  # of a layer's output
DIRECTIONS = 128  # in which places are compared, at most; two of them make the plane
_NOTHING = 1e-9  # of the variance


@dataclass(frozen=True)
class Cloud:
    """Digits as points along the directions in which a layer's values differ most; two of these make the plane."""

    layer: Layer
    examples: Examples
    mean: NDArray[np.float32]  # (values,), of the layer's output over the digits
    axes: NDArray[np.float32]  # (directions, values), of length one, at right angles
    shares: NDArray[np.float64]  # (directions,), of the variance that lies along each axis, from 0 to 1
    points: NDArray[np.float32]  # (digits, directions)

    @property
    def nbytes(self) -> int:
        return self.mean.nbytes + self.axes.nbytes + self.points.nbytes

    @property
    def plane(self) -> NDArray[np.float32]:
        """Where the digits lie in the plane: (digits, 2)."""
        return self.points[:, :2]

    @property
    def share(self) -> float:
        """The share of the variance along all directions."""
        return float(min(1.0, self.shares.sum()))

    def place(self, activation: Array) -> NDArray[np.float32]:
        """Return where an output of the layer lies, (directions,). activation: without the batch."""
        return np.asarray(self.axes @ (activation.ravel() - self.mean))

    def nearest(self, place: NDArray[np.float32], count: int) -> "Nearest":
        """Return the digits that lie nearest to a place, in all directions, the nearest first."""
        squared = ((self.points - place).astype(np.float64) ** 2).sum(axis=1)
        order = np.argsort(squared, kind="stable")[:count]
        return Nearest(order, np.sqrt(squared[order]))


class Nearest(NamedTuple):
    """The digits that lie nearest to a place."""

    places: NDArray[np.intp]  # of the digits among the cloud's examples, (count,), the nearest first
    distances: NDArray[np.float64]  # (count,), in the layer's own values


@dataclass(frozen=True)
class CloudRun(LayerRun):
    """A layer, and how many digits it is shown."""

    name = "cloud"
    count: int = USUAL

    @property
    def total(self) -> int:
        """How many times the network is run."""
        return self.count

    def require_possible(self, limits: RunLimits) -> None:
        """Refuse what would fail, before anything is run.

        Raises: NoMaps, NoSuchCount, NotForDigits, WrongImageSize, TooCostly.
        """
        if reason := why_no_cloud(self.layer):
            raise NoMaps(reason)
        if self.count > MOST:
            raise NoMaps(f"A cloud has {MOST:,} digits at most. Received: {self.count:,}.")
        Examples(self.count).require_possible(self.network, self.mode, limits)

    def compute(self, report: Callable[[int], None] | None = None) -> Cloud:
        """Run it. Raises: NoMaps, WrongImageSize, RunFailed, and what report raises."""
        examples = Examples(self.count)
        outputs = np.empty((self.count, _count_values(self.layer)), np.float32)
        for place in range(self.count):
            forward = run_on_image(self.network, examples.image(place, self.network.card), self.pooling)
            outputs[place] = forward.activations[self.layer.name].ravel()
            forward.release_pages()
            if report is not None:
                report(place + 1)
        return project(self.layer, examples, outputs)


def project(layer: Layer, examples: Examples, outputs: NDArray[np.float32]) -> Cloud:
    """Find the directions in which outputs, (digits, values), differ most. Changes outputs. Raises: NoMaps."""
    if not np.isfinite(outputs).all():
        raise NoMaps(f"“{layer.name}” gives values that are not finite: they lie nowhere.")
    mean = outputs.mean(axis=0)
    outputs -= mean
    # The left singular vectors, from the inner products of the digits: there are fewer digits than values.
    variances, vectors = np.linalg.eigh((outputs @ outputs.T).astype(np.float64))
    total = float(variances.sum())
    kept = min(DIRECTIONS, outputs.shape[1])
    variances, vectors = variances[: -kept - 1 : -1].clip(0), vectors[:, : -kept - 1 : -1]
    if total <= 0:
        raise NoMaps(f"“{layer.name}” gives the same values for every digit: all of them lie at one point.")
    known = max(2, int((variances > total * _NOTHING).sum()))  # beyond these there is rounding alone
    variances, vectors = variances[:known], vectors[:, :known]
    lengths = np.sqrt(np.maximum(variances, np.finfo(np.float32).tiny))
    axes = (vectors / lengths).T.astype(np.float32) @ outputs
    # Each axis may point either way: so that it always is the same one.
    axes *= np.sign(axes[np.arange(known), np.abs(axes).argmax(axis=1)])[:, np.newaxis]
    return Cloud(layer, examples, mean, axes, variances / total, outputs @ axes.T)


def why_no_cloud(layer: Layer) -> str | None:
    """Return why the outputs of a layer have no place in a cloud; None if they have."""
    if reason := why_not(layer):
        return reason
    values = _count_values(layer)
    if not values:
        return f"“{layer.name}” has as many values as the picture's size makes: they lie in no one space."
    if values > MOST_VALUES:
        return f"“{layer.name}” has {values:,} values for a picture, more than the {MOST_VALUES:,} that are compared."
    if values < 2:
        return f"“{layer.name}” has one value for a picture: it needs no cloud."
    return None


def _count_values(layer: Layer) -> int:
    """Return how many numbers a layer gives for a picture; 0 where that depends on the picture."""
    return math.prod(size or 0 for size in layer.output_shape)
