"""Boxes that are drawn around a digit."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .components import Components, find_components

_BAND = 0.15  # of a box's height or width: its side lies within, even if it is turned or drawn by hand
_COVERED = 0.85  # of a box's sides; of a round digit's, 0.71
_LEAST_SIDE = 20  # pixels
_CONTENT = 0.2  # of a box's longer side: that of the smallest thing in it that makes it a box


def remove_frames(ink: Image.Image) -> Image.Image:
    """Return the ink, a picture in mode L, without boxes around the rest of it."""
    box = ink.getbbox()
    if box is None or not _has_four_sides(np.asarray(ink.crop(box)) > 0):
        return ink
    levels = np.asarray(ink)
    components = find_components(levels > 0)
    frames = are_frames(components)
    if not frames.any():
        return ink
    return Image.fromarray(np.where(components.mask(frames), 0, levels).astype(np.uint8))


def are_frames(components: Components) -> NDArray[np.bool_]:
    """Tell which components are boxes around others: (components,)."""
    frames = np.zeros(len(components), bool)
    hollow = components.area < 0.5 * components.width * components.height
    for index in np.flatnonzero((components.side > _LEAST_SIDE) & hollow):
        left, top, right, bottom = components.box(int(index))
        within = (components.left > left) & (components.top > top)
        within &= (components.right < right) & (components.bottom < bottom)
        if (within & (components.side > _CONTENT * components.side[index])).any():
            frames[index] = _has_four_sides(components.labels[top:bottom, left:right] == index)
    return frames


def _has_four_sides(mask: NDArray[np.bool_]) -> bool:
    """Return whether a mask, (height, width), has a line along each of its four sides."""
    across, down = (max(2, round(_BAND * side)) for side in mask.shape)
    sides = ((mask[:across], 0), (mask[-across:], 0), (mask[:, :down], 1), (mask[:, -down:], 1))
    return all(side.any(axis).mean() > _COVERED for side, axis in sides)  # mostly decided by the first
