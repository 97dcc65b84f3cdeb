"""One network run over many real digits: what is run, and what came of it."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from ..cnn.cost import RunLimits
from ..cnn.network import Network
from ..cnn.types import PoolingMode
from ..datasets.digits import Digits, DigitSet
from .evaluation import Evaluation, Progress, evaluate, right_labels, to_image
from .forward_passes import choose_reduction


class NoSuchDigits(ValueError):
    """The set has no such digits, or fewer of them."""


@dataclass(frozen=True)
class FinishedRun:
    """What a network answered, and how long that took."""

    evaluation: Evaluation
    seconds: float  # of computing and of waiting for others that computed

    @property
    def nbytes(self) -> int:
        """About what it takes in memory, with what is worked out of it."""
        return 2 * self.evaluation.probabilities.nbytes


@dataclass(frozen=True)
class DigitRun:
    """A network and a pooling mode, and the digits to run it on."""

    network: Network
    pooling: PoolingMode | None = None  # None is as trained
    invert: bool = False  # swap ink and paper before the network
    digit_set: DigitSet = DigitSet.TEST
    count: int | None = None  # the first so many; None is all
    labels: frozenset[int] = frozenset()  # digits of these alone; of all, if it is empty

    @property
    def mode(self) -> PoolingMode | None:
        """The pooling mode in effect; None without pooling, or where the layers' own modes differ."""
        return self.network.mode_in_effect(self.pooling)

    @property
    def key(self) -> Hashable:
        """All that the result depends on."""
        return "digits", ref(self.network), self.mode, self.invert, self.digit_set, self.count, self.labels

    @cached_property
    def indices(self) -> NDArray[np.intp]:
        """The digits' numbers in their set, ascending. Raises: NoSuchDigits."""
        labels = self.digit_set.load().labels
        found = np.flatnonzero(np.isin(labels, list(self.labels))) if self.labels else np.arange(len(labels))
        if self.count is not None and not 1 <= self.count <= len(found):
            raise NoSuchDigits(
                f"Ask for 1 to {len(found):,} digits: the {self.digit_set} set has so many"
                f"{' of these' if self.labels else ''}. Received: {self.count:,}."
            )
        return found[: self.count]

    @property
    def digits(self) -> Digits:
        """The digits themselves. Raises: NoSuchDigits."""
        return self.digit_set.load().take(self.indices)

    def require_possible(self, limits: RunLimits) -> None:
        """Refuse what would fail, before anything is run.

        Raises: NotForDigits, NoSuchDigits, WrongImageSize, TooCostly.
        """
        right_labels(self.network)
        digits = self.digits
        choose_reduction(self.network, to_image(digits.images[0], self.network.card).shape, self.mode, limits)

    def compute(self, progress: Progress | None = None) -> FinishedRun:
        """Run it. Raises: NotForDigits, NoSuchDigits, WrongImageSize, RunFailed, and what progress raises."""
        start = perf_counter()
        evaluation = evaluate(self.network, self.digits, self.pooling, self.invert, progress)
        return FinishedRun(evaluation, perf_counter() - start)
