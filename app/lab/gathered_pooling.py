"""Pooling that looks at each value of a window: Lp, soft, stochastic, median, and one fixed cell."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from .control import Control
from .operation import LabCell, Line, Place, Seed, Side, WindowCell
from .planes import PixelSize, Planes, size_of
from .pooling import PaddedPooling, WindowPooling
from .sliding import count_cells, gather

Cells = NDArray[np.float32]  # one cell of all windows, (rows, columns of the output)

MAX_EXPONENT = 64
_PADDING = -1e30  # less than any value, and finite: infinity minus infinity is no number


class GatheredPooling(PaddedPooling):
    """Pools the values of each window one by one."""

    fill: ClassVar[float] = _PADDING
    reads_each: ClassVar[int] = 4

    def compute(self, planes: Planes) -> Planes:
        made = np.empty((len(planes), *self.output_size(size_of(planes))), np.float32)
        counts = count_cells(self.slider, size_of(planes))
        for (channel, rows), cells in gather(planes, self.slider, self.fill):
            made[channel, rows] = self.combine(cells, counts[rows], (channel, rows), made.shape)
        return made

    def combine(self, cells: Sequence[Cells], counts: Cells, place: tuple[int, slice], shape: tuple[int, ...]) -> Cells:
        """Combine the values of some rows of windows of one channel.

        cells: for each cell of the window its values. counts: how many of them are no padding. place: the channel and
        the rows. shape: of the whole output.
        """
        raise NotImplementedError


class LpPooling(GatheredPooling):
    """The p-th root of the mean of the p-th powers of absolute values (Sermanet, Chintala and LeCun, 2012).

    arXiv 1204.3968, with the same weight for each cell. p = 1 is the average, and a large p nears the maximum.
    """

    operation: Literal["lp"] = "lp"
    p: Annotated[float, Field(ge=1, le=MAX_EXPONENT)] = 2

    title: ClassVar[str] = "Lp pooling"
    fill: ClassVar[float] = 0.0
    keeps: ClassVar[str] = "what is strong, the more the larger p is"
    loses: ClassVar[str] = "signs, and faint detail"

    def own_controls(self, size: PixelSize) -> list[Control]:
        reason = "beyond it, it is the maximum"
        return [Control("p", "p", self.p, "number", 1, MAX_EXPONENT, 0.5, reason)]

    def combine(self, cells: Sequence[Cells], counts: Cells, place: tuple[int, slice], shape: tuple[int, ...]) -> Cells:
        absolute = [np.abs(each) for each in cells]
        largest = absolute[0].copy()
        for each in absolute[1:]:
            np.maximum(largest, each, out=largest)
        scale = np.where(largest > 0, largest, np.float32(1))
        powers = sum((each / scale) ** np.float32(self.p) for each in absolute)
        return np.asarray(largest * (powers / counts) ** np.float32(1 / self.p), np.float32)

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        region, inputs = self.read_window(planes, place)
        counted = inputs[~np.isnan(inputs)]
        mean = float((np.abs(counted) ** self.p).mean())
        lines = (Line(f"mean of |value| to the power of {self.p:g}", mean), Line(f"its root of {self.p:g}", value))
        return WindowCell(region, inputs, None, "the window's values", lines, value)

    def describe(self) -> str:
        return f"{super().describe()}, p = {self.p:g}"


class SoftPooling(GatheredPooling):
    """The mean weighted by exp(β · value) (SoftPool: Stergiou, Poppe and Kalliatakis, 2021, arXiv 2101.00440).

    There β is 1. With β = 0 it is the average, and a large β nears the maximum.
    """

    operation: Literal["soft"] = "soft"
    beta: Annotated[float, Field(ge=0, le=MAX_EXPONENT, description="1 in the paper.")] = 1

    title: ClassVar[str] = "soft pooling"
    keeps: ClassVar[str] = "a mean that leans to the bright"
    loses: ClassVar[str] = "contrast of what is finer than the window"

    def own_controls(self, size: PixelSize) -> list[Control]:
        return [Control("beta", "β", self.beta, "number", 0, MAX_EXPONENT, 0.5, "beyond it, it is the maximum")]

    def combine(self, cells: Sequence[Cells], counts: Cells, place: tuple[int, slice], shape: tuple[int, ...]) -> Cells:
        largest = cells[0].copy()
        for each in cells[1:]:
            np.maximum(largest, each, out=largest)
        beta, total, sums = np.float32(self.beta), np.zeros_like(largest), np.zeros_like(largest)
        for each in cells:  # of padding the exponential is 0, unless β is
            below = each - largest
            weight = np.exp(beta * below) * (each > np.float32(_PADDING))
            total += weight
            sums += weight * below
        return np.asarray(largest + sums / total, np.float32)

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        region, inputs = self.read_window(planes, place)
        exponentials = np.exp(self.beta * (inputs - np.nanmax(inputs)))
        weights = exponentials / np.nansum(exponentials)
        words = f"each value's share of the sum of exp({self.beta:g} × value)"
        return WindowCell(region, inputs, weights, words, (), value)

    def describe(self) -> str:
        return f"{super().describe()}, β = {self.beta:g}"


class StochasticPooling(GatheredPooling):
    """One value, drawn by chance: the larger, the likelier (Zeiler and Fergus, 2013, arXiv 1301.3557).

    A value's probability is its share of the sum of the window's values; those below zero count as zero, as ReLU leaves
    none. Where none is above zero, the largest is taken. Each window and channel is drawn by itself.
    """

    operation: Literal["stochastic"] = "stochastic"
    seed: Seed = 1

    title: ClassVar[str] = "stochastic pooling"
    keeps: ClassVar[str] = "values that were there, on average near the bright ones"
    loses: ClassVar[str] = "smooth areas: chance adds grain"

    def own_controls(self, size: PixelSize) -> list[Control]:
        return [Control("seed", "seed", self.seed, "whole", 0, 9999, 1, "any number will do")]

    def draws(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return a number from 0 to 1 for each cell of an output, (channels, height, width)."""
        return np.random.default_rng(self.seed).random(shape, np.float32)

    def compute(self, planes: Planes) -> Planes:
        shape = (len(planes), *self.output_size(size_of(planes)))
        chances, made = self.draws(shape), np.empty(shape, np.float32)
        for (channel, rows), cells in gather(planes, self.slider, self.fill):
            made[channel, rows] = _draw(cells, chances[channel, rows])
        return made

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        (row, column, channel), (region, inputs) = place, self.read_window(planes, place)
        chance = self.draws((len(planes), *self.output_size(size_of(planes))))[channel, row, column]
        values = np.nan_to_num(inputs, nan=self.fill).astype(np.float32)
        reached = np.array(_add_up(list(values.ravel())))
        if reached[-1] == 0:
            picked = divmod(int(values.argmax()), values.shape[1])
            none = Line("no value is above zero: the largest is taken", value)
            return WindowCell(region, inputs, None, "the window's values", (none,), value, picked)
        probabilities = np.where(np.isnan(inputs), np.nan, values.clip(min=0) / reached[-1])
        exceeds = reached > chance * reached[-1]
        picked = divmod(int(exceeds.argmax() if exceeds.any() else values.argmax()), values.shape[1])
        lines = (Line("drawn, from 0 to 1", float(chance)), Line("which the shares reach at", value))
        return WindowCell(region, inputs, probabilities, "the probability of each value", lines, value, picked)

    def describe(self) -> str:
        return f"{super().describe()}, seed {self.seed}"


