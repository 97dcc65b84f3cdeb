"""The ink of digits on a photograph or a screenshot: on paper in uneven light, with other things around.

A drawing has one paper and nothing but ink; app.imaging.ink reads it without this.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from .components import Components, find_components
from .frames import are_frames

_SIDE = 400  # pixels of the picture in which things are looked for
_WINDOW = 0.22  # of the shorter side; a stroke is narrower, and so paper is what remains in a window
_DARKNESS = 30  # levels; in a darker place than this, less contrast is expected of ink, and more of it is noise
_SHARE = 0.45  # of the strongest contrast
_FAINT = 0.15  # the same of the lines of a box
_LEAST = 0.06  # contrast
_TRIES, _CANDIDATES = 3, 6
_REACHES = (0.25, 0.08)  # between the strokes of a digit, of its longer side
_NARROW = 0.9  # what a score weighs without what is a little further away
_LARGE = 0.3  # of the shorter side: the longest stroke of a digit that is not small
_ALIKE = 0.6  # of the best candidate's score and height: those of another digit
_BESIDE = 3  # pixels from a stroke, where its paper is

Levels = NDArray[np.float32]  # (height, width), 0 to 255
Contrast = NDArray[np.float32]  # (height, width): how much darker than its paper each pixel is, from 0 to 1
Mask = NDArray[np.bool_]  # (height, width)


def find_digit_ink(luminance: Image.Image) -> Image.Image | None:
    """Find the ink of the digits on a picture in mode L.

    Returns: a picture of the same size in mode L, 0 for paper and for all that is no digit, 255 for the strongest ink;
    None where nothing stands out.
    """
    factor = max(1, round(max(luminance.size) / _SIDE))
    # Where pixels are averaged there is little noise left; a median would wipe out hairlines.
    small = luminance.reduce(factor) if factor > 1 else luminance.filter(ImageFilter.MedianFilter(3))
    levels = np.asarray(small, np.float32)
    candidates = [*_find_strokes(_Ground(levels)), *_find_strokes(_Ground(255 - levels, is_inverted=True))]
    if not candidates:
        return None
    best = max(candidates, key=lambda each: each.score)
    mask = np.logical_or.reduce([each.mask for each in candidates if each.is_like(best)])
    if best.ground.is_inverted:
        luminance = ImageChops.invert(luminance)
    return _draw(best.ground, mask, luminance, factor)


class _Ground:
    """A picture whose ink is darker than its paper, with the paper that it would have without ink."""

    def __init__(self, levels: Levels, is_inverted: bool = False) -> None:
        """is_inverted: the picture was inverted for it, since its ink is brighter than its paper."""
        self.levels, self.is_inverted = levels, is_inverted
        self.low, self.high = -_dilate(-levels, 2 * _BESIDE + 1), _dilate(levels, 2 * _BESIDE + 1)
        self.paper = _close(levels, max(5, round(_WINDOW * min(levels.shape))))
        self.contrast = _contrast(levels, self.paper)


@dataclass(frozen=True)
class _Strokes:
    """What may be a digit, or several that are close to each other."""

    ground: _Ground
    mask: Mask
    score: float  # how much it looks like strokes of a pen

    @property
    def rows(self) -> tuple[int, int]:
        """The first row, and the one after the last."""
        rows = np.flatnonzero(self.mask.any(1))
        return int(rows[0]), int(rows[-1]) + 1

    def is_like(self, best: "_Strokes") -> bool:
        """Return whether it may be a digit beside another one: in the same rows, and nearly as much like strokes."""
        if self is best:
            return True
        if self.ground is not best.ground or self.score < _ALIKE * best.score or (self.mask & best.mask).any():
            return False
        (top, bottom), (best_top, best_bottom) = self.rows, best.rows
        shared = min(bottom, best_bottom) - max(top, best_top)
        return shared > _ALIKE * max(bottom - top, best_bottom - best_top)


def _find_strokes(ground: _Ground) -> Iterator[_Strokes]:
    """Find what may be digits. What is fainter than the strongest contrast is looked at after that."""
    contrast = _without_frames(ground.contrast)
    shortest = min(contrast.shape)
    for _ in range(_TRIES):
        strongest = float(contrast.max())
        if strongest < _LEAST:
            return
        components = find_components(contrast > max(_SHARE * strongest, _LEAST / 2))
        for chosen, weight in _choose(components, contrast):
            mask = components.mask(chosen)
            size = min(1.0, float(components.side[chosen].max()) / shortest / _LARGE)
            yield _Strokes(ground, mask, weight * size * _score(ground, mask))
        contrast[_grow(components.labels >= 0, 3)] = 0


def _without_frames(contrast: Contrast) -> Contrast:
    """Return the contrast without boxes around a digit, whose lines may be thinner and fainter than the digit's."""
    components = find_components(contrast > max(_FAINT * float(contrast.max()), _LEAST / 2))
    frames = are_frames(components)
    return np.where(_grow(components.mask(frames), 2), np.float32(0), contrast) if frames.any() else contrast.copy()


def _choose(components: Components, contrast: Contrast) -> Iterator[tuple[NDArray[np.bool_], float]]:
    """Choose groups of components that may be a digit each: a large one with what is near, and with what is very near.

    Yields: the group, and a weight for its score.
    """
    height, width = contrast.shape
    inside = (components.left > 0) & (components.top > 0) & (components.right < width) & (components.bottom < height)
    usable = inside & (components.area >= 6) & ~are_frames(components) & ~_are_lines(components)
    weights = np.where(usable, components.side * components.peaks(contrast), 0)
    weights[components.side < 0.06 * min(height, width)] = 0
    for _ in range(_CANDIDATES):
        if not weights.any():
            return
        first = int(weights.argmax())
        wide, narrow = (_gather(components, usable, first, reach) for reach in _REACHES)
        weights[wide] = 0
        yield wide, 1.0
        if (wide != narrow).any():
            yield narrow, _NARROW


