"""Layers that change height and width: padding, cropping, enlarging, resizing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import NoGradient
from ..gradients import Gradients, PassedBack
from ..types import Array, Shape, Weights
from ..windows import Region, Size
from .checks import SIDE, flag, margins, one_of, optional, pair, real, setting, whole
from .layer import CellIndex, GraphBuilder, Layer, Tensor, image_shape
from .reshaping import Moving

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
        return PassedBack((_return_resized(self, self.interpolation, gradients, inputs[0].shape),))

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
        if self.crop_to_aspect_ratio or self.pad_to_aspect_ratio or self.antialias:
            raise NoGradient(self.name, "the derivative of a Resizing that crops, pads or uses antialias is not known")
        return PassedBack((_return_resized(self, self.interpolation, gradients, inputs[0].shape),))


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


def _return_resized(layer: Layer, interpolation: str, gradients: Gradients, shape: tuple[int, ...]) -> Gradients:
    """Return the gradients of an image of this shape, for those of the resized one. Raises: NoGradient."""
    if interpolation not in _WEIGHTS:
        raise NoGradient(layer.name, f"the derivative of {interpolation} interpolation is not written yet")
    rows, columns = (
        _WEIGHTS[interpolation](read, made).astype(gradients.dtype)
        for read, made in zip(shape[:2], gradients.shape[1:3], strict=True)
    )
    across = np.tensordot(gradients, columns, (2, 0))  # (several, rows, channels, columns read)
    return np.tensordot(across, rows, (1, 0)).transpose(0, 3, 2, 1)


def _nearest(read: int, made: int) -> NDArray[np.float64]:
    """Return the weight of each cell that is read in each that is made, along one axis: (made, read)."""
    centres = (np.arange(made) + 0.5) * read / made
    return np.eye(read)[np.minimum(centres.astype(np.intp), read - 1)]


def _bilinear(read: int, made: int) -> NDArray[np.float64]:
    """Return the same where the two cells on either side share by their distances; at the border, the last has all."""
    centres = np.clip((np.arange(made) + 0.5) * read / made - 0.5, 0, read - 1)
    first = np.minimum(centres.astype(np.intp), max(read - 2, 0))
    share = (centres - first)[:, np.newaxis]
    cells = np.eye(read)
    return cells[first] * (1 - share) + cells[np.minimum(first + 1, read - 1)] * share


_WEIGHTS = {"nearest": _nearest, "bilinear": _bilinear}
