"""Accuracy against the bits of each pixel that are kept, and against those that are noise."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..cnn.network import Network
from .chart import Chart, Panel, Point, Series, number_ticks
from .experiment import (
    FEW,
    Conclusion,
    Experiment,
    Fact,
    Subject,
    Trial,
    Verdict,
    difference,
    mode_words,
    run_modes,
    standard_error,
    too_weak,
    trained_words,
)
from .pictures import keep_bits, randomize_bits
from .rows import Row, Unit, column
from .words import percent, points

BITS = 8  # of a pixel
_FEWER, _NOISE = "fewer grey levels", "random bits"


@dataclass(frozen=True)
class NoiseRow(Row):
    """One change of each pixel."""

    change: str = column("Change", Unit.TEXT)
    pooling: str = column("Pooling", Unit.TEXT)
    bits: int = column("Bits left of 8", Unit.COUNT)
    accuracy: float = column("Accuracy")
    error: float = column("Standard error, points", Unit.DIFFERENCE)
    lost: float = column("Less than with 8 bits, points", Unit.DIFFERENCE)
    lost_error: float = column("Its standard error, points", Unit.DIFFERENCE)


class Noise(Experiment):
    """Few grey levels, and bits of noise."""

    name = "noise"
    question = "How exactly must a pixel be known?"
    claim = "Where the ink is matters, and how dark each pixel is hardly does."
    method = (
        "Of each pixel's 8 bits the highest ones are kept. The lowest ones are left out, so that 2, 4, 8 … grey "
        "levels remain, spread from paper to the strongest ink; or they become random, on paper and on ink alike."
    )
    criterion = "It holds if one bit, ink or paper, costs at most one point, pooled as in training."
    row = NoiseRow

    def count(self, subject: Subject) -> int:
        return len(subject.digits) * len(run_modes(subject.network)) * (1 + (BITS - 1) + BITS)

    def measure(self, trial: Trial) -> Sequence[NoiseRow]:
        rows, images = [], trial.digits.images
        for mode in run_modes(trial.network):
            whole = trial.evaluate(pooling=mode)
            for change, least in ((_FEWER, 1), (_NOISE, 0)):
                for bits in range(BITS, least - 1, -1):
                    changed = keep_bits(images, bits) if change == _FEWER else randomize_bits(images, BITS - bits)
                    found = whole if bits == BITS else trial.evaluate(changed, mode)
                    lost, lost_error = difference(whole.is_right, found.is_right)
                    error = standard_error(found.accuracy, len(trial.digits))
                    name = mode_words(trial.network, mode)
                    rows.append(NoiseRow(change, name, bits, found.accuracy, error, lost, lost_error))
        return rows

    def draw(self, rows: Sequence[NoiseRow]) -> Chart:
        return Chart(tuple(self._panel(rows, change) for change in (_FEWER, _NOISE)), "Bits left of 8", "Accuracy")

    def _panel(self, rows: Sequence[NoiseRow], change: str) -> Panel:
        chosen = [row for row in rows if row.change == change]
        series = tuple(
            Series(
                pooling,
                tuple(Point(row.bits, row.accuracy, row.error) for row in reversed(chosen) if row.pooling == pooling),
            )
            for pooling in dict.fromkeys(row.pooling for row in chosen)
        )
        return Panel(series, number_ticks(range(BITS + 1)), change.capitalize())

    def conclude(self, network: Network, rows: Sequence[NoiseRow], facts: Sequence[Fact]) -> Conclusion:
        own = {(row.change, row.bits): row for row in rows if row.pooling == trained_words(network)}
        whole, one = own[_FEWER, BITS], own[_FEWER, 1]
        if weak := too_weak(network, whole.accuracy):
            return weak
        noisy = 0
        while noisy < BITS and own[_NOISE, BITS - noisy - 1].lost <= FEW:
            noisy += 1
        next_one = own[_NOISE, BITS - noisy - 1] if noisy < BITS else None
        costs = f"costs {points(one.lost)}" if one.lost >= 0 else f"gains {points(one.lost)}"
        ends = f"; {noisy + 1} leave {percent(next_one.accuracy)}" if next_one else ""
        return Conclusion(
            Verdict.HOLDS if one.lost <= FEW else Verdict.FAILS,
            f"With one bit a pixel, “{network.name}” reads {percent(one.accuracy)} in place of "
            f"{percent(whole.accuracy)}: to know only where there is ink {costs}. Of random bits, {noisy} of 8 cost "
            f"at most one point{ends}.",
        )
