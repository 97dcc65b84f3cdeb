"""Whether a digit keeps its class when it is moved by a few pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cnn.network import Network
from .chart import Chart, Panel, Point, Series, number_ticks
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
from .pictures import shift
from .rows import Row, Unit, column
from .words import percent

FARTHEST = 4  # pixels
_DIRECTIONS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
_ALL = "all four"
_STEADY = 0.99 - 1e-9  # less what rounding takes


@dataclass(frozen=True)
class ShiftRow(Row):
    """Digits moved by so many pixels in one direction, or the mean of all four."""

    pooling: str = column("Pooling", Unit.TEXT)
    direction: str = column("Direction", Unit.TEXT)
    pixels: int = column("Pixels", Unit.COUNT)
    consistency: float = column("Same class as before")
    consistency_error: float = column("Standard error, points", Unit.DIFFERENCE)
    accuracy: float = column("Accuracy")


class Shifts(Experiment):
    """Consistency under shifts (Zhang 2019, arXiv:1904.11486)."""

    name = "shifts"
    question = "Does the answer stay when the digit moves by a pixel or two?"
    claim = "A pooling keeps a value from a window wherever in it that value was, so a small shift hardly matters."
    method = (
        f"Each digit is moved by 1 to {FARTHEST} pixels up, down, left and right; what comes in is paper. Consistency "
        "is the share of digits whose class stays what it was before the shift, right or wrong. On the page a drawing "
        "is centred first; here it is not."
    )
    criterion = "It holds if at least 99 of 100 digits keep their class after one pixel, pooled as in training."
    row = ShiftRow

    def count(self, subject: Subject) -> int:
        return len(subject.digits) * len(run_modes(subject.network)) * (1 + FARTHEST * len(_DIRECTIONS))

    def measure(self, trial: Trial) -> Sequence[ShiftRow]:
        rows, count = [], len(trial.digits)
        for mode in run_modes(trial.network):
            name, before = mode_words(trial.network, mode), trial.evaluate(pooling=mode)
            rows.append(ShiftRow(name, _ALL, 0, 1.0, 0.0, before.accuracy))
            for pixels in range(1, FARTHEST + 1):
                each, mean, accuracies = [], np.zeros(count), []
                for direction, (down, right) in _DIRECTIONS.items():
                    images = shift(trial.digits.images, pixels * down, pixels * right)
                    after = trial.evaluate(images, mode)
                    is_same = after.answers == before.answers
                    share = float(is_same.mean())
                    error = standard_error(share, count)
                    each.append(ShiftRow(name, direction, pixels, share, error, after.accuracy))
                    mean += is_same / len(_DIRECTIONS)
                    accuracies.append(after.accuracy)
                error = float(mean.std() / np.sqrt(count))  # a digit's four directions are not independent
                rows.append(ShiftRow(name, _ALL, pixels, float(mean.mean()), error, float(np.mean(accuracies))))
                rows += each
        return rows

    def draw(self, rows: Sequence[ShiftRow]) -> Chart:
        series = tuple(
            Series(
                pooling,
                tuple(
                    Point(row.pixels, row.consistency, row.consistency_error)
                    for row in rows
                    if row.pooling == pooling and row.direction == _ALL
                ),
            )
            for pooling in dict.fromkeys(row.pooling for row in rows)
        )
        ticks = number_ticks(range(FARTHEST + 1))
        return Chart((Panel(series, ticks),), "Shift in pixels, mean of four directions", "Same class")

    def conclude(self, network: Network, rows: Sequence[ShiftRow], facts: Sequence[Fact]) -> Conclusion:
        trained = trained_words(network)
        means = {(row.pooling, row.pixels): row for row in rows if row.direction == _ALL}
        if weak := too_weak(network, means[trained, 0].accuracy):
            return weak
        one, far = means[trained, 1], means[trained, FARTHEST]
        beside = []
        for (pooling, pixels), row in means.items():
            if pixels == 1 and pooling != trained:
                weak = too_weak(network, means[pooling, 0].accuracy)
                beside.append(
                    f"with {pooling} the same weights read too little to tell"
                    if weak
                    else f"{percent(row.consistency)} with {pooling} and the same weights"
                )
        return Conclusion(
            Verdict.HOLDS if one.consistency >= _STEADY else Verdict.FAILS,
            f"Moved by one pixel, {percent(one.consistency)} of the digits keep the class that “{network.name}” gave "
            f"them ({'; '.join([trained, *beside])}). Moved by {FARTHEST}, "
            f"{percent(far.consistency)} do, and {percent(far.accuracy)} are read.",
        )
