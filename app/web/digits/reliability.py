"""The geometry of a reliability diagram (Guo et al. 2017): accuracy over confidence, in bins."""

from dataclasses import dataclass

from ...explore.calibration import CalibrationBin

SIDE = 240  # of the square in which accuracy stands over confidence, in units of the drawing
_COUNTS = 44  # the height of the bars of the counts below it


@dataclass(frozen=True)
class ReliabilityBar:
    """One bin that has answers, in units of the drawing; y goes down from accuracy 1."""

    x: float
    width: float
    accuracy_y: float
    confidence_x: float  # the mean confidence, at which the accuracy stands on a curve
    gap_y: float  # between accuracy and confidence
    gap_height: float
    is_overconfident: bool
    count_height: float  # of its bar among the counts: with its square root, so that small bins are seen


def plot_reliability(bins: list[CalibrationBin]) -> list[ReliabilityBar]:
    """Place the bins that have answers."""
    most = max(each.count for each in bins)
    return [_place(each, most) for each in bins if each.count]


def _place(each: CalibrationBin, most: int) -> ReliabilityBar:
    accuracy, confidence = each.accuracy or 0.0, min(1.0, max(0.0, each.confidence or 0.0))
    return ReliabilityBar(
        x=round(SIDE * each.low, 2),
        width=round(SIDE * (each.high - each.low), 2),
        accuracy_y=round(SIDE * (1 - accuracy), 2),
        confidence_x=round(SIDE * confidence, 2),
        gap_y=round(SIDE * (1 - max(accuracy, confidence)), 2),
        gap_height=round(SIDE * abs(accuracy - confidence), 2),
        is_overconfident=confidence > accuracy,
        count_height=round(_COUNTS * (each.count / most) ** 0.5, 2),
    )
