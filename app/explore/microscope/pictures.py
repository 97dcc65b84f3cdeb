"""Pictures of maps, one pixel a value, with a window marked in them, and where a click on them leads."""

from dataclasses import dataclass

from ...cnn.preprocessing import channel_names
from ...cnn.receptive_field import IMAGE
from ...cnn.types import Array
from ...cnn.windows import Region
from ...imaging.colormap import Colormap, Extremes, Values, thin
from ...imaging.grid import draw_map
from ..exploration import RenderOptions
from ..inspection import Inspection
from ..large_layers import open_maps, reading

SMALL_PICTURE = 2**18  # pixels of a picture that is shown small

SAME_GRID = (0.0, 0.0, 1, 1)  # Picture.cells where each pixel is the cell at the same place


@dataclass(frozen=True)
class Link:
    """The map, or the cell, that a click on a picture or a row leads to."""

    layer: str
    channel: int
    row: int | None = None  # None: that of the cell under the pointer
    column: int | None = None


@dataclass(frozen=True)
class Picture:
    """One map, one pixel a value, with a region marked in it."""

    png: bytes  # rows and columns are left out of a map that is larger than it is shown
    height: int
    width: int
    region: Region  # the cell or the window; it may reach into the padding
    caption: str
    # Maps a point of this picture to a cell of the selected map: (top, left) of cell 0,0 and the (rows, columns) to the
    # next one, in this picture's pixels. None if its points stand for no cell.
    cells: tuple[float, float, int, int] | None = None
    link: Link | None = None  # to the map that it shows; None for the selected one, and for the image
    # The values at the ends of the colours; None where each map has its own, and in an image in colour.
    colormap: Colormap | None = None
    low: float | None = None
    high: float | None = None
    # Where the first of its pixels is in the map, of which it may be a part.
    top: int = 0
    left: int = 0

    @property
    def frame(self) -> Region:
        """The whole picture, with as much padding around it as the region reaches into."""
        return Region(self.top, self.left, self.top + self.height, self.left + self.width).union(self.region)


def read_picture(
    inspection: Inspection,
    activation: Array,
    channel: int,
    region: Region,
    caption: str,
    options: RenderOptions,
    extremes: Extremes,
    cells: tuple[float, float, int, int] | None = None,
    link: Link | None = None,
    most_pixels: int = SMALL_PICTURE,
) -> Picture:
    """Draw a map of the forward pass."""
    with reading(activation.size, inspection.forward):
        values = open_maps(activation, inspection.forward)
        return draw_picture(values, channel, region, caption, options, extremes, cells, link, most_pixels)


def draw_picture(
    activation: Values,
    channel: int,
    region: Region,
    caption: str,
    options: RenderOptions,
    extremes: Extremes,
    cells: tuple[float, float, int, int] | None = None,
    link: Link | None = None,
    most_pixels: int = SMALL_PICTURE,
) -> Picture:
    """Draw a map on the scale of these extremes. most_pixels: rows and columns are left out of a larger one."""
    height, width, _ = activation.shape
    shown, colormap = thin(activation, most_pixels), options.colormap_from(float(extremes.lowest))
    drawn = draw_map(shown, channel, colormap, options.scale, extremes)
    ends = drawn.low, drawn.high
    return Picture(drawn.png, height, width, region, caption, cells, link, drawn.colormap, *ends)


def cells_of_windows(inspection: Inspection, window: Region) -> tuple[float, float, int, int] | None:
    """Return Picture.cells for the input of a layer: the cell whose window is centred nearest to a point."""
    layer, place = inspection.layer, inspection.place
    if layer.window is None:
        return None
    rows, columns = layer.window.strides
    top = window.top - place.row * rows + (window.height - rows) / 2
    left = window.left - place.column * columns + (window.width - columns) / 2
    return top, left, rows, columns


def link_to(source: str | None, channel: int) -> Link | None:
    """Return the link to a map that a layer reads; the image has none."""
    return None if source is None else Link(source, channel)


def name_map(inspection: Inspection, source: str, channel: int) -> str:
    """Return the caption of a map that the layer reads. The image's channels have names of their own."""
    if source != IMAGE:
        return f"{source}, map {channel}"
    names = channel_names(inspection.network.card)
    return f"the input, {names[channel]}" if len(names) > 1 else "the input"
