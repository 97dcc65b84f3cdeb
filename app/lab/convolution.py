"""Convolution with one kernel, each channel by itself.

As in deep learning, the kernel is not turned round: a cross-correlation (Goodfellow, Bengio and Courville, Deep
Learning, 2016, section 9.1).
"""

import math
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..cnn.cells import ConvolutionCell
from ..cnn.kinds.depthwise_convolution import DepthwiseConv2D
from ..cnn.windows import Region, Window
from .control import MAX_SIDE, Control
from .kernels import KERNELS, MAX_KERNEL, RANDOM, WORDS, KernelSetting, make_random
from .operation import LabCell, Operation, Place, Seed, Side
from .planes import PixelSize, Planes, size_of
from .sliding import border, correlate, count_places, pad, pad_reflected

BORDERS = (("valid", "none"), ("same", "zeros"), ("reflect", "reflect"))
MAX_DILATION = 16


class Filter(Operation):
    """The sum of a window's values, each times a weight."""

    kernel: KernelSetting = Field(
        default="edge-right",
        description="A name, or up to 9 rows of up to 9 numbers: [[0, 1, 0], [1, -4, 1], [0, 1, 0]].",
    )
    size: Annotated[int, Field(ge=1, le=MAX_KERNEL, description="Rows and columns of a random kernel.")] = 3
    seed: Annotated[Seed, Field(description="Of a random kernel.")] = 1
    padding: Literal["valid", "same", "reflect"] = Field(
        default="same",
        description="None; zeros, so that the size stays with a stride of 1; or as much of the mirrored picture.",
    )
    stride: Side = 1
    dilation: Annotated[int, Field(ge=1, le=MAX_DILATION, description="Cells from one weight to the next.")] = 1

    @property
    def weights(self) -> NDArray[np.float32]:
        """The kernel, (rows, columns)."""
        if self.kernel == RANDOM:
            return make_random(self.size, self.size, self.seed)
        rows = KERNELS[self.kernel] if isinstance(self.kernel, str) else self.kernel
        return np.array(rows, np.float32)

    @property
    def slider(self) -> Window:
        rows, columns = self.weights.shape
        padding = "valid" if self.padding == "valid" else "same"
        return Window((rows, columns), (self.stride,) * 2, (self.dilation,) * 2, padding)

    def controls(self, size: PixelSize) -> list[Control]:
        rows, columns = self.weights.shape
        # How far apart weights may lie: within the picture, and where it is mirrored, not beyond the mirrored part.
        spans = [(side - 1) // (count - 1) for side, count in zip(size, (rows, columns), strict=True) if count > 1]
        gap = max(1, min([MAX_DILATION, *spans]))
        reason = "the most in the lab" if gap == MAX_DILATION else "the kernel would not fit into its input"
        side = min(MAX_SIDE, *size)
        steps = f"its input has {side} rows or columns" if side < MAX_SIDE else "the most in the lab"
        random = []
        if self.kernel == RANDOM:
            most = min(MAX_KERNEL, *size)
            why = "the most in the lab" if most == MAX_KERNEL else "its input is no larger"
            random = [
                Control("size", "size", self.size, low=1, high=most, reason=why),
                Control("seed", "seed", self.seed, low=0, high=9999, reason="any number will do"),
            ]
        return [
            Control("kernel", "kernel", self.kernel, "kernel", choices=tuple(WORDS.items())),
            *random,
            Control("stride", "stride", self.stride, low=1, high=side, reason=steps),
            Control("dilation", "dilation", self.dilation, low=1, high=gap, reason=reason),
            Control("padding", "padding", self.padding, "choice", choices=BORDERS),
        ]

    def complain(self, size: PixelSize) -> str | None:
        """Return why a kernel does not fit into an input of this size; None if it does."""
        rows, columns = self.weights.shape
        if rows > size[0] or columns > size[1]:
            return f"its kernel has {rows}×{columns} weights, and its input {size[0]}×{size[1]} cells"
        return None

    def output_size(self, size: PixelSize) -> PixelSize:
        return count_places(self.slider, size)

    def pad(self, planes: Planes) -> Planes:
        """Return the planes with the border that the kernel reads."""
        if self.padding == "reflect":
            return pad_reflected(planes, border(self.slider, size_of(planes)))
        return pad(planes, self.slider, 0.0)

    def compute(self, planes: Planes) -> Planes:
        window = Window(self.slider.size, self.slider.strides, self.slider.dilation)
        return correlate(self.pad(planes), self.weights, window)

    def count_operations(self, size: PixelSize) -> int:
        return 2 * math.prod(self.output_size(size)) * self.weights.size

    def reach(self) -> tuple[int, int]:
        return self.slider.extent[1], self.stride

    def read_region(self, cells: Region, size: PixelSize) -> Region:
        return self.slider.region(cells, size)

    def _explain(self, planes: Planes, place: Place, value: float) -> LabCell:
        """Return what a network's depthwise layer of this kernel says of the cell."""
        row, column, channel = place
        plane, padding = planes[[channel]], self.slider.padding
        if self.padding == "reflect":  # the mirrored part is read as if it were part of the picture
            plane, padding = self.pad(plane), "valid"
        window = self.slider
        settings: dict[str, Any] = {
            "kernel_size": window.size,
            "strides": window.strides,
            "dilation_rate": window.dilation,
            "padding": padding,
            "use_bias": False,
        }
        layer = DepthwiseConv2D(name=self.name, data_format=None, activation="linear", depth_multiplier=1, **settings)
        kernel = self.weights[:, :, np.newaxis, np.newaxis]
        cell = layer._explain({"kernel": kernel}, [plane.transpose(1, 2, 0)], (row, column, 0), value)
        assert isinstance(cell, ConvolutionCell)
        here = Region(row, column, row + 1, column + 1)
        return replace(cell, window=self.read_region(here, size_of(planes)))  # in the picture without its border

    def describe(self) -> str:
        rows, columns = self.weights.shape
        words = WORDS[self.kernel] if isinstance(self.kernel, str) else "typed kernel"
        seed = f" {self.seed}" if self.kernel == RANDOM else ""
        gaps = f", dilation {self.dilation}" if self.dilation > 1 else ""
        border_words = {"valid": "no padding", "same": "zero padding", "reflect": "mirrored border"}[self.padding]
        return f"{rows}×{columns} {self.title}, {words}{seed}, stride {self.stride}{gaps}, {border_words}"


class Convolution(Filter):
    """A convolution, by default of the same size."""

    operation: Literal["convolution"] = "convolution"

    title: ClassVar[str] = "convolution"
    keeps: ClassVar[str] = "what looks like the kernel"
    loses: ClassVar[str] = "what the kernel does not answer to"


class StridedConvolution(Filter):
    """A convolution with a stride, in place of a pooling (Springenberg and others, 2014, arXiv 1412.6806)."""

    operation: Literal["strided"] = "strided"
    kernel: KernelSetting = "blur"
    stride: Side = 2

    title: ClassVar[str] = "strided convolution"
    is_pooling: ClassVar[bool] = True
    keeps: ClassVar[str] = "what its weights weigh: here they are chosen, in a network learned"
    loses: ClassVar[str] = "what they do not"
