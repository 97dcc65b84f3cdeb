"""The three poolings, each trained for and run with."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..cnn.network import Network
from ..cnn.types import PoolingMode
from .chart import Chart, Kind, Panel, Point, Series
from .experiment import (
    Conclusion,
    Experiment,
    Fact,
    NotForExperiment,
    Subject,
    Trial,
    Verdict,
    mode_words,
    standard_error,
    too_weak,
)
from .rows import Row, Unit, column
from .words import listed, percent, points

_FEW = 0.01


@dataclass(frozen=True)
class PoolingRow(Row):
    """One network in one pooling mode."""

    trained: str = column("Trained with", Unit.TEXT)
    run: str = column("Run with", Unit.TEXT)
    model: str = column("Model", Unit.TEXT)
    accuracy: float = column("Accuracy")
    error: float = column("Standard error")


class Poolings(Experiment):
    """Trained with one pooling, run with another."""

    name = "poolings"
    question = "Would the average or the minimum do as well as the maximum?"
    claim = "A pooling need not keep the maximum: the average, the minimum and others would serve in its place."
    method = (
        "The model, and those of the same architecture that were trained with another pooling (its card names them), "
        "each read the digits with every pooling, all other weights as they are."
    )
    criterion = (
        "It holds if the networks that were trained with their own pooling differ by at most one point, and in full "
        "if each also loses at most one point with another's pooling."
    )
    row = PoolingRow

    def check(self, subject: Subject) -> None:
        super().check(subject)
        require_pooling(subject.network)

    def count(self, subject: Subject) -> int:
        return len(subject.digits) * len(PoolingMode) * len(self._networks(subject))

    def measure(self, trial: Trial) -> Sequence[PoolingRow]:
        rows = []
        for network in self._networks(trial.subject):
            for mode in PoolingMode:
                accuracy = trial.evaluate(pooling=mode, network=network).accuracy
                error = standard_error(accuracy, len(trial.digits))
                trained = mode_words(network, network.card.pooling)
                rows.append(PoolingRow(trained, mode.value, network.name, accuracy, error))
        return rows

    def _networks(self, subject: Subject) -> list[Network]:
        """Return the networks by the pooling that they were trained with; of mixed poolings there is one alone."""
        if subject.network.card.pooling is None:
            return [subject.network]
        return [each for each in map(subject.sibling, PoolingMode) if each is not None]

    def draw(self, rows: Sequence[PoolingRow]) -> Chart:
        trained = list(dict.fromkeys(row.trained for row in rows))
        series = tuple(
            Series(
                f"run with {mode}",
                tuple(
                    Point(trained.index(row.trained), row.accuracy, row.error) for row in rows if row.run == mode.value
                ),
            )
            for mode in PoolingMode
        )
        ticks = tuple((float(place), f"{name}") for place, name in enumerate(trained))
        return Chart((Panel(series, ticks),), "Trained with", "Accuracy", Kind.BARS)

    def conclude(self, network: Network, rows: Sequence[PoolingRow], facts: Sequence[Fact]) -> Conclusion:
        own = [row for row in rows if row.trained == row.run]
        others = [row for row in rows if row.trained != row.run]
        accuracies = [row.accuracy for row in own]
        if weak := too_weak(network, max(accuracies or [row.accuracy for row in rows])):
            return weak
        worst = min(others, key=lambda row: row.accuracy)
        lost = max((_own(own, row.trained) or max(r.accuracy for r in others)) - row.accuracy for row in others)
        swapped = (
            f"run with another pooling than in training, the weights read as little as {percent(worst.accuracy)} "
            f"(“{worst.model}” with {worst.run})"
        )
        if len(own) < 2:
            verdict = Verdict.HOLDS if lost <= _FEW else Verdict.FAILS
            said = listed([f"{percent(row.accuracy)} with {row.run}" for row in rows])
            return Conclusion(
                verdict,
                f"“{network.name}” reads {said}. No model of its architecture was trained with another pooling, so "
                f"only the same weights are compared: at most {points(lost)} are lost.",
            )
        apart = max(accuracies) - min(accuracies)
        is_equal = apart <= _FEW
        verdict = Verdict.HOLDS if is_equal and lost <= _FEW else Verdict.PARTLY if is_equal else Verdict.FAILS
        said = listed([f"{percent(row.accuracy)} for {row.run}" for row in own])
        return Conclusion(
            verdict,
            f"Trained with the pooling that they are run with, the networks read {said}: {points(apart)} apart. But "
            f"{swapped}."
            if lost > _FEW
            else f"Trained with the pooling that they are run with, the networks read {said}: {points(apart)} apart. "
            f"Even {swapped}.",
        )


def require_pooling(network: Network) -> None:
    """Raise NotForExperiment for a network without pooling."""
    if not network.pools:
        raise NotForExperiment(
            f"The model “{network.name}” has no pooling layer: max, average and min would be the same. "
            "Choose a model that pools."
        )


def _own(own: Sequence[PoolingRow], trained: str) -> float | None:
    return next((row.accuracy for row in own if row.trained == trained), None)
