"""The three poolings, each trained for and run with."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..cnn.network import Network
from ..cnn.types import PoolingMode
from .chart import Chart, Kind, Panel, Point, Series
from .experiment import (
    FEW,
    Conclusion,
    Experiment,
    Fact,
    NotForExperiment,
    Subject,
    Trial,
    Verdict,
    mode_words,
    run_modes,
    standard_error,
    too_weak,
    trained_words,
)
from .rows import Row, Unit, column
from .words import listed, percent, points

_MIXED = "as trained"  # where the layers' own modes differ


@dataclass(frozen=True)
class PoolingRow(Row):
    """One network in one pooling mode."""

    trained: str = column("Trained with", Unit.TEXT)
    run: str = column("Run with", Unit.TEXT)
    model: str = column("Model", Unit.TEXT)
    accuracy: float = column("Accuracy")
    error: float = column("Standard error, points", Unit.DIFFERENCE)


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
        return len(subject.digits) * sum(len(run_modes(network)) for network in self._networks(subject))

    def measure(self, trial: Trial) -> Sequence[PoolingRow]:
        rows = []
        for network in self._networks(trial.subject):
            for mode in run_modes(network):
                accuracy = trial.evaluate(pooling=mode, network=network).accuracy
                error = standard_error(accuracy, len(trial.digits))
                run = mode_words(network, mode)
                rows.append(PoolingRow(trained_words(network), run, network.name, accuracy, error))
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
                f"run {run}" if run == _MIXED else f"run with {run}",
                tuple(Point(trained.index(row.trained), row.accuracy, row.error) for row in rows if row.run == run),
            )
            for run in dict.fromkeys(row.run for row in rows)
        )
        ticks = tuple((float(place), name) for place, name in enumerate(trained))
        return Chart((Panel(series, ticks),), "Trained with", "Accuracy", Kind.BARS)

    def conclude(self, network: Network, rows: Sequence[PoolingRow], facts: Sequence[Fact]) -> Conclusion:
        own = {row.trained: row.accuracy for row in rows if row.trained == row.run}
        if weak := too_weak(network, max(own.values())):
            return weak
        others = [row for row in rows if row.trained != row.run]
        worst = min(others, key=lambda row: row.accuracy)
        lost = max(own[row.trained] - row.accuracy for row in others)
        if len(own) < 2:
            said = listed([f"{percent(row.accuracy)} {_run_words(row)}" for row in rows])
            lost_words = f"{points(lost)} are lost at most" if lost > 0 else "nothing is lost"
            return Conclusion(
                Verdict.HOLDS if lost <= FEW else Verdict.FAILS,
                f"“{network.name}” reads {said}. No model of its architecture was trained with another pooling, so "
                f"only the same weights are compared: {lost_words}.",
            )
        apart = max(own.values()) - min(own.values())
        is_equal = apart <= FEW
        said = listed([f"{percent(accuracy)} for {trained}" for trained, accuracy in own.items()])
        return Conclusion(
            Verdict.HOLDS if is_equal and lost <= FEW else Verdict.PARTLY if is_equal else Verdict.FAILS,
            f"Run with the pooling that they were trained with, the networks read {said}: {points(apart)} apart. With "
            f"another pooling the same weights read {percent(worst.accuracy)} at least (“{worst.model}” with "
            f"{worst.run}), and lose {points(lost)} at most.",
        )


def require_pooling(network: Network) -> None:
    """Raise NotForExperiment for a network without pooling."""
    if not network.pools:
        raise NotForExperiment(
            f"The model “{network.name}” has no pooling layer: max, average and min would be the same. "
            "Choose a model that pools."
        )


def _run_words(row: PoolingRow) -> str:
    return row.run if row.run == _MIXED else f"with {row.run}"
