"""Ink and paper swapped before the network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cnn.network import Network
from .chart import Chart, Kind, Panel, Point, Series
from .experiment import (
    Conclusion,
    Experiment,
    Fact,
    Subject,
    Trial,
    Verdict,
    mode_words,
    run_modes,
    standard_error,
    too_weak,
    trained_words,
)
from .pictures import Shrinking, shrink
from .rows import Row, Unit, column
from .words import listed, percent, points

_AS_IS, _SWAPPED = "as trained", "swapped"
_APART = "Cells in which min of the swapped digits differs from max of the digits, swapped"
_CELLS = "Cells compared"


@dataclass(frozen=True)
class InkRow(Row):
    """The network in one pooling mode, on the digits as they are or swapped."""

    pooling: str = column("Pooling", Unit.TEXT)
    ink: str = column("Ink and paper", Unit.TEXT)
    accuracy: float = column("Accuracy")
    error: float = column("Standard error, points", Unit.DIFFERENCE)


class Ink(Experiment):
    """Dark on bright in place of bright on dark."""

    name = "ink"
    question = "What if ink and paper change places?"
    claim = "Taking the maximum supposes that what matters has the largest values. For dark ink that is the minimum."
    method = (
        "The network reads each digit with every pooling, as it was trained to see digits and with bright and dark "
        "swapped within its value range. And the digits themselves are pooled by 2×2: the maximum of bright ink, and "
        "the minimum of the same ink made dark, swapped back."
    )
    criterion = "It holds if the two pooled pictures are the same in every cell."
    row = InkRow

    def count(self, subject: Subject) -> int:
        return 2 * len(subject.digits) * len(run_modes(subject.network))

    def measure(self, trial: Trial) -> Sequence[InkRow]:
        rows = []
        for mode in run_modes(trial.network):
            for ink in (_AS_IS, _SWAPPED):
                accuracy = trial.evaluate(pooling=mode, invert=ink == _SWAPPED).accuracy
                error = standard_error(accuracy, len(trial.digits))
                rows.append(InkRow(mode_words(trial.network, mode), ink, accuracy, error))
        return rows

    def find_facts(self, trial: Trial) -> Sequence[Fact]:
        """Compare the digits pooled as pictures."""
        bright = shrink(trial.digits.images, Shrinking.MAX)
        dark = 255 - shrink(255 - trial.digits.images, Shrinking.MIN)
        return Fact(_CELLS, bright.size), Fact(_APART, int(np.count_nonzero(bright != dark)))

    def draw(self, rows: Sequence[InkRow]) -> Chart:
        poolings = list(dict.fromkeys(row.pooling for row in rows))
        series = tuple(
            Series(
                f"ink and paper {ink}",
                tuple(Point(poolings.index(row.pooling), row.accuracy, row.error) for row in rows if row.ink == ink),
            )
            for ink in (_AS_IS, _SWAPPED)
        )
        ticks = tuple((float(place), name) for place, name in enumerate(poolings))
        return Chart((Panel(series, ticks),), "Run with", "Accuracy", Kind.BARS)

    def conclude(self, network: Network, rows: Sequence[InkRow], facts: Sequence[Fact]) -> Conclusion:
        trained, found = trained_words(network), dict(facts)
        own = next(row for row in rows if row.pooling == trained and row.ink == _AS_IS)
        swapped = [row for row in rows if row.ink == _SWAPPED]
        apart, cells = int(found[_APART] or 0), int(found[_CELLS] or 0)
        same = (
            f"In all {cells:,} cells, the minimum of dark ink is the maximum of bright ink"
            if not apart
            else f"In {apart:,} of {cells:,} cells, the minimum of dark ink is not the maximum of bright ink"
        )
        said = listed([f"{percent(row.accuracy)} with {row.pooling}" for row in swapped])
        if weak := too_weak(network, own.accuracy):
            return Conclusion(Verdict.FAILS if apart else Verdict.HOLDS, f"{same}. {weak.sentence}")
        best = max(swapped, key=lambda row: row.accuracy)
        short = points(own.accuracy - best.accuracy)
        nearest = f", so that no choice of pooling comes nearer than {short}" if len(swapped) > 1 else f", {short} less"
        return Conclusion(
            Verdict.FAILS if apart else Verdict.HOLDS,
            f"{same}. But the weights know one ink: “{network.name}” reads {percent(own.accuracy)} as trained, and "
            f"swapped {said}{nearest}."
            if best.accuracy < own.accuracy
            else f"{same}. “{network.name}” reads {percent(own.accuracy)} as trained, and swapped {said}.",
        )
