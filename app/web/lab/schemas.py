"""The lab's answers as JSON."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from ...cnn.cells import JsonFloat, Rectangle
from ...lab.chain import Step
from ...lab.inspection import Inspection
from ...lab.laboratory import Stage
from ...lab.operation import LabCell
from ...lab.samples import Sample


class SampleSummary(BaseModel):
    """A picture that comes with the lab."""

    name: str
    title: str
    about: str = Field(description="Where it comes from, and how it was made.")

    @classmethod
    def of(cls, sample: Sample) -> "SampleSummary":
        return cls(name=sample.name, title=sample.title, about=sample.about)


class EnlargedAgain(BaseModel):
    """How a pooled picture differs from what was pooled, each of its pixels repeated to that size again."""

    rmse: JsonFloat
    psnr: float | None = Field(description="In decibels; null where nothing differs.")
    peak: JsonFloat = Field(description="What the PSNR counts as the largest value.")


class PictureNumbers(BaseModel):
    """Numbers about one picture, over all of its channels."""

    height: int
    width: int
    channels: int
    share: float = Field(description="Its pixels, as a share of those of the first picture.")
    minimum: JsonFloat
    maximum: JsonFloat
    mean: JsonFloat
    energy: JsonFloat = Field(description="The mean of the squares.")
    deviation: JsonFloat = Field(description="The standard deviation, of each channel about its own mean.")
    neighbours: float | None = Field(
        description="Pearson's correlation of pixels side by side or one above the other, the mean of the channels; "
        "null where nothing differs."
    )

    @classmethod
    def read(cls, stage: Stage) -> dict[str, Any]:
        height, width = stage.size
        return {
            "height": height,
            "width": width,
            "channels": stage.channels,
            "share": stage.share,
            **vars(stage.statistics),
        }


class StepNumbers(PictureNumbers):
    """One step, and numbers about the picture that it made."""

    step: Step
    words: str
    change_under_shift: float | None = Field(
        description="What a shift of the first picture by one pixel changes here, as a share of the deviation, beyond "
        "a move by a whole pixel; null where the picture is too narrow or the same everywhere."
    )
    enlarged: EnlargedAgain | None = Field(
        description="Of poolings: against what the first of those in a row was given."
    )

    @classmethod
    def of(cls, stage: Stage) -> "StepNumbers":
        assert stage.step is not None
        enlarged = EnlargedAgain(**vars(stage.enlarged)) if stage.enlarged else None
        return cls.model_construct(
            **PictureNumbers.read(stage),
            step=stage.step,
            words=stage.step.describe(),
            change_under_shift=stage.change_under_shift,
            enlarged=enlarged,
        )


class LabAnswer(BaseModel):
    """A picture, and what each step of the chain made of it."""

    chain: str = Field(description="The chain as the address of the page has it.")
    picture: PictureNumbers
    steps: list[StepNumbers]

    @classmethod
    def of(cls, stages: Sequence[Stage], chain: str) -> "LabAnswer":
        stages[-1].change_under_shift  # noqa: B018 - worked out once, for all of them
        picture = PictureNumbers.model_construct(**PictureNumbers.read(stages[0]))
        return cls.model_construct(chain=chain, picture=picture, steps=[StepNumbers.of(stage) for stage in stages[1:]])


class LabCellAnswer(BaseModel):
    """One value of a picture, and how it was made."""

    row: int
    column: int
    channel: int
    value: JsonFloat
    reads: Rectangle | None = Field(description="What it reads of the picture before; null in the first picture.")
    cell: LabCell | None = Field(description="The arithmetic; null in the first picture.")

    @classmethod
    def of(cls, inspection: Inspection) -> "LabCellAnswer":
        return cls.model_construct(
            row=inspection.row,
            column=inspection.column,
            channel=inspection.channel,
            value=inspection.value,
            reads=inspection.region,
            cell=inspection.cell,
        )
