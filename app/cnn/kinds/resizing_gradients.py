"""How a gradient goes back through an image that was resized: by the weight of each cell that was read.

The weights are those of tf.image.resize (TensorFlow's resize_bicubic_op.cc and scale_and_translate_op.cc).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..gradients import Gradients, Terms
from ..windows import Region

Doubles = NDArray[np.float64]
Kernel = Callable[[Doubles], Doubles]  # the weight of a cell at a distance

_OFFSETS = 1024  # between two cells, which bicubic interpolation tells apart
_CENTRE = 1e-3  # a distance at which Lanczos' kernel is taken to be 1


class Fitting(NamedTuple):
    """What is done to an image before it is resized: a part is cut out of it, or a border is put around it."""

    crop: Region  # of the image
    border: tuple[int, int] = (0, 0)  # rows above and below, columns left and right


def crop_to_ratio(size: tuple[int, int], wanted: tuple[int, int]) -> Fitting:
    """Return the middle of an image that has the ratio of the size that is wanted, as Keras rounds it."""
    (height, width), (rows, columns) = size, wanted
    cropped = max(1, min(height, _ratio(width, rows, columns))), max(1, min(width, _ratio(height, columns, rows)))
    top, left = (height - cropped[0]) // 2, (width - cropped[1]) // 2
    return Fitting(Region(top, left, top + cropped[0], left + cropped[1]))


def pad_to_ratio(size: tuple[int, int], wanted: tuple[int, int]) -> Fitting:
    """Return the border by which an image gets the ratio of the size that is wanted, as Keras rounds it."""
    (height, width), (rows, columns) = size, wanted
    above = (max(height, _ratio(width, rows, columns)) - height) // 2
    before = (max(width, _ratio(height, columns, rows)) - width) // 2
    return Fitting(Region(0, 0, height, width), (above, before))


def _ratio(side: int, wanted: int, other: int) -> int:
    return int(np.float32(side * wanted) / np.float32(other))


def pass_resizing(
    gradients: Gradients, size: tuple[int, int], interpolation: str, antialias: bool = False
) -> Gradients:
    """Return the gradients of an image of this size, for those of the resized one."""
    rows, columns = (
        find_weights(interpolation, read, made, antialias).astype(gradients.dtype)
        for read, made in zip(size, gradients.shape[1:3], strict=True)
    )
    across = np.tensordot(gradients, columns, (2, 0))  # (several, rows, channels, columns read)
    return np.tensordot(across, rows, (1, 0)).transpose(0, 3, 2, 1)


def pass_fitted(
    gradients: Gradients, size: tuple[int, int], fitting: Fitting, interpolation: str, antialias: bool = False
) -> tuple[Gradients, Terms]:
    """Return the gradients of an image that was fitted before it was resized, and the sums of those of its border.

    Returns: (several, *size, channels), and (several,).
    """
    (top, left, bottom, right), (above, before) = fitting.crop, fitting.border
    height, width = bottom - top, right - left
    fitted = pass_resizing(gradients, (height + 2 * above, width + 2 * before), interpolation, antialias)
    inner = fitted[:, above : above + height, before : before + width]
    around = fitted.sum(axis=(1, 2, 3), dtype=np.float64) - inner.sum(axis=(1, 2, 3), dtype=np.float64)
    return np.pad(inner, ((0, 0), (top, size[0] - bottom), (left, size[1] - right), (0, 0))), around


def find_weights(interpolation: str, read: int, made: int, antialias: bool = False) -> Doubles:
    """Return the weight of each cell that is read in each that is made, along one axis: (made, read)."""
    if interpolation in _KERNELS and (antialias or interpolation not in _PLAIN):
        return _translate(read, made, _KERNELS[interpolation], antialias)
    return _PLAIN[interpolation](read, made)


def _nearest(read: int, made: int) -> Doubles:
    centres = (np.arange(made) + 0.5) * read / made
    return np.eye(read)[np.minimum(centres.astype(np.intp), read - 1)]


def _bilinear(read: int, made: int) -> Doubles:
    """Return weights where the two cells on either side share by their distances; at the border, the last has all."""
    centres = np.clip((np.arange(made) + 0.5) * read / made - 0.5, 0, read - 1)
    first = np.minimum(centres.astype(np.intp), max(read - 2, 0))
    share = (centres - first)[:, np.newaxis]
    cells = np.eye(read)
    return cells[first] * (1 - share) + cells[np.minimum(first + 1, read - 1)] * share


def _bicubic(read: int, made: int) -> Doubles:
    """Return Keys' weights of the four cells around each place, which TensorFlow rounds to 1/1024 of a cell."""
    centres = (np.arange(made, dtype=np.float32) + np.float32(0.5)) * np.float32(read / made) - np.float32(0.5)
    first = np.floor(centres)
    offsets = np.rint((centres - first) * np.float32(_OFFSETS)) / _OFFSETS
    return _normalise(_keys(np.abs(np.arange(read) - (first + offsets)[:, np.newaxis])))


def _keys(distance: Doubles) -> Doubles:
    """Return the cubic kernel of Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


def _triangle(distance: Doubles) -> Doubles:
    return np.maximum(1 - distance, 0.0)


def _lanczos(radius: int) -> Kernel:
    """Return the kernel of Lanczos: sinc, in the middle lobe of another one that is wider (Duchon, 1979)."""

    def kernel(distance: Doubles) -> Doubles:
        x = np.maximum(distance, _CENTRE)
        lobes = radius * np.sin(np.pi * x) * np.sin(np.pi * x / radius) / (np.pi * x) ** 2
        return np.where(distance <= _CENTRE, 1.0, np.where(distance <= radius, lobes, 0.0))

    return kernel


def _translate(read: int, made: int, kernel: Kernel, antialias: bool) -> Doubles:
    """Return the weights of all cells that the kernel reaches, which is wider where an image is made smaller."""
    width = max(read / made, 1.0) if antialias else 1.0
    places = (np.arange(made) + 0.5)[:, np.newaxis] * read / made
    return _normalise(kernel(np.abs(np.arange(read) + 0.5 - places) / width))


def _normalise(weights: Doubles) -> Doubles:
    return weights / weights.sum(axis=1, keepdims=True)


_PLAIN: dict[str, Callable[[int, int], Doubles]] = {"nearest": _nearest, "bilinear": _bilinear, "bicubic": _bicubic}
_KERNELS: dict[str, Kernel] = {
    "bilinear": _triangle,
    "bicubic": _keys,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}
