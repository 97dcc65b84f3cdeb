"""What edits of a network do to its answers to real digits: accuracy before and after, class by class."""

from dataclasses import dataclass

import numpy as np

from .evaluation import Evaluation


@dataclass(frozen=True)
class AccuracyChange:
    """The accuracy of one class, or of all, before and after. From 0 to 1."""

    label: str
    before: float
    after: float
    is_total: bool = False

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def points(self) -> str:
        """The change in hundredths, with its sign."""
        points = f"{100 * self.change:+.2f}"
        return "0.00" if points in {"+0.00", "-0.00"} else points


@dataclass(frozen=True)
class EditEffect:
    """All changes, that of all digits last, and what they come to in words."""

    rows: tuple[AccuracyChange, ...]
    sentence: str


def compare_answers(before: Evaluation, after: Evaluation) -> EditEffect:
    """Compare the answers to the same digits."""
    counts = before.confusion.sum(axis=1)
    right = [np.diag(each.confusion) for each in (before, after)]
    found = np.flatnonzero(counts).tolist()
    shares = [(right[0][row] / counts[row], right[1][row] / counts[row]) for row in found]
    rows = [
        AccuracyChange(before.classes[row], float(one), float(other))
        for row, (one, other) in zip(found, shares, strict=True)
    ]
    total = AccuracyChange("all", before.accuracy, after.accuracy, is_total=True)
    return EditEffect((*rows, total), _say(rows, total, before, after))


def _say(rows: list[AccuracyChange], total: AccuracyChange, before: Evaluation, after: Evaluation) -> str:
    newly_wrong = int((before.is_right & ~after.is_right).sum())
    newly_right = int((~before.is_right & after.is_right).sum())
    if not newly_wrong and not newly_right:
        changed = int((before.answers != after.answers).sum())
        return "Not one digit is read otherwise." if not changed else "As many are right, and the same ones."
    start = (
        f"Without the edits {100 * total.before:.2f} % are read right, with them {100 * total.after:.2f} %: "
        f"{_count(newly_wrong)} wrong that {_were(newly_wrong)} right, and {_count(newly_right)} right that "
        f"{_were(newly_right)} wrong."
    )
    worst = min(rows, key=lambda row: row.change)
    if worst.change >= 0:
        return start
    return f"{start} Most lost is “{worst.label}”: {100 * worst.before:.2f} % before, {100 * worst.after:.2f} % after."


def _count(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
