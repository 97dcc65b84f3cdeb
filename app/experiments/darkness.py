"""Which ink matters: the strongest or the faintest."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from ..cnn.network import Network
from .chart import Chart, Panel, Point, Series
from .experiment import Conclusion, Experiment, Fact, Subject, Trial, Verdict, difference, standard_error, too_weak
from .pictures import Order, erase
from .rows import Row, Unit, column
from .words import percent

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)
_HALF = 0.5


@dataclass(frozen=True)
class DarknessRow(Row):
    """A share of the ink erased in one order."""

    order: str = column("Erased", Unit.TEXT)
    erased: float = column("Share of inked pixels erased")
    accuracy: float = column("Accuracy")
    error: float = column("Standard error, points", Unit.DIFFERENCE)
    lost: float = column("Less than with all ink, points", Unit.DIFFERENCE)
    lost_error: float = column("Its standard error, points", Unit.DIFFERENCE)


class Darkness(Experiment):
    """The strongest ink erased, or the faintest."""

    name = "darkness"
    question = "Are the darkest pixels the ones that matter?"
    claim = "Important information is often in the darker pixels, which is why a pooling keeps the maximum."
    method = (
        "Of each digit a share of the inked pixels becomes paper: the strongest first, the faintest first, or at "
        "random. Among equally strong ones, chance decides."
    )
    criterion = (
        "It holds if to erase the strongest half costs more than to erase the faintest half and a random half, by "
        "more than two standard errors."
    )
    row = DarknessRow

    def count(self, subject: Subject) -> int:
        return len(subject.digits) * (1 + (len(SHARES) - 1) * len(Order))

    def measure(self, trial: Trial) -> Sequence[DarknessRow]:
        whole, rows = trial.evaluate(), []
        for order in Order:
            for share in SHARES:
                found = trial.evaluate(erase(trial.digits.images, share, order)) if share else whole
                lost, lost_error = difference(whole.is_right, found.is_right)
                error = standard_error(found.accuracy, len(trial.digits))
                rows.append(DarknessRow(order.value, share, found.accuracy, error, lost, lost_error))
        return rows

    def draw(self, rows: Sequence[DarknessRow]) -> Chart:
        series = tuple(
            Series(order, tuple(Point(row.erased, row.accuracy, row.error) for row in rows if row.order == order))
            for order in Order
        )
        ticks = tuple((share, f"{share:.0%}".replace("%", " %")) for share in SHARES)
        return Chart((Panel(series, ticks),), "Share of the inked pixels erased", "Accuracy")

    def conclude(self, network: Network, rows: Sequence[DarknessRow], facts: Sequence[Fact]) -> Conclusion:
        whole = rows[0].accuracy
        if weak := too_weak(network, whole):
            return weak
        strongest, faintest, random = (
            next(row for row in rows if row.order == order and row.erased == _HALF)
            for order in (Order.STRONGEST, Order.FAINTEST, Order.RANDOM)
        )
        worse = [_is_worse(strongest, other) for other in (faintest, random)]
        verdict = Verdict.HOLDS if all(worse) else Verdict.PARTLY if any(worse) else Verdict.FAILS
        return Conclusion(
            verdict,
            f"“{network.name}” reads {percent(whole)} with all ink. Without the strongest half of it, it reads "
            f"{percent(strongest.accuracy)}; without the faintest half, {percent(faintest.accuracy)}; without a half "
            f"at random, {percent(random.accuracy)}.",
        )


def _is_worse(row: DarknessRow, other: DarknessRow) -> bool:
    """Return whether a row lost more, by more than two standard errors of the difference."""
    return row.lost - other.lost > 2 * hypot(row.lost_error, other.lost_error)
