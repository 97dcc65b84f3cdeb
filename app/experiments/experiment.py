"""An experiment: its question, what it measures of whom, and what it found."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cnn.network import Network
from ..cnn.types import PoolingMode
from ..datasets.digits import Digits, load_test_digits
from ..explore.evaluation import Evaluation, evaluate, right_labels
from ..library.library import Library
from .chart import Chart
from .rows import Row, Value
from .words import percent

# Told how many runs of a network are done, and of how many; what it raises ends the experiment.
Tell = Callable[[int, int], None]

FEWEST, USUAL = 100, 2_000  # digits
FEW = 0.01 + 1e-9  # of all digits: one point, and what rounding adds to it


class NoSuchCount(ValueError):
    """There are not so many digits, or they are too few to tell anything. The message says how many there may be."""

    def __init__(self, count: int) -> None:
        most = len(load_test_digits())
        super().__init__(f"Ask for {FEWEST} to {most:,} digits. Received: {count:,}.")


class NotForExperiment(ValueError):
    """An experiment asks something of a network that it has not. The message says what."""


class Verdict(StrEnum):
    """What became of the claim that an experiment puts to the test."""

    HOLDS = "holds"
    PARTLY = "holds in part"
    FAILS = "does not hold"
    OPEN = "is left open"


@dataclass(frozen=True)
class Conclusion:
    """The sentence that closes an experiment, composed of its numbers."""

    verdict: Verdict
    sentence: str


class Fact(NamedTuple):
    """A measured number beside the table."""

    title: str
    value: Value


@dataclass(frozen=True)
class Result:
    """What an experiment found."""

    experiment: "Experiment"
    model: str
    digits: int
    rows: tuple[Row, ...]
    chart: Chart
    conclusion: Conclusion
    facts: tuple[Fact, ...] = ()

    @property
    def nbytes(self) -> int:
        """About what it takes in memory."""
        return 1_000 * (len(self.rows) + 1)


@dataclass(frozen=True)
class Subject:
    """What is experimented on. Other networks may be taken from the library to compare with."""

    network: Network
    library: Library
    digits: Digits

    def sibling(self, mode: PoolingMode) -> Network | None:
        """Return the network of the same architecture that was trained with this mode; None without one.

        Raises: ModelError.
        """
        if self.network.card.pooling is mode:
            return self.network
        name = self.library.sibling_name(self.network, mode)
        if name == self.network.name:
            return None
        sibling = self.library.network(name)
        return sibling if sibling.card.pooling is mode else None


class Trial:
    """An experiment that is under way: it runs networks, and tells how far it is."""

    def __init__(self, subject: Subject, total: int, tell: Tell | None = None) -> None:
        """total: runs of a network."""
        self.network, self.library, self.digits = subject.network, subject.library, subject.digits
        self.subject = subject
        self.total, self.done = total, 0
        self._tell = tell

    def advance(self, runs: int = 1) -> None:
        """Tell that so many more runs are done."""
        self.done += runs
        if self._tell is not None:
            self._tell(self.done, self.total)

    def evaluate(
        self,
        images: NDArray[Any] | None = None,
        pooling: PoolingMode | None = None,
        invert: bool = False,
        network: Network | None = None,
        digits: Digits | None = None,
    ) -> Evaluation:
        """Run a network on digits; by default the subject's on its own. images: what became of those digits.

        Raises: NotForDigits, RunFailed.
        """
        shown = digits or self.digits
        if images is not None:
            shown = Digits(images, shown.labels)
        return evaluate(network or self.network, shown, pooling, invert, lambda _: self.advance())


class Experiment(ABC):
    """One question about networks that read digits."""

    name: ClassVar[str]  # in addresses and commands
    question: ClassVar[str]
    claim: ClassVar[str]  # what is put to the test, in our own words
    method: ClassVar[str]
    criterion: ClassVar[str]  # what the claim must come to, to hold
    row: ClassVar[type[Row]]

    def check(self, subject: Subject) -> None:
        """Raise NotForDigits or NotForExperiment where the network cannot be asked."""
        right_labels(subject.network)

    @abstractmethod
    def count(self, subject: Subject) -> int:
        """Return how many times networks are run."""

    @abstractmethod
    def measure(self, trial: Trial) -> Sequence[Row]:
        """Return the table. Raises: RunFailed, ModelError."""

    @abstractmethod
    def draw(self, rows: Sequence[Any]) -> Chart:
        """Return the chart of the table."""

    @abstractmethod
    def conclude(self, network: Network, rows: Sequence[Any], facts: Sequence[Fact]) -> Conclusion:
        """Return what the table says about the claim."""

    def find_facts(self, trial: Trial) -> Sequence[Fact]:
        """Return measured numbers that are no part of the table. By default there are none."""
        return ()

    def run(self, subject: Subject, tell: Tell | None = None) -> Result:
        """Measure, and conclude. Raises: NotForDigits, NotForExperiment, RunFailed, ModelError."""
        self.check(subject)
        trial = Trial(subject, self.count(subject), tell)
        rows = tuple(self.measure(trial))
        facts = tuple(self.find_facts(trial))
        conclusion = self.conclude(subject.network, rows, facts)
        return Result(self, subject.network.name, len(subject.digits), rows, self.draw(rows), conclusion, facts)


def choose_digits(count: int = USUAL) -> Digits:
    """Return so many of the test digits, evenly spread over all of them. Raises: NoSuchCount.

    The first 5,000 of MNIST's test digits come from other writers than the last, and are read less well: 99.2 against
    99.8 % by the model “digits”. So the first ones would be no fair sample.
    """
    return load_test_digits().take(choose_numbers(count))


def choose_numbers(count: int = USUAL) -> NDArray[np.intp]:
    """Return the numbers of these digits in their set, (count,), ascending. Raises: NoSuchCount."""
    most = len(load_test_digits())
    if not FEWEST <= count <= most:
        raise NoSuchCount(count)
    return np.arange(count) * most // count


def standard_error(share: float, count: int) -> float:
    """Return the standard error of a share of so many: sqrt(p (1 - p) / n)."""
    return sqrt(share * (1 - share) / count)


def difference(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[float, float]:
    """Return by how much the share of true values in the first exceeds that in the second, and its standard error.

    Both are of the same digits, one by one, so that the error is that of the mean of paired differences.
    """
    apart = first.astype(float) - second.astype(float)
    return float(apart.mean()), float(apart.std() / sqrt(len(apart)))


def run_modes(network: Network) -> tuple[PoolingMode | None, ...]:
    """Return the pooling modes to run a network in; None is as trained, where that is none of the three."""
    if not network.pools:
        return (None,)
    return tuple(PoolingMode) if network.card.pooling else (None, *PoolingMode)


def mode_words(network: Network, mode: PoolingMode | None) -> str:
    """Name the pooling mode in a table."""
    if mode is not None:
        return mode.value
    return "as trained" if network.pools else "no pooling"


def trained_words(network: Network) -> str:
    """Name the mode that the network was trained with, as `mode_words` does."""
    return mode_words(network, network.card.pooling if network.pools else None)


def too_weak(network: Network, accuracy: float) -> Conclusion | None:
    """Return the conclusion for a network that reads too little for any claim about reading; None for one that reads.

    It must be right at least halfway between chance and always.
    """
    chance = 1 / len(set(right_labels(network)))
    if accuracy >= (1 + chance) / 2:
        return None
    return Conclusion(
        Verdict.OPEN,
        f"“{network.name}” reads {percent(accuracy)} of these digits as they are, where chance gives "
        f"{percent(chance)}: what it reads of changed ones says nothing about the claim.",
    )
