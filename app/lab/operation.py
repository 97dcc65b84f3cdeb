"""What every operation of the lab can say about itself. Each operation is one subclass."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..cnn.cells import Cell, HiddenFloat, JsonFloat, Matrix, Rectangle
from ..cnn.windows import Region
from .control import Control
from .planes import PixelSize, Planes

Seed = Annotated[int, Field(ge=0, le=9999)]
Side = Annotated[int, Field(ge=1, le=64)]
Padding = Literal["valid", "same"]
PADDINGS = (("valid", "none"), ("same", "same"))
Place = tuple[int, int, int]  # row, column and channel of a cell


@dataclass(frozen=True)
class Line:
    """A number on the way to a cell's value, with its words."""

    words: str
    value: JsonFloat


@dataclass(frozen=True)
class WindowCell:
    """What a pooling made of its window's values; with weights, the value is the sum of values times weights."""

    arithmetic: Literal["window"] = field(default="window", init=False)
    window: Rectangle  # what is read of the input, padding counted
    inputs: Matrix  # null is padding
    weights: Matrix | None  # of the same shape
    words: str  # what the inputs are, or how the weights come about
    lines: tuple[Line, ...]  # numbers on the way, in order
    value: HiddenFloat
    picked: tuple[int, int] | None = None  # row and column in the window of the one value that is kept


LabCell = Cell | WindowCell


class Operation(BaseModel):
    """One step of a chain, with its settings. Every subclass overrides what is not as it is here.

    `operation` names it in JSON and in an address. keeps, loses: what becomes of a picture, in a few words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    title: ClassVar[str]
    keeps: ClassVar[str] = ""
    loses: ClassVar[str] = ""
    is_pooling: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return str(getattr(self, "operation"))  # noqa: B009 - each subclass declares it as a literal

    def controls(self, size: PixelSize) -> list[Control]:
        """Return the settings with their limits for an input of this height and width."""
        return []

    def output_size(self, size: PixelSize) -> PixelSize:
        """Return the output's height and width."""
        return size

    def compute(self, planes: Planes) -> Planes:
        """Return the output's planes."""
        raise NotImplementedError

    def count_operations(self, size: PixelSize) -> int:
        """Return how many numbers are read for one plane, each as often as it is read."""
        height, width = size
        return height * width

    def reach(self) -> tuple[int, int]:
        """Return how many columns one cell reads at most, and how many columns further the next one begins."""
        return 1, 1

    def read_region(self, cells: Region, size: PixelSize) -> Region:
        """Return what these cells read of an input of this size, padding counted."""
        return cells

    @np.errstate(invalid="ignore", over="ignore")
    def explain(self, planes: Planes, output: Planes, place: Place) -> LabCell:
        """Return the arithmetic of one cell, from the float32 values that were computed.

        planes, output: what the operation read and made.
        """
        row, column, channel = place
        return self._explain(planes, place, float(output[channel, row, column]))

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        raise NotImplementedError

    def describe(self) -> str:
        """Return the operation with its settings in words."""
        return self.title
