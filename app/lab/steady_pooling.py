"""Pooling made to change less where the picture moves: blurred max pooling and adaptive polyphase sampling.

Both slide the maximum pixel by pixel first, and differ in how they leave pixels out then.
"""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..cnn.windows import Region, Window
from .control import Control
from .operation import LabCell, Line, Place, WindowCell
from .planes import PixelSize, Planes, size_of
from .pooling import PaddedPooling, WindowPooling
from .sliding import combine_windows, correlate, count_places, pad_reflected

MAX_BLUR = 7


class BlurredMaxPooling(PaddedPooling):
    """The maximum, slid by single pixels, blurred, and every stride-th kept.

    MaxBlurPool (Zhang, 2019, arXiv 1904.11486). The blur is binomial, 1 2 1 for a size of 3, and mirrors the border.
    """

    operation: Literal["blurred"] = "blurred"
    blur: Annotated[int, Field(ge=1, le=MAX_BLUR, description="Cells of the binomial blur along a side.")] = 3

    title: ClassVar[str] = "blurred max pooling"
    keeps: ClassVar[str] = "peaks, almost where they were when the picture moves"
    loses: ClassVar[str] = "sharpness"

    def own_controls(self, size: PixelSize) -> list[Control]:
        room = min(count_places(self.sliding, size))
        reason = "the largest in the lab" if room >= MAX_BLUR else "the maxima are no more than that"
        return [Control("blur", "blur", self.blur, low=1, high=max(1, min(MAX_BLUR, room)), reason=reason)]

    @property
    def sliding(self) -> Window:
        """The maximum's window, which moves by single pixels."""
        return Window((self.window, self.window), (1, 1), (1, 1), self.padding)

    def maxima(self, planes: Planes) -> Planes:
        """Return the maximum of the window around each pixel."""
        return combine_windows(planes, self.sliding, np.maximum, -np.inf)

    @property
    def kernel(self) -> NDArray[np.float32]:
        """The blur's weights, (blur, blur); their sum is 1."""
        row = np.array([math.comb(self.blur - 1, each) for each in range(self.blur)], np.float64)
        return np.asarray(np.outer(row, row) / row.sum() ** 2, np.float32)

    @property
    def margins(self) -> list[tuple[int, int]]:
        return [((self.blur - 1) // 2, self.blur // 2)] * 2

    def compute(self, planes: Planes) -> Planes:
        padded = pad_reflected(self.maxima(planes), self.margins)
        return correlate(padded, self.kernel, Window((self.blur, self.blur), (self.steps, self.steps)))

    def reach(self) -> tuple[int, int]:
        return self.window + self.blur - 1, self.steps

    def read_region(self, cells: Region, size: PixelSize) -> Region:
        before, after = self.margins[0]
        top, left = cells.top * self.steps - before, cells.left * self.steps - before
        bottom, right = (cells.bottom - 1) * self.steps + after + 1, (cells.right - 1) * self.steps + after + 1
        places = count_places(self.sliding, size)
        read = Region(top, left, bottom, right).clipped(places)
        return self.sliding.region(read, size)

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        row, column, channel = place
        region = self.read_region(Region(row, column, row + 1, column + 1), size_of(planes))
        padded = pad_reflected(self.maxima(planes[[channel]]), self.margins)[0]
        top, left = row * self.steps, column * self.steps
        inputs = padded[top : top + self.blur, left : left + self.blur].astype(np.float64)
        words = f"each is the largest of {self.window}×{self.window} pixels; times the blur's weights"
        return WindowCell(region, inputs, self.kernel.astype(np.float64), words, (), value)

    def describe(self) -> str:
        return f"{super().describe()}, blurred by {self.blur}×{self.blur}"


class PolyphasePooling(WindowPooling):
    """The maximum, slid by single pixels, and of the grids of every stride-th pixel the one with the largest norm.

    Adaptive polyphase sampling (Chaman and Dokmanić, 2021, arXiv 2011.14214). A picture that moves by a pixel has the
    same grids in another order, and so the same one is kept. As there, the picture goes on at its other side beyond its
    border. All channels keep the same grid.
    """

    operation: Literal["polyphase"] = "polyphase"
    norm: Literal["l1", "l2"] = "l2"

    title: ClassVar[str] = "adaptive polyphase sampling"
    keeps: ClassVar[str] = "the same values, however the picture moves round by whole pixels"
    loses: ClassVar[str] = "dark detail, as the maximum does"

    def own_controls(self, size: PixelSize) -> list[Control]:
        choices = (("l1", "absolute values"), ("l2", "squares"))
        return [Control("norm", "sum of", self.norm, "choice", choices=choices)]

    @property
    def sliding(self) -> Window:
        return Window((self.window, self.window))

    def maxima(self, planes: Planes) -> Planes:
        """Return the maximum of the window that begins at each pixel."""
        extra = [(0, self.window - 1)] * 2
        return combine_windows(np.pad(planes, [(0, 0), *extra], mode="wrap"), self.sliding, np.maximum, -np.inf)

    def output_size(self, size: PixelSize) -> PixelSize:
        return size[0] // self.steps, size[1] // self.steps

    def grids(self, planes: Planes) -> list[tuple[int, int, Planes]]:
        """Return each grid with its first row and column, all of one size."""
        maxima, stride = self.maxima(planes), self.steps
        height, width = self.output_size(size_of(planes))
        return [
            (row, column, maxima[:, row::stride, column::stride][:, :height, :width])
            for row in range(stride)
            for column in range(stride)
        ]

    def _norm(self, grid: Planes) -> float:
        if self.norm == "l1":
            return float(np.abs(grid).sum(dtype=np.float64))
        return math.sqrt(float(np.square(grid).sum(dtype=np.float64)))

    def choose(self, planes: Planes) -> tuple[int, int, Planes]:
        """Return the strongest grid, with its first row and column."""
        return max(self.grids(planes), key=lambda each: self._norm(each[2]))

    def compute(self, planes: Planes) -> Planes:
        return np.ascontiguousarray(self.choose(planes)[2])

    def reach(self) -> tuple[int, int]:
        return self.window + self.steps - 1, self.steps

    def read_region(self, cells: Region, size: PixelSize) -> Region:
        """Return what these cells of the first grid read: which grid is kept, the picture decides."""
        return self.slider.region(cells, size)

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        (row, column, channel), stride = place, self.steps
        grids = self.grids(planes)
        first_row, first_column, _ = max(grids, key=lambda each: self._norm(each[2]))
        down, across = row * stride + first_row, column * stride + first_column
        region = Region(down, across, down + self.window, across + self.window)
        rows, columns = (np.arange(first, first + self.window) for first in (down, across))
        inputs = planes[channel].take(rows, 0, mode="wrap").take(columns, 1, mode="wrap").astype(np.float64)
        picked = divmod(int(inputs.argmax()), self.window)
        few = sorted(grids, key=lambda each: -self._norm(each[2]))[:4]
        lines = tuple(
            Line(f"norm of the grid from row {top}, column {left}", self._norm(grid)) for top, left, grid in few
        )
        words = (
            f"the maximum at row {down}, column {across}: the grid from {first_row}, {first_column} is the strongest"
        )
        return WindowCell(region, inputs, None, words, lines, value, picked)
