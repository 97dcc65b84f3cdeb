"""What each map of a convolution is worth: how many digits are read less well without it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cnn.cost import RunLimits
from ..cnn.edits import Edits
from ..cnn.errors import CannotMute
from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..datasets.digits import Digits, load_test_digits
from ..experiments.experiment import difference
from ..experiments.maps import log_likelihood
from ..explore.evaluation import Evaluation, evaluate, right_labels
from .examples import Examples
from .layers import NoMaps, count_maps
from .runs import LayerRun

USUAL = 500  # digits, for each map


@dataclass(frozen=True)
class MapCosts:
    """What muting each map of one layer costs, alone, without training anything again."""

    layer: Layer
    digits: int
    accuracy: float  # with all maps, from 0 to 1
    lost: NDArray[np.float64]  # (maps,), by how much the accuracy falls; below zero where it rises
    errors: NDArray[np.float64]  # (maps,), the standard error of that
    likelihood_lost: NDArray[np.float64]  # (maps,), the same of log_likelihood

    @property
    def nbytes(self) -> int:
        return 3 * self.lost.nbytes

    @property
    def order(self) -> list[int]:
        """The maps, the one first without which the right answers get least likely.

        Few digits are read wrong without one map, so the accuracy would order most maps by chance.
        """
        return [int(number) for number in np.argsort(-self.likelihood_lost, kind="stable")]


@dataclass(frozen=True)
class MapCostsRun(LayerRun):
    """A convolution whose maps are muted one after the other, and how many digits are read without each."""

    name = "map costs"
    count: int = USUAL

    @property
    def total(self) -> int:
        """How many times a network is run."""
        return self.count * (1 + count_maps(self.layer))

    def require_possible(self, limits: RunLimits) -> None:
        """Refuse what would fail, before anything is run.

        Raises: NoSuchCount, NoMaps, NotForDigits, WrongImageSize, TooCostly.
        """
        if reason := why_not_muted(self.network, self.layer):
            raise NoMaps(reason)
        right_labels(self.network)
        Examples(self.count).require_possible(self.network, self.mode, limits)

    def compute(self, report: Callable[[int], None] | None = None) -> MapCosts:
        """Run it. report: is told how many runs are done. Raises: NotForDigits, RunFailed, and what report raises."""
        digits = load_test_digits().take(Examples(self.count).numbers)
        whole = self._read(self.network, digits, 0, report)
        found = [self._mute(number, digits, report) for number in range(count_maps(self.layer))]
        lost, errors = np.transpose([difference(whole.is_right, each.is_right) for each in found])
        likelihoods = np.array([log_likelihood(each) for each in found])
        return MapCosts(self.layer, self.count, whole.accuracy, lost, errors, log_likelihood(whole) - likelihoods)

    def _mute(self, number: int, digits: Digits, report: Callable[[int], None] | None) -> Evaluation:
        """Read the digits without one map."""
        muted = self.network.edited(Edits.muting({self.layer.name: [number]}))
        try:
            return self._read(muted, digits, (1 + number) * self.count, report)
        finally:
            muted.engine.close()

    def _read(self, network: Network, digits: Digits, before: int, report: Callable[[int], None] | None) -> Evaluation:
        tell = None if report is None else lambda done: report(before + done)
        return evaluate(network, digits, self.pooling, progress=tell)


def why_not_muted(network: Network, layer: Layer) -> str | None:
    """Return why the maps of a layer cannot be muted one by one; None if they can."""
    if layer is network.layers[-1]:
        return f"“{layer.name}” gives the answer: without one of its {count_maps(layer):,} outputs there is none."
    try:
        layer.mute(network.weights(layer), [])
    except CannotMute as error:
        return str(error)
    return None