def _draw(cells: Sequence[Cells], chances: Cells) -> Cells:
    """Draw one value of each window. chances: a number from 0 to 1 for each."""
    reached = _add_up(cells)
    threshold = chances * reached[-1]
    drawn = cells[0].copy()
    for each in cells[1:]:  # where none is above zero
        np.maximum(drawn, each, out=drawn)
    for each, until in zip(reversed(cells), reversed(reached), strict=True):  # the first that exceeds it stays
        np.copyto(drawn, each, where=until > threshold)
    return drawn


def _add_up(cells: Sequence[Cells]) -> list[Cells]:
    """Return the sum of the values above zero up to each one."""
    sums = [np.maximum(cells[0], 0)]
    for each in cells[1:]:
        sums.append(sums[-1] + np.maximum(each, 0))
    return sums


class MedianPooling(GatheredPooling):
    """The middle value of each window; of an even number the mean of the two in the middle."""

    operation: Literal["median"] = "median"

    title: ClassVar[str] = "median pooling"
    fill: ClassVar[float] = np.inf
    reads_each: ClassVar[int] = 12
    keeps: ClassVar[str] = "edges, and what most of the window says"
    loses: ClassVar[str] = "single pixels and thin lines"

    def combine(self, cells: Sequence[Cells], counts: Cells, place: tuple[int, slice], shape: tuple[int, ...]) -> Cells:
        ordered = [np.array(each) for each in cells]
        for low, high in sorting_network(len(ordered)):
            smaller = np.minimum(ordered[low], ordered[high])
            np.maximum(ordered[low], ordered[high], out=ordered[high])
            ordered[low] = smaller
        made = np.empty_like(ordered[0])
        for count in np.unique(counts).astype(int):  # fewer at the border, where the rest is padding
            middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / np.float32(2)
            np.copyto(made, middle, where=counts == count)
        return made

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        region, inputs = self.read_window(planes, place)
        order = np.argsort(inputs, axis=None, kind="stable")  # NaN comes last
        count = int(np.count_nonzero(~np.isnan(inputs)))
        weights = np.zeros(inputs.size)
        for index in ((count - 1) // 2, count // 2):
            weights[order[index]] += 0.5
        return WindowCell(region, inputs, weights.reshape(inputs.shape), "the middle of the ordered values", (), value)


def sorting_network(count: int) -> Iterator[tuple[int, int]]:
    """Return the pairs of places to compare and swap, in order, that sort so many values.

    Batcher's odd-even merge sort, for any count (Knuth, The Art of Computer Programming, volume 3, algorithm 5.2.2M).
    """
    top = 1 << max(0, (count - 1).bit_length() - 1)
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            for index in range(count - d):
                if index & p == r:
                    yield index, index + d
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1


class CellPooling(WindowPooling):
    """The value of one fixed cell of the window: plain subsampling."""

    operation: Literal["cell"] = "cell"
    row: Annotated[int, Field(ge=1, le=64, description="In the window, from 1.")] = 1
    column: Annotated[Side, Field(description="In the window, from 1.")] = 1

    title: ClassVar[str] = "a fixed cell"
    keeps: ClassVar[str] = "true values, one of each window"
    loses: ClassVar[str] = "all others: fine patterns turn into false ones"

    def own_controls(self, size: PixelSize) -> list[Control]:
        reason = f"the window has {self.window}"
        return [
            Control("row", "row", self.row, low=1, high=self.window, reason=reason),
            Control("column", "column", self.column, low=1, high=self.window, reason=reason),
        ]

    def compute(self, planes: Planes) -> Planes:
        height, width = self.output_size(size_of(planes))
        top, left, stride = self.row - 1, self.column - 1, self.steps
        bottom, right = top + (height - 1) * stride + 1, left + (width - 1) * stride + 1
        return np.ascontiguousarray(planes[:, top:bottom:stride, left:right:stride])

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        region, inputs = self.read_window(planes, place)
        weights = np.zeros(inputs.shape)
        picked = (self.row - 1, self.column - 1)
        weights[picked] = 1
        return WindowCell(region, inputs, weights, "one cell counts, the others do not", (), value, picked)

    def describe(self) -> str:
        return f"row {self.row}, column {self.column} of {self.window}×{self.window}, stride {self.steps}"
