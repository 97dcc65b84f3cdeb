"""Pooling of windows: by maximum, average and minimum, and by what lies between maximum and average."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..cnn.cells import Cell
from ..cnn.kinds import Layer
from ..cnn.kinds.pooling import AveragePooling2D, MaxPooling2D, MinPooling2D
from ..cnn.windows import Region, Window, read_cells
from .control import MAX_SIDE, Control, window_control
from .operation import PADDINGS, LabCell, Line, Operation, Padding, Place, Side, WindowCell
from .planes import PixelSize, Planes, size_of
from .sliding import combine_windows, count_cells, count_places

Share = Annotated[float, Field(ge=0, le=1)]

MOST_READ = 4 * 10**8  # numbers that one step may read, of one plane: about a second


class WindowPooling(Operation):
    """Keeps one value of each window."""

    window: Side = 2
    stride: Side | None = Field(default=None, description="null: as the window.")

    is_pooling: ClassVar[bool] = True
    reads_each: ClassVar[int] = 0  # how often it reads a window's values one by one; 0: by rows, then by columns

    @property
    def steps(self) -> int:
        return self.stride or self.window

    @property
    def slider(self) -> Window:
        """The window that slides over a plane."""
        return Window((self.window, self.window), (self.steps, self.steps))

    def controls(self, size: PixelSize) -> list[Control]:
        window = window_control("window", "window", self.window, size)
        side = min(MAX_SIDE, *size)
        reason = f"its input has {side} rows or columns" if side < MAX_SIDE else "the most in the lab"
        stride = Control(
            "stride", "stride", self.steps, low=1, high=side, reason=reason, follows="as the window",
            is_following=self.stride is None,
        )  # fmt: skip
        if self.reads_each:
            window, stride = self._limit_time(window, stride, size)
        return [window, stride, *self.own_controls(size)]

    def _limit_time(self, window: Control, stride: Control, size: PixelSize) -> tuple[Control, Control]:
        """Keep what would be read within what can be read while one watches."""
        if self.stride is None:
            return window, stride
        pixels = math.prod(size) * self.reads_each
        widest = int(self.steps * math.sqrt(MOST_READ / pixels))
        window = window.limited(widest, f"with a stride of {self.steps} a wider one would take too long")
        least = math.ceil(self.window / math.sqrt(MOST_READ / pixels))
        if least > stride.low:
            reason = f"with a window of {self.window} a shorter one would take too long"
            stride = Control(**{**vars(stride), "low": min(least, stride.high), "low_reason": reason})
        return window, stride

    def own_controls(self, size: PixelSize) -> list[Control]:
        """Return the settings beside window and stride."""
        return []

    def output_size(self, size: PixelSize) -> PixelSize:
        return count_places(self.slider, size)

    def count_operations(self, size: PixelSize) -> int:
        places = math.prod(self.output_size(size))
        return places * self.window**2 * self.reads_each or places * self.window * 2

    def reach(self) -> tuple[int, int]:
        return self.window, self.steps

    def read_region(self, cells: Region, size: PixelSize) -> Region:
        return self.slider.region(cells, size)

    def read_window(self, planes: Planes, place: Place) -> tuple[Region, NDArray[np.float64]]:
        """Return what a cell reads, and its values, NaN for padding."""
        row, column, channel = place
        region = self.read_region(Region(row, column, row + 1, column + 1), size_of(planes))
        rows, columns = np.arange(region.top, region.bottom), np.arange(region.left, region.right)
        return region, read_cells(planes[channel, :, :, None], rows[:, None], columns[None], np.nan)[:, :, 0]

    def describe(self) -> str:
        return f"{self.title} of {self.window}×{self.window}, stride {self.steps}"


class PaddedPooling(WindowPooling):
    """Keeps one value of each window, which may reach over the border; what lies there does not count."""

    padding: Padding = "valid"

    @property
    def slider(self) -> Window:
        return Window((self.window, self.window), (self.steps, self.steps), (1, 1), self.padding)

    def controls(self, size: PixelSize) -> list[Control]:
        padding = Control("padding", "padding", self.padding, "choice", choices=PADDINGS)
        return [*super().controls(size), padding]

    def describe(self) -> str:
        return f"{super().describe()}, {'padded' if self.padding == 'same' else 'no padding'}"


def _share_each(window: Window, size: PixelSize) -> NDArray[np.float32] | np.float32:
    """Return the share of each value in a window's mean: one number, but where padding does not count."""
    if window.padding == "valid":
        return np.float32(1 / math.prod(window.size))
    return np.float32(1) / count_cells(window, size)


