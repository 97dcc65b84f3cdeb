"""Pictures as scripts have them: files, bytes, Pillow's images and arrays. All of them become a file's bytes."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..imaging.encoding import encode_image

Picture = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]

_CHANNELS = "(height, width) or (height, width, 1) for grey, (height, width, 3) for RGB, (height, width, 4) for RGBA"


class InvalidPicture(ValueError):
    """What was given is no picture. The message says what is."""


def read_picture(picture: Picture) -> bytes:
    """Return a picture as the bytes of a file, which are read as those that a page sends.

    picture: the path of a file; a file's bytes; one of Pillow's images; or an array, (height, width) or (height, width,
    channels) with 1, 3 or 4 channels. Of integers it goes from 0 (black) to 255 (white), of floats from 0 to 1, rounded
    to the nearest of 256 levels; True is white.
    Raises: InvalidPicture; OSError for a file that cannot be read.
    """
    if isinstance(picture, bytes | bytearray | memoryview):
        return bytes(picture)
    if isinstance(picture, str | os.PathLike):
        return Path(picture).expanduser().read_bytes()
    if isinstance(picture, Image.Image):
        return encode_image(picture)
    if hasattr(picture, "__array__"):  # a tensor, too
        return encode_image(Image.fromarray(_to_levels(np.asarray(picture))))
    raise InvalidPicture(
        f"A {type(picture).__name__} is no picture: give a path, a file's bytes, an image of Pillow, or an array."
    )


def name_picture(picture: object, number: int) -> str:
    """Return a name for a picture: its file's, without the ending, or else its number, from 0."""
    return Path(picture).stem if isinstance(picture, str | os.PathLike) else str(number)


def _to_levels(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an array as levels, (height, width) or (height, width, channels), 0 to 255. Raises: InvalidPicture."""
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {1, 3, 4})) or 0 in array.shape:
        several = " Give several pictures as a list." if array.ndim == 4 else ""
        raise InvalidPicture(f"An array of shape {array.shape} is no picture: it is {_CHANNELS}.{several}")
    plane = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if plane.dtype == bool:
        return plane.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(plane.dtype, np.integer):
        _require_range(plane, "integers", 255)
        return plane.astype(np.uint8)
    if np.issubdtype(plane.dtype, np.floating):
        _require_range(plane, "floats", 1)
        return np.rint(plane.astype(np.float64) * 255).astype(np.uint8)
    raise InvalidPicture(f"An array of {plane.dtype} is no picture: give integers, floats or bool.")


def _require_range(array: NDArray[Any], kind: str, white: int) -> None:
    """Check that all values lie between black and white. Raises: InvalidPicture, also for NaN."""
    lowest, highest = array.min(), array.max()
    if not (lowest >= 0 and highest <= white):
        raise InvalidPicture(
            f"An array of {kind} goes from 0 (black) to {white} (white). This one goes from {lowest:g} to {highest:g}."
        )
