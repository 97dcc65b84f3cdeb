"""What training made of the starting weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cnn.kinds import Layer
from ..cnn.network import Network
from ..library.library import UnknownModel
from .chart import Chart, Kind, Panel, Point, Scale, Series
from .experiment import Conclusion, Experiment, Fact, NotForExperiment, Subject, Trial, Verdict
from .rows import Row, Unit, column
from .words import number, percent

UNTRAINED = "untrained"
_BEFORE, _AFTER = "Accuracy with the starting weights", "Accuracy when trained"
_SURE, _CONSTANT = "Mean probability of the untrained answer", "Digits that get its commonest answer"


@dataclass(frozen=True)
class StartRow(Row):
    """The kernel of one layer."""

    layer: str = column("Layer", Unit.TEXT)
    weights: int = column("Weights", Unit.COUNT)
    spread_before: float = column("Standard deviation at the start", Unit.NUMBER)
    spread_after: float = column("Standard deviation when trained", Unit.NUMBER)
    correlation: float | None = column("Correlation with the start", Unit.NUMBER)


class Start(Experiment):
    """A trained network beside its starting weights."""

    name = "start"
    question = "How much of the starting weights is left after training?"
    claim = "Which weights one starts with matters much, and random ones are not the best."
    method = (
        f"The kernels of each layer are set against those of “{UNTRAINED}”, the same architecture with random starting "
        "weights: their correlation, weight by weight, and their spread. Both read the digits. Nothing is trained."
    )
    criterion = "Only training from several starts can decide it. What is left of one start can be measured here."
    row = StartRow

    def check(self, subject: Subject) -> None:
        super().check(subject)
        if subject.network.name == UNTRAINED:
            raise NotForExperiment(f"“{UNTRAINED}” is itself the start. Choose a model that was trained from there.")
        try:
            before = subject.library.network(UNTRAINED)
        except UnknownModel as error:
            raise NotForExperiment(f"“{UNTRAINED}” came with Layerglass, and is not there. {error}") from error
        if not _pairs(before, subject.network):
            raise NotForExperiment(
                f"The model “{subject.network.name}” has another architecture than “{UNTRAINED}”, so their weights "
                "cannot be compared one by one. Choose “digits” or one of its siblings."
            )

    def count(self, subject: Subject) -> int:
        return 2 * len(subject.digits)

    def measure(self, trial: Trial) -> Sequence[StartRow]:
        before, rows = trial.library.network(UNTRAINED), []
        for first, then in _pairs(before, trial.network):
            start, trained = _kernel(before, first), _kernel(trial.network, then)
            rows.append(
                StartRow(then.name, start.size, float(start.std()), float(trained.std()), _correlate(start, trained))
            )
        return rows

    def find_facts(self, trial: Trial) -> Sequence[Fact]:
        before = trial.evaluate(network=trial.library.network(UNTRAINED))
        commonest = np.bincount(before.answers).max() / len(before.answers)
        return (
            Fact(_BEFORE, before.accuracy),
            Fact(_AFTER, trial.evaluate().accuracy),
            Fact(_SURE, float(before.confidences.mean())),
            Fact(_CONSTANT, float(commonest)),
        )

    def draw(self, rows: Sequence[StartRow]) -> Chart:
        series = Series("correlation", tuple(Point(place, row.correlation) for place, row in enumerate(rows)))
        ticks = tuple((float(place), row.layer) for place, row in enumerate(rows))
        return Chart((Panel((series,), ticks),), "Layer", "Correlation with the start", Kind.BARS, Scale.NUMBER)

    def conclude(self, network: Network, rows: Sequence[StartRow], facts: Sequence[Fact]) -> Conclusion:
        found = dict(facts)
        known = [(row.correlation, row.layer) for row in rows if row.correlation is not None]
        (least, changed), (most, kept) = (min(known), max(known)) if known else ((0.0, "–"), (0.0, "–"))
        return Conclusion(
            Verdict.OPEN,
            f"With its starting weights the network reads {percent(float(found[_BEFORE] or 0))} of the digits, and "
            f"gives {percent(float(found[_CONSTANT] or 0))} of them one and the same answer; as “{network.name}” it "
            f"reads {percent(float(found[_AFTER] or 0))}. Of the start, most is left in {kept} (a correlation of "
            f"{number(most)}) and least in {changed} ({number(least)}). Whether other starts lead elsewhere takes "
            "training, which is not done here.",
        )


def _pairs(before: Network, after: Network) -> list[tuple[Layer, Layer]]:
    """Return the layers with weights of two networks, one by one; none where the architectures differ."""
    first, then = ([layer for layer in each.layers if layer.parameters] for each in (before, after))
    is_same = [(each.kind, each.variables) for each in first] == [(each.kind, each.variables) for each in then]
    return list(zip(first, then, strict=True)) if is_same else []


def _kernel(network: Network, layer: Layer) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return all of a layer's weights but its bias, one behind the other."""
    arrays = [array for name, array in network.weights(layer).items() if name != "bias"]
    return np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64)


def _correlate(
    first: np.ndarray[tuple[int], np.dtype[np.float64]], second: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> float | None:
    if first.std() == 0 or second.std() == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])
