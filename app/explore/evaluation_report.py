"""A model's answers to real digits in numbers, as the API and the command line tell them."""

from typing import Any, Self

import numpy as np
from pydantic import BaseModel, Field

from ..cnn.types import PoolingMode
from ..datasets.digits import DigitSet
from .calibration import bin_by_confidence
from .digit_runs import DigitRun, FinishedRun


class ClassAccuracy(BaseModel):
    """How often the digits of one class are read as what they are."""

    label: str
    count: int
    right: int
    accuracy: float | None = Field(description="From 0 to 1; null where there are no digits of this class.")


class ReliabilityBin(BaseModel):
    """The answers whose confidence is between two bounds."""

    low: float
    high: float
    count: int
    confidence: float | None = Field(description="Their mean confidence; null where there are none.")
    accuracy: float | None = Field(description="The share of them that is right; null where there are none.")


class Calibration(BaseModel):
    """How well the probability of the likeliest class tells how often it is right."""

    error: float = Field(
        description="The expected calibration error: the mean distance of the bins' accuracy from their confidence."
    )
    bins: list[ReliabilityBin]


class Answers(BaseModel):
    """Answers to real digits, counted."""

    accuracy: float = Field(description="The share of digits that are read as what they are, from 0 to 1.")
    classes: list[ClassAccuracy]
    confusion: list[list[int]] = Field(
        description="How many digits of each class, by row, are read as each class, by column, as `classes` has them."
    )
    calibration: Calibration
    seconds: float = Field(description="How long the run took.")

    @classmethod
    def count_up(cls, finished: FinishedRun) -> dict[str, Any]:
        """Return the fields."""
        found = finished.evaluation
        counts, right = found.confusion.sum(axis=1).tolist(), np.diag(found.confusion).tolist()
        bins = bin_by_confidence(found.confidences, found.is_right)
        return {
            "accuracy": found.accuracy,
            "classes": [
                ClassAccuracy(label=label, count=count, right=good, accuracy=good / count if count else None)
                for label, count, good in zip(found.classes, counts, right, strict=True)
            ],
            "confusion": found.confusion.tolist(),
            "calibration": Calibration(
                error=found.calibration_error(),
                bins=[ReliabilityBin.model_validate(each, from_attributes=True) for each in bins],
            ),
            "seconds": round(finished.seconds, 3),
        }


class EvaluationReport(Answers):
    """A model's answers to real digits."""

    model: str
    pooling: PoolingMode | None
    invert: bool
    set: DigitSet
    count: int
    before: Answers | None = Field(default=None, description="The same without the edits; null where there are none.")

    @classmethod
    def from_run(cls, run: DigitRun, finished: FinishedRun) -> Self:
        return cls(
            model=run.network.name,
            pooling=run.mode,
            invert=run.invert,
            set=run.digit_set,
            count=len(finished.evaluation.expected),
            before=Answers(**cls.count_up(finished.before)) if finished.before else None,
            **cls.count_up(finished),
        )
