"""From a drawing to the array that a network takes."""

import numpy as np
from numpy.typing import NDArray

from app.cnn.card import Card, Fit, Ink
from app.cnn.preprocessing import colour_channels, to_levels, to_values
from app.cnn.types import Array
from app.imaging.drawing import DEFAULT_LIMITS, DrawingLimits, decode
from app.imaging.ink import normalise, read_ink
from app.imaging.resize import MIN_FREE_SIDE, ResizeMode, choose_size, pad, resize


def preprocess(drawing: bytes, card: Card, limits: DrawingLimits = DEFAULT_LIMITS) -> Array:
    """Turn a drawing into a network's input: (height, width, channels) float32, by its card's fit, range and channels.

    A side that the input leaves free is at least 32 pixels long, and at most 1,024 where ink is found at its own size,
    512 otherwise. limits: how large a drawing may be. Raises: app.imaging.drawing.InvalidDrawing.
    """
    find_levels = _ink_levels if card.finds_ink else _picture_levels
    return to_values(find_levels(drawing, card, limits), card)


def swap_ink_and_paper(image: Array, card: Card) -> Array:
    """Invert an input, (height, width, channels), within its card's value range. Alpha stays as it is."""
    colours = colour_channels(image.shape[2])
    levels = to_levels(image, card)
    levels[..., :colours] = 255 - levels[..., :colours]
    return to_values(levels, card)


def _ink_levels(drawing: bytes, card: Card, limits: DrawingLimits) -> NDArray[np.float32]:
    """Find the drawing's ink and paint it in grey: (height, width, channels), 0 to 255."""
    height, width, channels = card.input_shape
    ink = read_ink(drawing, limits)
    if card.fit is Fit.DIGIT:
        grey = normalise(ink, (height or 28, width or 28)).astype(np.float32)
    else:
        grey = pad(np.asarray(ink, dtype=np.float32), MIN_FREE_SIDE, paper=0)
    grey = grey if card.ink is Ink.BRIGHT else 255 - grey
    levels = np.full((*grey.shape, channels), 255, dtype=np.float32)
    levels[..., : colour_channels(channels)] = grey[..., np.newaxis]
    return levels


def _picture_levels(drawing: bytes, card: Card, limits: DrawingLimits) -> NDArray[np.uint8]:
    """Fit the picture to the input's size: (height, width, channels), 0 to 255."""
    height, width, channels = card.input_shape
    picture = decode(drawing, limits)
    # An input of any size takes the picture's own, so there is nothing to fit.
    placing = ResizeMode.FIT if card.fit in {Fit.ORIGINAL, Fit.DIGIT} else ResizeMode(card.fit)
    levels = resize(picture, choose_size(picture, height, width), placing, channels)
    if card.ink is Ink.DARK:
        return levels
    colours = colour_channels(channels)
    return np.concatenate([255 - levels[..., :colours], levels[..., colours:]], axis=2)
