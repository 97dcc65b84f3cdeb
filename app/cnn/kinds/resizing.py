"""Layers that change height and width: padding, cropping, enlarging, resizing."""

from collections.abc import Sequence

import numpy as np

from ..gradients import Gradients, PassedBack
from ..types import Array, Shape, Weights
from ..windows import Region, Size
from .checks import SIDE, flag, margins, one_of, optional, pair, real, setting, whole
from .layer import CellIndex, GraphBuilder, Layer, Tensor, image_shape
from .reshaping import Moving
from .resizing_gradients import Fitting, crop_to_ratio, pad_to_ratio, pass_fitted, pass_resizing

Margins = tuple[tuple[int, int], tuple[int, int]]  # rows above and below, columns left and right

_interpolation = one_of("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class _Margin(Moving, abstract=True):
    """A layer that adds rows and columns around its input, or takes them away."""

    data_format: str | None = setting(optional(one_of("channels_last")), None, compare=False)

    is_minor = True

    @property
    def added(self) -> Margins:
        """Rows and columns that are added before and after; negative where they are taken away."""
        raise NotImplementedError

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        *sides, channels = image_shape(*inputs)
        sums = zip(sides, map(sum, self.added), strict=True)
        return (*(None if side is None else side + margin for side, margin in sums), channels)

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        ((top, _), (left, _)), (row, column, channel) = self.added, place
        return 0, _within((row - top, column - left, channel), inputs[0])

    def read_region(self, cells: Region, size: Size) -> Region:
        (top, _), (left, _) = self.added
        return Region(cells.top - top, cells.left - left, cells.bottom - top, cells.right - left)

    def _return(self, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
        """Return those of the padded or cropped cells at their places; what was cut away has none."""
        (above, below), (before, after) = self.added
        padding = [(max(-each, 0), max(-other, 0)) for each, other in ((above, below), (before, after))]
        inner = gradients[:, max(above, 0) :, max(before, 0) :]
        inner = inner[:, : inner.shape[1] - max(below, 0), : inner.shape[2] - max(after, 0)]
        return np.pad(inner, ((0, 0), *padding, (0, 0)))


def _within(place: tuple[int, int, int], shape: Shape) -> CellIndex | None:
    """Return a place that lies inside a map of this shape; None for one in the padding."""
    row, column, _ = place
    return place if 0 <= row < (shape[0] or 0) and 0 <= column < (shape[1] or 0) else None


class ZeroPadding2D(_Margin):
    """A border of zeros."""

    padding: Margins = setting(margins, ((1, 1), (1, 1)))

    phrase = "a border of zeros"
    keeps_channels = True
    keeps_values = True

    @property
    def added(self) -> Margins:
        return self.padding

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.pad(inputs[0], self.added)


class Cropping2D(_Margin):
    """The border cut away."""

    cropping: Margins = setting(margins, ((0, 0), (0, 0)))

    phrase = "the border cut away"

    @property
    def added(self) -> Margins:
        (top, bottom), (left, right) = self.cropping
        return (-top, -bottom), (-left, -right)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.crop(inputs[0], self.cropping)


class UpSampling2D(Moving):
    """Each cell repeated, or the values between cells interpolated."""

    size: tuple[int, int] = setting(pair(1), (2, 2))
    interpolation: str = setting(_interpolation, "nearest")
    data_format: str | None = setting(optional(one_of("channels_last")), None, compare=False)

    phrase = "each cell repeated"

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        *sides, channels = image_shape(*inputs)
        sizes = zip(sides, self.size, strict=True)
        return (*(None if side is None else side * factor for side, factor in sizes), channels)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        height, width = (side * factor for side, factor in zip(inputs[0].shape[1:3], self.size, strict=True))
        return graph.resize(inputs[0], height, width, self.interpolation)

    def source_of(self, place: CellIndex, inputs: Sequence[Shape]) -> tuple[int, CellIndex | None] | None:
        if self.interpolation != "nearest":
            return None
        (rows, columns), (row, column, channel) = self.size, place
        return 0, _within((row // rows, column // columns, channel), inputs[0])

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        height, width, _ = inputs[0].shape
        return PassedBack((pass_resizing(gradients, (height, width), self.interpolation),))

    def read_region(self, cells: Region, size: Size) -> Region:
        rows, columns = self.size
        return Region(cells.top // rows, cells.left // columns, -(-cells.bottom // rows), -(-cells.right // columns))


class Resizing(Layer):
    """The image at another size."""

    height: int = setting(whole(1, SIDE))
    width: int = setting(whole(1, SIDE))
    interpolation: str = setting(_interpolation, "bilinear")
    crop_to_aspect_ratio: bool = setting(flag, False)
    pad_to_aspect_ratio: bool = setting(flag, False)
    antialias: bool = setting(flag, False)
    fill_mode: str = setting(one_of("constant"), "constant")
    fill_value: float = setting(real, 0.0)
    data_format: str | None = setting(optional(one_of("channels_last")), None, compare=False)

    phrase = "resized"
    keeps_channels = True
    keeps_values = True
    mixes_everything = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        _, _, channels = image_shape(*inputs)
        return self.height, self.width, channels

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        keeps_ratio = self.crop_to_aspect_ratio or self.pad_to_aspect_ratio
        graph.require(not keeps_ratio and not self.antialias, "a Resizing that crops, pads or uses antialias")
        return graph.resize(inputs[0], self.height, self.width, self.interpolation)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Give each gradient to the cells that were read, by their weights; a border's cells count as biases."""
        (height, width, _), wanted = inputs[0].shape, (self.height, self.width)
        fit = crop_to_ratio if self.crop_to_aspect_ratio else pad_to_ratio if self.pad_to_aspect_ratio else None
        fitting = fit((height, width), wanted) if fit else Fitting(Region(0, 0, height, width))
        passed, border = pass_fitted(gradients, (height, width), fitting, self.interpolation, self.antialias)
        has_border = self.fill_value and any(fitting.border)
        return PassedBack((passed,), border[:, np.newaxis] * self.fill_value if has_border else None)


class CenterCrop(Layer):
    """The middle of the image, which is resized where it is smaller."""

    height: int = setting(whole(1, SIDE))
    width: int = setting(whole(1, SIDE))
    data_format: str | None = setting(optional(one_of("channels_last")), None, compare=False)

    keeps_values = True
    mixes_everything = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        _, _, channels = image_shape(*inputs)
        return self.height, self.width, channels

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        (height, width, _), wanted = inputs[0].shape, (self.height, self.width)
        if height < self.height or width < self.width:
            fitting = crop_to_ratio((height, width), wanted)
            return PassedBack((pass_fitted(gradients, (height, width), fitting, "bilinear")[0],))
        top, left = (height - self.height) // 2, (width - self.width) // 2
        margins = (0, 0), (top, height - self.height - top), (left, width - self.width - left), (0, 0)
        return PassedBack((np.pad(gradients, margins),))
