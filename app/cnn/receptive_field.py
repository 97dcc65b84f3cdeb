"""The part of the image, and of every layer between, that one cell depends on.

The way back through one layer is its kind's own: see app.cnn.windows for convolution and pooling.
"""

from collections.abc import Mapping, Sequence

from .kinds import Layer
from .types import Shape
from .windows import Region, Size

IMAGE = ""  # the key of the image itself, which no layer is called
_NOTHING = Region(0, 0, 0, 0)


def receptive_field(
    layers: Sequence[Layer],
    image: Shape,
    name: str,
    cell: tuple[int, int] = (0, 0),
    shapes: Mapping[str, Shape] | None = None,
) -> dict[str, Region]:
    """Return the region that one cell depends on: in the image (under IMAGE) and in each layer from there to its own.

    layers: in the order in which the data flows. image: the image's shape. cell: row and column in the layer of
    this name; in a vector, row 0 and the unit. shapes: the layers' outputs for this image, by name, where the model
    takes images of any size.
    A region reaches into the padding around its own layer; what lies beyond a layer's border depends on nothing
    before it. A cell that does not depend on the image sees an empty region of it.
    """
    given = {layer.name: layer.output_shape for layer in layers} | dict(shapes or {}) | {IMAGE: image}
    regions = _walk_back(layers, given, name, cell, clip=True)
    return {IMAGE: _NOTHING} | regions


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
        for source in (IMAGE if name is None else name for name in layer.sources):
            regions[source] = _read(layer, region, _size(shapes[source])).union(regions.get(source))
    return regions


def receptive_field_size(layers: Sequence[Layer], image: Shape, name: str) -> tuple[int, int] | None:
    """Return height and width of what a cell of this layer sees of the image, the border apart.

    Both are 0 where it does not depend on the image. None where it sees all of an image that may have any size.
    """
    shapes = {layer.name: layer.output_shape for layer in layers} | {IMAGE: image}
    if (region := _walk_back(layers, shapes, name, (0, 0), clip=False).get(IMAGE)) is None:
        return 0, 0
    height, width = (min(seen, size or seen) for seen, size in zip((region.height, region.width), image, strict=False))
    return (height, width) if height and width else None


def map_extent(
    layers: Sequence[Layer], image: tuple[int, int, int], shape: tuple[int, int, int], name: str
) -> tuple[float, float, float, float] | None:
    """Return the place of a feature map over the image, so that each cell covers the centre of what it sees.

    image, shape: the image's shape, and that of the layer's output for it.
    Returns: top, left, bottom, right in pixels of the image; None where the map does not depend on it.
    """
    shapes = {layer.name: layer.output_shape for layer in layers} | {IMAGE: image}
    if (first := _walk_back(layers, shapes, name, (0, 0), clip=False).get(IMAGE)) is None:
        return None
    last = _walk_back(layers, shapes, name, (shape[0] - 1, shape[1] - 1), clip=False)[IMAGE]
    top, bottom = _extent(first.top + first.bottom, last.top + last.bottom, shape[0], image[0])
    left, right = _extent(first.left + first.right, last.left + last.right, shape[1], image[1])
    return top, left, bottom, right


def _extent(first: int, last: int, cells: int, size: int) -> tuple[float, float]:
    """Return both ends of a row of cells whose first and last one are centred at first / 2 and last / 2."""
    if cells == 1:
        return 0, size
    step = (last - first) / 2 / (cells - 1)
    return (first - step) / 2, (last + step) / 2


def _size(shape: Shape) -> Size:
    return (shape[0], shape[1]) if len(shape) > 1 else (1, shape[-1])


def _read(layer: Layer, region: Region, source: Size) -> Region:
    """Return the region of its source that a layer reads for a region of its output."""
    if layer.mixes_everything:
        height, width = source
        return Region(0, 0, height or 0, width or 0)
    if not (region.height and region.width):  # empty: all of a source of any size
        return region
    return layer.read_region(region, source)
