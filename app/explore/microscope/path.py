"""The receptive field, marked on the image and on every layer on the way to it."""

import math
from itertools import accumulate

import numpy as np

from ...cnn.receptive_field import IMAGE
from ...cnn.windows import Region
from ...imaging.colormap import Values, cut_blocks
from ..exploration import RenderOptions, as_maps, draw_image
from ..inspection import Inspection
from ..large_layers import open_maps, reading
from ..look import Look, average_maps
from .pictures import SMALL_PICTURE, Link, Picture, read_picture

_MOST_PATH_PIXELS = 2**22  # of the pictures of a receptive field


def draw_path(inspection: Inspection, options: Look) -> list[Picture]:
    """Draw the receptive field on the image and on the layers up to this one, on the mean of each layer's maps."""
    pictures = []
    for name in path_layers(inspection, _MOST_PATH_PIXELS // len(options.forwards)):
        region = inspection.regions[name]
        activation = inspection.forward.image if name == IMAGE else inspection.forward.activations[name]
        if name == IMAGE and activation.shape[2] in {3, 4}:
            png = draw_image(activation, inspection.network.card, SMALL_PICTURE)
            height, width, _ = activation.shape
            pictures.append(Picture(png, height, width, region, "input, in colour"))
            continue
        activation = as_maps(activation)
        with reading(activation.size, inspection.forward):
            values = open_maps(activation, inspection.forward)
            mean = average_maps(values) if activation.shape[2] > 1 else activation
            link = None if name == IMAGE else Link(name, _strongest_channel(values, region))
        maps = f", mean of {activation.shape[2]} maps" if activation.shape[2] > 1 else ""
        look, extremes = RenderOptions(options.colormap, scale=options.scale), options.find_extremes(name, of_mean=True)
        caption = f"{name or 'input'}{maps}"
        pictures.append(read_picture(inspection, mean, 0, region, caption, look, extremes, link=link))
    return pictures


def path_layers(inspection: Inspection, most_pixels: int | None = None) -> list[str]:
    """Return the layers, and the image, on which the receptive field is drawn.

    most_pixels: of their pictures. Where that is too few for all, the image and the layers next to this one are kept.
    """
    sizes = {}
    for name in inspection.regions:  # the image, then from this layer back
        activation = inspection.forward.image if name == IMAGE else inspection.forward.activations[name]
        if name != inspection.layer.name and activation.ndim > 1:
            sizes[name] = min(SMALL_PICTURE, math.prod(activation.shape[:2]))
    sums = zip(sizes, accumulate(sizes.values()), strict=True)
    kept = [name for name, pixels in sums if most_pixels is None or pixels <= most_pixels or name == IMAGE]
    return kept[::-1]


def _strongest_channel(activation: Values, region: Region) -> int:
    """Return the map with the largest absolute value within a region, which may lie in the padding alone."""
    height, width, channels = activation.shape
    top, left, bottom, right = region.clipped((height, width))
    if top >= bottom or left >= right:
        return 0
    strongest = np.zeros(channels, dtype=np.float32)
    for rows, columns, maps in cut_blocks((bottom - top, right - left, channels)):
        down = slice(top + rows.start, top + rows.stop)
        across = slice(left + columns.start, left + columns.stop)
        window = activation[down, across, maps]
        np.maximum(strongest[maps], np.abs(window).max(axis=(0, 1)), out=strongest[maps])
    return int(strongest.argmax())
