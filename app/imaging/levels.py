"""Grey levels of more than 8 bits brought to 8, by the range that a picture really uses.

A scanner of 12 bits writes 0 to 4095 into files of 16, which would all be black if 65,535 were white.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_WHITES = (2**8 - 1, 2**10 - 1, 2**12 - 1, 2**14 - 1, 2**16 - 1)  # of the depths that devices have
_WHITES_OF_UPPER_BITS = (2**4 - 1, 2**6 - 1)  # of 12 and 14 bits in 16
_LEAST_RANGE = 1 / 8  # of what is white; a picture that uses less is stretched
# How many times the difference of neighbours a picture's levels range over, if it is no noise: noise alone has 7.
_LEAST_RATIO = 10
_USED = (0.1, 99.9)  # percentiles, so that a few hot pixels are no range
_MOST_SAMPLES = 2**20  # pixels


def to_8_bits(levels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Bring grey levels to 0..255.

    White is the largest level of the least depth (8, 10, 12, 14 or 16 bits) that holds them all; for floating point, 1
    if all are from 0 to 1. What uses less than an eighth of that is stretched. A picture that may be noise in the dark,
    since its neighbouring pixels differ nearly as much as its darkest and brightest do, is taken as it is:
    of 16 bits.

    levels: (height, width), integers or floating point. What is not finite is 0.
    """
    is_floating = levels.dtype.kind == "f"
    values = levels.astype(np.float32)
    if is_floating and not np.isfinite(values.min() + values.max()):
        values[~np.isfinite(values)] = 0
    low, high = float(values.min()), float(values.max())
    white = _white(low, high, is_floating)
    if white is None:  # negative, or of 32 bits: no convention says what is white
        return _scale(values, low, high)
    is_clear = _is_clear(values, least_step=white / _WHITES[-1] if is_floating else 1)
    if is_clear and high - low < _LEAST_RANGE * white:
        return _scale(values, low, high)
    return _scale(values, 0, white if is_clear or is_floating else _WHITES[-1])


def widen(picture: Image.Image) -> Image.Image:
    """Widen the colours of a picture of 16 bits a channel, of which Pillow keeps the upper 8, if they use 6 at most."""
    pixels = np.array(picture)
    colours = pixels[..., :-1] if picture.mode.endswith("A") else pixels
    brightest = int(colours.max(initial=0))
    white = next((each for each in _WHITES_OF_UPPER_BITS if brightest <= each), 255)
    if white == 255 or brightest == 0:
        return picture
    colours[:] = np.rint(colours * (255 / white))
    return Image.fromarray(pixels, picture.mode)


def _white(low: float, high: float, is_floating: bool) -> float | None:
    """Return the level that is white; None if no convention says which."""
    if low < 0 or high > _WHITES[-1]:
        return None
    if is_floating and high <= 1:
        return 1.0
    return next(white for white in _WHITES if high <= white)


def _is_clear(values: NDArray[np.float32], least_step: float) -> bool:
    """Return whether levels range over more than noise does. least_step: the least difference that levels can have."""
    rows = values[:: max(1, values.size // _MOST_SAMPLES)]
    low, high = np.percentile(rows, _USED)
    differences = np.abs(np.diff(rows, axis=1))
    step = max(least_step, float(np.median(differences)) if differences.size else 0)
    return bool(high - low >= _LEAST_RATIO * step)


def _scale(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Map low to 0 and high to 255. The values are overwritten: there may be millions."""
    values -= np.float32(low)
    values *= np.float32(255 / ((high - low) or 1))
    np.clip(values, 0, 255, out=values)
    result: NDArray[np.uint8] = np.rint(values, out=values).astype(np.uint8)
    return result
