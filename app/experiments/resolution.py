"""Accuracy against the resolution of the picture, under each way to halve it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..cnn.network import Network
from ..datasets.digits import SIDE
from .chart import Chart, Panel, Point, Series
from .experiment import Conclusion, Experiment, Fact, Subject, Trial, Verdict, difference, standard_error, too_weak
from .pictures import Shrinking, coarsen
from .rows import Row, Unit, column
from .words import listed, percent, points

TIMES = 3
_LOST = 0.02 + 1e-9  # of all digits, and what rounding adds


@dataclass(frozen=True)
class ResolutionRow(Row):
    """One way to halve the picture, so many times."""

    shrinking: str = column("Each cell is", Unit.TEXT)
    side: int = column("Cells a side", Unit.COUNT)
    accuracy: float = column("Accuracy")
    error: float = column("Standard error, points", Unit.DIFFERENCE)
    lost: float = column("Less than at full size, points", Unit.DIFFERENCE)
    lost_error: float = column("Its standard error, points", Unit.DIFFERENCE)


class Resolution(Experiment):
    """The dog of 1200×1600 pixels and of 600×800, with digits."""

    name = "resolution"
    question = "Is a digit that is read at full size still read at half of it?"
    claim = "Pooling is like a coarser screen: what one recognises, one recognises at half the resolution too."
    method = (
        f"Each digit of {SIDE}×{SIDE} pixels is pooled by 2×2 windows once, twice and three times, and each cell is "
        "repeated to the full size again, so that the same network reads it. Three times leave 3×3 cells: the seventh "
        "row and column are in no window, and become paper. A random cell is any of the four, chosen anew for each "
        "window. Ink counts as bright: max keeps the strongest ink."
    )
    criterion = "It holds for a pooling that costs at most 2 of 100 digits at half the side."
    row = ResolutionRow

    def count(self, subject: Subject) -> int:
        return len(subject.digits) * (1 + TIMES * len(Shrinking))

    def measure(self, trial: Trial) -> Sequence[ResolutionRow]:
        full = trial.evaluate()
        rows = []
        for shrinking in Shrinking:
            for times in range(TIMES + 1):
                images = coarsen(trial.digits.images, shrinking, times)
                found = trial.evaluate(images) if times else full
                lost, lost_error = difference(full.is_right, found.is_right)
                error = standard_error(found.accuracy, len(trial.digits))
                rows.append(ResolutionRow(shrinking.value, SIDE // 2**times, found.accuracy, error, lost, lost_error))
        return rows

    def draw(self, rows: Sequence[ResolutionRow]) -> Chart:
        places = {side: place for place, side in enumerate(sorted({row.side for row in rows}))}
        series = tuple(
            Series(
                each,
                tuple(Point(places[row.side], row.accuracy, row.error) for row in rows if row.shrinking == each),
            )
            for each in Shrinking
        )
        ticks = tuple((float(place), f"{side}×{side}") for side, place in places.items())
        return Chart((Panel(series, ticks),), "Cells of the pooled picture", "Accuracy")

    def conclude(self, network: Network, rows: Sequence[ResolutionRow], facts: Sequence[Fact]) -> Conclusion:
        full = next(row.accuracy for row in rows if row.side == SIDE)
        if weak := too_weak(network, full):
            return weak
        half, quarter = (
            sorted((row for row in rows if row.side == SIDE // by), key=lambda row: -row.accuracy) for by in (2, 4)
        )
        kept = [row.shrinking for row in half if row.lost <= _LOST]
        verdict = Verdict.HOLDS if len(kept) == len(half) else Verdict.PARTLY if kept else Verdict.FAILS
        said = listed([f"{percent(row.accuracy)} by {row.shrinking}" for row in half])
        best, worst = quarter[0], quarter[-1]
        holds = {
            Verdict.HOLDS: "with each of them the claim holds",
            Verdict.PARTLY: f"the claim holds by {listed(kept)} only",
            Verdict.FAILS: "the claim holds by none of them",
        }[verdict]
        return Conclusion(
            verdict,
            f"“{network.name}” reads {percent(full)} at full size. At half the side it reads {said}: {holds}. At a "
            f"quarter, {percent(best.accuracy)} by {best.shrinking} are the most ({points(best.lost)} less than at "
            f"full size), and {percent(worst.accuracy)} by {worst.shrinking} the least.",
        )
