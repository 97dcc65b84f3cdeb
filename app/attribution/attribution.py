"""What a method says of an answer, how far its values are from the logit, and whether it looks at the weights at all.

The last is the model parameter randomisation test (Adebayo and others, "Sanity Checks for Saliency Maps", 2018). A
method that marks the same places in a network with shuffled weights says nothing of what the network has learnt.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..cnn.cost import DEFAULT_LIMITS, RunLimits
from ..cnn.logits import find_logits
from ..cnn.network import ForwardPass, Network
from .case import Case, Settings, Values
from .deadline import Deadline
from .method import Method
from .question import Question, read_question, require_classes

_NONE = Settings()


@dataclass(frozen=True)
class Attribution:
    """What a method says of each cell."""

    case: Case
    method: Method
    values: Values  # (*shape of the layer); (height, width) for a class activation map and for occlusion
    number: float  # that is explained
    expected: float  # what the values should sum to: the number, or how far it is above the baseline's
    randomisation: "Randomisation | None"

    @property
    def question(self) -> Question:
        return self.case.question

    @property
    def total(self) -> float:
        """The sum of all values."""
        return float(self.values.sum(dtype=np.float64))

    @property
    def completeness_error(self) -> float:
        """By how much the values' sum misses what they should sum to."""
        return self.total - self.expected

    @property
    def map(self) -> Values:
        """The values as one map, channels summed up: (height, width); a vector is a single row."""
        return flatten_channels(self.values)


@dataclass(frozen=True)
class Randomisation:
    """The same method on a network whose weights are shuffled."""

    seed: int
    values: Values
    correlation: float  # Spearman's, of the sizes of the values; NaN where all are equal


def attribute(
    network: Network,
    forward: ForwardPass,
    method: Method,
    target: str | None = None,
    against: str | None = None,
    settings: Settings = _NONE,
    seed: int | None = None,
    limits: RunLimits = DEFAULT_LIMITS,
) -> Attribution:
    """Return what a method says of a class's logit, or of by how much it is above another's.

    seed: of the randomisation check; None leaves it out. Raises: NoClasses, InvalidQuestion, InvalidSetting,
    NoGradient, TooCostly, RunFailed, RanOutOfTime.
    """
    require_classes(network)
    question = read_question(network, find_logits(network, forward).values, target, against)
    case = Case(network, forward, question, settings, Deadline(limits.seconds))
    _require_affordable(case, method, 1 if seed is None else 2, limits)
    if method.needs_gradient:
        case.require_gradient()
    values, number = method.compute(case), case.number(forward)
    below = case.number(case.run(case.baseline)) if method.from_baseline else 0.0
    check = None if seed is None else _randomise(case, method, values, seed)
    return Attribution(case, method, values, number, number - below, check)


def flatten_channels(values: Values) -> Values:
    """Return values as one map, channels summed up: (height, width); a vector is a single row."""
    if values.ndim == 1:
        return values[np.newaxis]
    return values if values.ndim == 2 else values.reshape(*values.shape[:2], -1).sum(axis=2)


def rank_correlation(one: Values, other: Values) -> float:
    """Return Spearman's rank correlation of the sizes of two maps; NaN where those of one are all equal.

    Cells that are zero in both, as white paper is in gradient × input, are left out: they agree for any two networks.
    """
    sizes = np.abs([one.ravel(), other.ravel()])
    ranks = [_ranks(each) for each in sizes[:, sizes.any(axis=0)]]
    if not ranks[0].size or any(np.ptp(each) == 0 for each in ranks):
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: Values) -> Values:
    """Return the rank of each value, of equal ones their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: Values = (ends - (counts - 1) / 2)[inverse.ravel()]
    return means


def _require_affordable(case: Case, method: Method, times: int, limits: RunLimits) -> None:
    passes = method.count(case)
    case.require_affordable(times * (passes.forward + 1), times * (passes.backward + 1), limits)


def _randomise(case: Case, method: Method, values: Values, seed: int) -> Randomisation:
    network = case.network.shuffling(seed)
    other = replace(case, network=network)
    other = replace(other, forward=other.run(case.forward.image))
    found = method.compute(other)
    correlation = rank_correlation(flatten_channels(values), flatten_channels(found))
    network.engine.close()
    return Randomisation(seed, found, correlation)
