"""The map under the microscope, in a picture and in words."""

import math
from dataclasses import replace

import numpy as np

from ...cnn.windows import Region
from ...imaging.colormap import OneMap, find_extremes, find_mean
from ..exploration import PAGE_PICTURE, as_maps, hold_scale
from ..inspection import Inspection, find_strongest
from ..large_layers import open_maps, reading
from ..look import Look
from .pictures import SAME_GRID, Picture, read_picture

_ROWS, _COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")


def draw_own_map(inspection: Inspection, options: Look) -> Picture:
    """Draw the selected map, or vector, with the cell marked."""
    place, name = inspection.place, inspection.layer.name
    activation = inspection.forward.activations[name]
    region = Region(place.row, place.column, place.row + 1, place.column + 1)
    extremes = options.find_extremes(name)
    if activation.ndim == 1:
        row = activation[np.newaxis, :, np.newaxis]
        return read_picture(inspection, row, 0, region, f"{name}, unit {place.column}", options, extremes, SAME_GRID)
    with reading(activation.size, *options.passes):
        colormap, scale, ends = hold_scale(inspection.layer, extremes, options)
    look = replace(options, colormap=colormap, signed=None, scale=scale)
    caption, channel, maps = f"{name}, map {place.channel}", place.channel, as_maps(activation)
    return read_picture(inspection, maps, channel, region, caption, look, ends, SAME_GRID, most_pixels=PAGE_PICTURE)


def describe_map(inspection: Inspection) -> str | None:
    """Say of the selected map in which ninth its largest absolute value lies, and its mean."""
    activation = inspection.forward.activations[inspection.layer.name]
    if activation.ndim == 1:
        return None
    with reading(activation.size, inspection.forward):
        cells = OneMap(open_maps(as_maps(activation), inspection.forward), inspection.place.channel)
        mean = find_mean(cells)
        if not math.isfinite(mean):
            return "some of its values are not finite"
        extremes = find_extremes(cells)
        if extremes.constant_count:
            return f"the same everywhere, {mean:.3g}"
        row, column = find_strongest(cells)
    height, width, _ = cells.shape
    places = (_ROWS[3 * row // height], _COLUMNS[3 * column // width])
    where = "middle" if places == ("middle", "middle") else " ".join(places)
    return f"strongest at the {where}, mean {mean:.3g}"