class _ModePooling(PaddedPooling):
    layer: ClassVar[type[Layer]]

    def _explain(self, planes: Planes, place: Place, value: float) -> Cell:
        """Return what the network's own layer of this kind says of the cell."""
        row, column, channel = place
        settings = {"pool_size": self.slider.size, "strides": self.slider.strides, "padding": self.padding}
        layer = self.layer.create(self.name, [None], settings, [(*size_of(planes), 1)])
        return layer._explain({}, [planes[[channel]].transpose(1, 2, 0)], (row, column, 0), value)


class MaxPooling(_ModePooling):
    """The largest value of each window."""

    operation: Literal["max"] = "max"

    title: ClassVar[str] = "max pooling"
    layer: ClassVar[type[Layer]] = MaxPooling2D
    keeps: ClassVar[str] = "the brightest value of each window"
    loses: ClassVar[str] = "dark detail, and where in the window it was"

    def compute(self, planes: Planes) -> Planes:
        return combine_windows(planes, self.slider, np.maximum, -np.inf)


class AveragePooling(_ModePooling):
    """The mean of each window's values, padding not counted."""

    operation: Literal["average"] = "average"

    title: ClassVar[str] = "average pooling"
    layer: ClassVar[type[Layer]] = AveragePooling2D
    keeps: ClassVar[str] = "the mean brightness, here and in the whole"
    loses: ClassVar[str] = "contrast of what is finer than the window"

    def compute(self, planes: Planes) -> Planes:
        made = combine_windows(planes, self.slider, np.add, 0.0)
        made *= _share_each(self.slider, size_of(planes))
        return made


class MinPooling(_ModePooling):
    """The smallest value of each window."""

    operation: Literal["min"] = "min"

    title: ClassVar[str] = "min pooling"
    layer: ClassVar[type[Layer]] = MinPooling2D
    keeps: ClassVar[str] = "the darkest value of each window"
    loses: ClassVar[str] = "bright detail, and where in the window it was"

    def compute(self, planes: Planes) -> Planes:
        return combine_windows(planes, self.slider, np.minimum, np.inf)


class MixedPooling(PaddedPooling):
    """A share of the maximum, and the rest of the average (Lee, Gallagher and Tu, 2016, arXiv 1509.08985)."""

    operation: Literal["mixed"] = "mixed"
    share: Share = Field(default=0.5, description="Of the maximum; the rest is of the average.")

    title: ClassVar[str] = "mixed pooling"
    keeps: ClassVar[str] = "some of the peaks, and some of the mean"
    loses: ClassVar[str] = "dark detail, by as much as the maximum counts"

    def own_controls(self, size: PixelSize) -> list[Control]:
        reason = "1 is the maximum alone"
        return [Control("share", "share of the maximum", self.share, "number", 0, 1, 0.05, reason)]

    def compute(self, planes: Planes) -> Planes:
        made = combine_windows(planes, self.slider, np.add, 0.0)
        made *= np.float32(1 - self.share) * _share_each(self.slider, size_of(planes))
        made += combine_windows(planes, self.slider, np.maximum, -np.inf) * np.float32(self.share)
        return made

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        region, inputs = self.read_window(planes, place)
        counted = inputs[~np.isnan(inputs)]
        lines = (
            Line("maximum", float(counted.max())),
            Line("average", float(counted.mean())),
            Line(f"{self.share:g} × maximum", self.share * float(counted.max())),
            Line(f"{1 - self.share:g} × average", (1 - self.share) * float(counted.mean())),
        )
        return WindowCell(region, inputs, None, "the window's values", lines, value)

    def describe(self) -> str:
        return f"{super().describe()}, {self.share:.0%} maximum"
