"""One cell of one picture: how its value was made, drawn as the microscope draws it."""

from dataclasses import dataclass

import numpy as np

from ..cnn.cells import ConvolutionCell, ElementwiseCell, MovedCell, PoolingCell
from ..cnn.errors import require_few
from ..cnn.windows import Region
from ..explore.microscope import MAX_MATRIX_CELLS, ColouredNumber, Picture, TermView, colour_numbers
from ..imaging.colormap import Colormap, Extremes, Scale
from ..imaging.grid import draw_map
from .laboratory import NoCell, Stage
from .operation import LabCell, WindowCell
from .pictures import CHANNELS

_AROUND = 9  # pixels that are shown around a window, at least
_LEAST = 25  # pixels of such a part, across and down


@dataclass(frozen=True)
class Inspection:
    """One cell with its arithmetic. cell is None in the picture itself, where nothing was computed."""

    stage: Stage
    row: int
    column: int
    channel: int
    value: float
    region: Region | None  # what it reads of the step's input, padding counted
    cell: LabCell | None

    @property
    def channel_name(self) -> str:
        return CHANNELS[self.channel] if self.stage.channels > 1 else ""


def inspect(stage: Stage, row: int, column: int, channel: int = 0) -> Inspection:
    """Return the arithmetic of one cell. Raises: NoCell, TooManyNumbers."""
    (height, width), channels = stage.size, stage.channels
    if not (0 <= row < height and 0 <= column < width and 0 <= channel < channels):
        raise NoCell(
            f"There is no cell at row {row}, column {column}, channel {channel}: this picture has {height}×{width} of "
            f"them, and {channels} channel{'s' if channels > 1 else ''}. The first is 0."
        )
    value = float(stage.planes[channel, row, column])
    if stage.step is None or stage.before is None:
        return Inspection(stage, row, column, channel, value, None, None)
    region = stage.step.read_region(Region(row, column, row + 1, column + 1), stage.before.size)
    require_few(region.height * region.width)
    cell = stage.step.explain(stage.before.planes, stage.planes, (row, column, channel))
    if isinstance(cell, WindowCell | PoolingCell | ConvolutionCell):
        region = cell.window
    return Inspection(stage, row, column, channel, value, region, cell)


@dataclass(frozen=True)
class InspectionView:
    """Everything that the lab's microscope shows; the names are those of the explorer's."""

    inspection: Inspection
    own: Picture  # the cell, and what is around it
    sources: list[Picture]  # what it reads, and what is around that
    window: list[list[ColouredNumber]] | None  # of a pooling; None if it is too large to show
    weights: list[list[ColouredNumber]] | None
    terms: list[TermView]  # of a convolution: one
    more_terms: int = 0
    more_partial_sum: float = 0.0


def view_inspection(inspection: Inspection, signed: Colormap) -> InspectionView:
    """Draw an inspection."""
    stage, cell, channel = inspection.stage, inspection.cell, inspection.channel
    here = Region(inspection.row, inspection.column, inspection.row + 1, inspection.column + 1)
    own = _picture(stage, channel, here, signed, "this cell")
    if cell is None or stage.before is None or inspection.region is None:
        return InspectionView(inspection, own, [], None, None, [])
    source = _picture(stage.before, channel, inspection.region, signed, "what it reads")
    window = weights = None
    terms: list[TermView] = []
    ends, colormap = _ends(stage.before, channel, signed)
    if isinstance(cell, PoolingCell | WindowCell) and cell.inputs is not None and cell.inputs.size <= MAX_MATRIX_CELLS:
        window = colour_numbers(cell.inputs, ends, colormap)
        if isinstance(cell, WindowCell) and cell.weights is not None:
            weights = colour_numbers(cell.weights, (0.0, max(1e-9, float(np.nanmax(cell.weights)))), Colormap.GRAY)
    if isinstance(cell, ConvolutionCell):
        (term,) = cell.terms
        largest = float(np.abs(term.kernel).max())
        terms = [
            TermView(
                channel=0,
                input=source,
                inputs=colour_numbers(term.inputs, ends, colormap),
                kernel=colour_numbers(term.kernel, (-largest, largest), signed),
                result=None,
                partial_sum=term.partial_sum,
                steps=None,
            )
        ]
    assert not isinstance(cell, MovedCell)
    sources = [source] if not isinstance(cell, ElementwiseCell) or stage.before else []
    return InspectionView(inspection, own, sources, window, weights, terms)


def _ends(stage: Stage, channel: int, signed: Colormap) -> tuple[tuple[float, float], Colormap]:
    """Return the values at the ends of a picture's colours, and its colour map."""
    plane = stage.planes[channel]
    low, high = float(plane.min()), float(plane.max())
    return ((low, high), signed) if low < 0 else ((0.0, max(1.0, high)), Colormap.GRAY)


def _picture(stage: Stage, channel: int, region: Region, signed: Colormap, caption: str) -> Picture:
    """Draw the part of a channel around a region, one pixel a value."""
    (height, width), plane = stage.size, stage.planes[channel]
    margin = max(_AROUND, (_LEAST - max(region.height, region.width)) // 2)
    part = Region(region.top - margin, region.left - margin, region.bottom + margin, region.right + margin).clipped(
        stage.size
    )
    part = Region(min(part.top, height - 1), min(part.left, width - 1), max(part.bottom, 1), max(part.right, 1))
    (low, high), colormap = _ends(stage, channel, signed)
    values = np.ascontiguousarray(plane[part.top : part.bottom, part.left : part.right, np.newaxis])
    ends = Extremes(np.array([low], np.float32), np.array([high], np.float32))
    drawn = draw_map(values, 0, colormap, Scale.LAYER, ends)
    return Picture(drawn.png, part.height, part.width, region, caption, top=part.top, left=part.left)
