"""One network run over many real digits: what is run, and what came of it."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from ..cnn.cost import RunLimits
from ..cnn.edits import Edits
from ..cnn.network import Network
from ..cnn.types import PoolingMode
from ..datasets.digits import Digits, DigitSet
from .evaluation import Evaluation, Progress, judge, right_labels, run_side_by_side, to_image
from .forward_passes import choose_reduction

NO_EDITS = Edits()


class NoSuchDigits(ValueError):
    """The set has no such digits, or fewer of them."""


@dataclass(frozen=True)
class FinishedRun:
    """What a network answered, and how long that took."""

    evaluation: Evaluation
    seconds: float  # of computing and of waiting for others that computed
    before: "FinishedRun | None" = None  # the same without the edits, where there are any

    @property
    def nbytes(self) -> int:
        """About what it takes in memory, with what is worked out of it."""
        return 2 * self.evaluation.probabilities.nbytes + (self.before.nbytes if self.before else 0)


@dataclass(frozen=True)
class DigitRun:
    """A network and a pooling mode, and the digits to run it on."""

    network: Network
    pooling: PoolingMode | None = None  # None is as trained
    invert: bool = False  # swap ink and paper before the network
    digit_set: DigitSet = DigitSet.TEST
    count: int | None = None  # the first so many; None is all
    labels: frozenset[int] = frozenset()  # digits of these alone; of all, if it is empty
    whole: Network | None = None  # the network before it was edited; None, where it was not
    edits: Edits = NO_EDITS  # that were made in it

    @property
    def mode(self) -> PoolingMode | None:
        """The pooling mode in effect; None without pooling, or where the layers' own modes differ."""
        return self.network.mode_in_effect(self.pooling)

    @property
    def key(self) -> Hashable:
        """All that the result depends on."""
        return "digits", ref(self.network), self.mode, self.invert, self.digit_set, self.count, self.labels

    @property
    def before(self) -> "DigitRun | None":
        """The same without the edits; None, where there are none."""
        return None if self.whole is None else replace(self, network=self.whole, whole=None, edits=NO_EDITS)

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

    def compute(self, progress: Progress | None = None, before: FinishedRun | None = None) -> FinishedRun:
        """Run it, and side by side with it the network before it was edited, where that has not been run.

        before: the result without the edits, if it is known. Raises: NotForDigits, NoSuchDigits, WrongImageSize,
        RunFailed, and what progress raises.
        """
        right_labels(self.network)  # what has none is not run
        start = perf_counter()
        networks = [self.network] if self.whole is None or before else [self.network, self.whole]
        digits = self.digits
        made = run_side_by_side(networks, digits.images, self.pooling, self.invert, progress)
        seconds = perf_counter() - start
        evaluation, *others = (
            judge(network, digits, outputs, self.pooling) for network, outputs in zip(networks, made, strict=True)
        )
        return FinishedRun(evaluation, seconds, FinishedRun(others[0], seconds) if others else before)
