"""An experiment with one network, as a long computation: what it depends on, and what would make it fail."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from weakref import ref

from ..cnn.cost import RunLimits
from ..cnn.network import Network
from ..explore.evaluation import to_image
from ..explore.forward_passes import choose_reduction
from ..library.library import Library
from .experiment import USUAL, Experiment, Result, Subject, choose_digits


@dataclass(frozen=True)
class ExperimentRun:
    """An experiment, the network that is asked, and how many digits it reads."""

    experiment: Experiment
    network: Network
    library: Library
    count: int = USUAL

    @property
    def key(self) -> Hashable:
        """All that the result depends on."""
        return "experiment", self.experiment.name, ref(self.network), self.count

    @cached_property
    def subject(self) -> Subject:
        """What is experimented on. Raises: NoSuchCount."""
        return Subject(self.network, self.library, choose_digits(self.count))

    @cached_property
    def total(self) -> int:
        """How many times networks are run. Raises: NoSuchCount, and what the experiment's check raises."""
        self.experiment.check(self.subject)
        return self.experiment.count(self.subject)

    def require_possible(self, limits: RunLimits) -> None:
        """Refuse what would fail, before anything is run.

        Raises: NoSuchCount, NotForDigits, NotForExperiment, ModelError, WrongImageSize, TooCostly.
        """
        if self.total:
            image = to_image(self.subject.digits.images[0], self.network.card)
            choose_reduction(self.network, image.shape, None, limits)

    def compute(self, report: Callable[[int], None] | None = None) -> Result:
        """Run it. report: is told how many runs of networks are done; what it raises ends the experiment.

        Raises: NotForDigits, NotForExperiment, ModelError, RunFailed.
        """
        return self.experiment.run(self.subject, None if report is None else lambda done, _: report(done))