def _are_lines(components: Components) -> NDArray[np.bool_]:
    """Tell which are lines of ruled paper: very long and thin."""
    height, width = components.labels.shape
    is_long = (components.width > 0.6 * width) | (components.height > 0.6 * height)
    return np.asarray(is_long & (np.minimum(components.width, components.height) < 0.12 * components.side))


def _gather(components: Components, usable: NDArray[np.bool_], first: int, reach: float) -> NDArray[np.bool_]:
    """Return the components near to the first one, and near to those. reach: of the longer side of what is gathered."""
    chosen = np.zeros(len(components), bool)
    chosen[first] = True
    while True:
        left, top = components.left[chosen].min(), components.top[chosen].min()
        right, bottom = components.right[chosen].max(), components.bottom[chosen].max()
        side = max(right - left, bottom - top)
        gap = np.maximum(
            np.maximum(components.left - right, left - components.right),
            np.maximum(components.top - bottom, top - components.bottom),
        )
        near = usable & (gap < reach * side) & (components.side > 0.08 * side)
        if (near <= chosen).all():
            return chosen
        chosen |= near


def _score(ground: _Ground, mask: Mask) -> float:
    """Return how much a mask looks like strokes: of another tone than their paper, thin, and with paper all around."""
    part = _box_around(mask, _BESIDE)
    levels, paper, mask = ground.levels[part], ground.paper[part], mask[part]
    ink, around = float(np.median(levels[mask])), float(np.median(paper[mask]))
    dark, bright = (255 - around, 255 - ink) if ground.is_inverted else (ink, around)
    outline = mask & ~_shrink(mask)
    thickness = 2 * np.count_nonzero(mask) / np.count_nonzero(outline)
    # A gap between strokes looks like a stroke of the other tone, but where it ends without a stroke it has no edge.
    beside = _grow(mask, _BESIDE) & ~_grow(mask, 1)
    low, high = ground.low[part][beside], ground.high[part][beside]
    edges = (levels[beside] > (low + high) / 2) & (high - low > 0.25 * (around - ink))
    return float(
        np.log((bright + 10) / (dark + 10)) * max(0.1, 1 - 2 * thickness / max(mask.shape)) * edges.mean() ** 2
    )


def _box_around(mask: Mask, margin: int) -> tuple[slice, slice]:
    """Return the rows and columns that hold a mask, and a margin."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return (
        slice(max(0, rows[0] - margin), rows[-1] + 1 + margin),
        slice(max(0, columns[0] - margin), columns[-1] + 1 + margin),
    )


def _draw(ground: _Ground, mask: Mask, luminance: Image.Image, factor: int) -> Image.Image:
    """Draw strokes in the detail of the whole picture, in mode L, which is `factor` times as large."""
    contrast = ground.contrast
    strongest = float(np.percentile(contrast[mask], 90))
    noise = float(np.median(np.abs(contrast - np.median(contrast))))
    near = _grow(mask, 2)
    if factor > 1:
        size = luminance.size
        box = (0, 0, size[0] / factor, size[1] / factor)
        paper = Image.fromarray(ground.paper).resize(size, Image.Resampling.BILINEAR, box)
        contrast = _contrast(np.asarray(luminance, np.float32), np.asarray(paper))
        near = np.asarray(Image.fromarray(near).resize(size, Image.Resampling.NEAREST, box))
    floor = min(max(4 * noise, 0.3 * strongest), 0.5 * strongest)
    strength = np.clip((contrast - floor) / (0.85 * strongest - floor), 0, 1) * near
    return Image.fromarray(np.rint(strength * 255).astype(np.uint8))


def _contrast(levels: Levels, paper: Levels) -> Contrast:
    return np.asarray((paper - levels) / (paper + _DARKNESS), np.float32)


def _close(levels: Levels, window: int) -> Levels:
    """Close with a square window: what is dark and narrower than the window gets the level of what is around it."""
    return -_dilate(-_dilate(levels, window), window)


def _dilate(levels: Levels, window: int) -> Levels:
    """Return the highest level in a square window around each pixel, where there is a picture."""
    for axis in (0, 1):
        levels = _running_maximum(levels, window // 2, axis)
    return levels


def _running_maximum(levels: Levels, radius: int, axis: int) -> Levels:
    """Return the maximum of each pixel and those within the radius along an axis, by doubling the reach."""
    length, widths = levels.shape[axis], [(0, 0), (0, 0)]
    widths[axis] = (radius, radius)
    found = np.moveaxis(np.pad(levels, widths, constant_values=-np.inf), axis, 0)
    reach, wanted = 1, 2 * radius + 1
    while reach < wanted:
        step = min(reach, wanted - reach)
        found = np.maximum(found[: len(found) - step], found[step:])
        reach += step
    return np.moveaxis(found[:length], 0, axis)


def _grow(mask: Mask, radius: int) -> Mask:
    return _dilate(mask.astype(np.float32), 2 * radius + 1) > 0


def _shrink(mask: Mask) -> Mask:
    """Return a mask without its outline."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1] = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    return inner
