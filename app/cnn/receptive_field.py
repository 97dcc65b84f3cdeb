"""Which part of the image, and of every layer between, one cell depends on.

Following Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019: walking
back from a cell, a window of extent k and stride s turns the cells first..last of its output into the cells
first·s - p .. last·s - p + k - 1 of its input, where p is the padding before the first cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.cnn.layers import Layer, Shape, Window

IMAGE = "input"  # the name under which the image itself stands

Size = tuple[int | None, int | None]  # height and width; None where any goes


@dataclass(frozen=True)
class Region:
    """Rows top to bottom and columns left to right, the last ones not included.

    Padding counts: a region may begin before row 0 or end after the last one.
    """

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def union(self, other: "Region | None") -> "Region":
        """The smallest region that holds both."""
        if other is None:
            return self
        return Region(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def clipped(self, size: tuple[int, int]) -> "Region":
        """What of it lies within a map of this height and width."""
        height, width = size
        return Region(max(self.top, 0), max(self.left, 0), min(self.bottom, height), min(self.right, width))


def receptive_field(
    layers: Sequence[Layer],
    image: Shape,
    name: str,
    cell: tuple[int, int] = (0, 0),
    shapes: Mapping[str, Shape] | None = None,
) -> dict[str, Region]:
    """The region that one cell depends on: in the image (under IMAGE) and in each layer between, its own included.

    layers: in the order in which the data flows. image: the image's shape. cell: row and column in the layer of
    this name; in a vector, row 0 and the unit. shapes: the layers' outputs for this image, by name, where the model
    takes images of any size.
    A region reaches into the padding around its own layer; what lies beyond a layer's border depends on nothing
    before it.
    """
    given = {layer.name: layer.output_shape for layer in layers} | dict(shapes or {}) | {IMAGE: image}
    return _walk_back(layers, given, name, cell, clip=True)


def _walk_back(
    layers: Sequence[Layer], shapes: Mapping[str, Shape], name: str, cell: tuple[int, int], clip: bool
) -> dict[str, Region]:
    row, column = cell
    regions = {name: Region(row, column, row + 1, column + 1)}
    for layer in reversed(layers):
        if (region := regions.get(layer.name)) is None:
            continue
        height, width = _size(shapes[layer.name])
        if clip and height and width:
            region = region.clipped((height, width))
        for source in layer.inputs or (IMAGE,):
            regions[source] = _read(layer, region, _size(shapes[source])).union(regions.get(source))
    return regions


def receptive_field_size(layers: Sequence[Layer], image: Shape, name: str) -> tuple[int, int] | None:
    """Height and width of what a cell of this layer sees of the image, the border apart.

    None where it sees all of an image that may have any size.
    """
    shapes = {layer.name: layer.output_shape for layer in layers} | {IMAGE: image}
    region = _walk_back(layers, shapes, name, (0, 0), clip=False)[IMAGE]
    height, width = (min(seen, size or seen) for seen, size in zip((region.height, region.width), image, strict=False))
    return (height, width) if height and width else None


def map_extent(
    layers: Sequence[Layer], image: tuple[int, int, int], shape: tuple[int, int, int], name: str
) -> tuple[float, float, float, float]:
    """Where a feature map lies over the image, so that each cell covers the centre of what it sees.

    image, shape: the image's shape, and that of the layer's output for it.
    Returns: top, left, bottom, right in pixels of the image.
    """
    shapes = {layer.name: layer.output_shape for layer in layers} | {IMAGE: image}
    first = _walk_back(layers, shapes, name, (0, 0), clip=False)[IMAGE]
    last = _walk_back(layers, shapes, name, (shape[0] - 1, shape[1] - 1), clip=False)[IMAGE]
    top, bottom = _extent(first.top + first.bottom, last.top + last.bottom, shape[0], image[0])
    left, right = _extent(first.left + first.right, last.left + last.right, shape[1], image[1])
    return top, left, bottom, right


def _extent(first: int, last: int, cells: int, size: int) -> tuple[float, float]:
    """Both ends of a row of cells whose first and last one are centred at first / 2 and last / 2."""
    if cells == 1:
        return 0, size
    step = (last - first) / 2 / (cells - 1)
    return (first - step) / 2, (last + step) / 2


def _size(shape: Shape) -> Size:
    return (shape[0], shape[1]) if len(shape) == 3 else (1, shape[-1])


def _read(layer: Layer, region: Region, source: Size) -> Region:
    """What of its source a layer reads to make a region of its own output."""
    if layer.mixes_everything:
        height, width = source
        return Region(0, 0, height or 0, width or 0)
    if not (region.height and region.width):  # empty: all of a source of any size
        return region
    if layer.window is None:
        return _moved_back(layer, region)
    if layer.kind == "Conv2DTranspose":
        top, bottom = _read_transposed(layer.window, 0, region.top, region.bottom)
        left, right = _read_transposed(layer.window, 1, region.left, region.right)
        return Region(top, left, bottom, right)
    top, left = (
        read_window(layer.window, axis, first, source[axis])[0] for axis, first in enumerate((region.top, region.left))
    )
    bottom, right = (
        read_window(layer.window, axis, end - 1, source[axis])[1]
        for axis, end in enumerate((region.bottom, region.right))
    )
    return Region(top, left, bottom, right)


def _moved_back(layer: Layer, region: Region) -> Region:
    (above, before), (rows, columns) = layer.offset, layer.factor
    top, left = (region.top - above) // rows, (region.left - before) // columns
    bottom, right = -((above - region.bottom) // rows), -((before - region.right) // columns)
    return Region(top, left, bottom, right)


def _read_transposed(window: Window, axis: int, first: int, end: int) -> tuple[int, int]:
    top, _ = read_transposed(window, axis, first)
    _, bottom = read_transposed(window, axis, end - 1)
    return top, bottom


def read_transposed(window: Window, axis: int, cell: int) -> tuple[int, int]:
    """The first row (axis 0) or column (axis 1) that a cell of a transposed convolution reads, and the one after.

    Cell i of the input reaches the cells i·s - p .. i·s - p + k - 1 of the output.
    """
    stride, extent, padding = window.strides[axis], window.extent[axis], transposed_padding(window, axis)
    return -((extent - 1 - cell - padding) // stride), (cell + padding) // stride + 1


def transposed_padding(window: Window, axis: int) -> int:
    """How many rows (axis 0) or columns (axis 1) a transposed convolution takes off before the first one it keeps."""
    return max(window.extent[axis] - window.strides[axis], 0) // 2 if window.padding == "same" else 0


def read_window(window: Window, axis: int, cell: int, size: int | None) -> tuple[int, int]:
    """The first row (axis 0) or column (axis 1) that the window of a cell reads, and the one after the last.

    size: how many rows or columns the source has. Padding counts: the first may be negative.
    """
    stride, extent = window.strides[axis], window.extent[axis]
    padding = padding_before(extent, stride, size) if window.padding == "same" else 0
    first = cell * stride - padding
    return first, first + extent


def padding_before(extent: int, stride: int, size: int | None) -> int:
    """How many rows or columns of padding "same" puts before the first one, as TensorFlow does.

    A size of None stands for any multiple of the stride.
    """
    remainder = (size or 0) % stride or stride
    return max(extent - remainder, 0) // 2
