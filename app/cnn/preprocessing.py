"""From levels of grey or colour to the values that a model was trained on, and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .card import Card, ChannelOrder
from .types import Array

_WHITE = 255
_AT_ONCE = 2**18  # values that are made float64


def to_values(levels: NDArray[Any], card: Card) -> Array:
    """Turn levels into a model's input, by its card's channel order, value range, mean and std.

    levels: (height, width, channels) from 0 (black) to 255 (white); three are red, green, blue, a fourth is alpha.
    Returns: float32 of the same shape.
    """
    low, high = card.value_range
    ordered = _in_order(levels, card)
    made = np.empty(levels.shape, np.float32)
    channels = levels.shape[2]
    means, stds = (np.broadcast_to(each, channels) for each in (_mean(card), _std(card)))
    step = max(1, _AT_ONCE // levels.shape[1])
    for channel in range(channels):  # some rows of one at a time take little memory, however many there are
        for top in range(0, len(levels), step):
            rows = slice(top, top + step)
            # In float64, so that a level of 0 to 255 stays the whole number that it is.
            values = low + ordered[rows, :, channel].astype(np.float64) * (high - low) / _WHITE
            values = np.clip(values, min(low, high), max(low, high))
            made[rows, :, channel] = (values - means[channel]) / stds[channel]
    return made


def to_levels(image: Array, card: Card) -> NDArray[np.float64]:
    """Return the levels, 0 to 255, of these values: the inverse of to_values."""
    low, high = card.value_range
    values = image.astype(np.float64) * _std(card) + _mean(card)
    return _in_order((values - low) * _WHITE / (high - low), card)


def to_level_gradient(gradient: NDArray[np.float64], card: Card) -> NDArray[np.float64]:
    """Return the gradient of a number for an image's levels, given that for its values: the chain rule of to_values."""
    low, high = card.value_range
    return _in_order(gradient * (high - low) / (_WHITE * _std(card)), card)


def colour_channels(channels: int) -> int:
    """Return how many of an image's channels are luminance or colour: all but alpha, the second or the fourth."""
    return channels - 1 if channels in {2, 4} else channels


def channel_names(card: Card) -> list[str]:
    """Return the name of each channel of a model's input, where there is more than one."""
    channels = card.input_shape[2]
    colours = ["blue", "green", "red"] if card.channel_order is ChannelOrder.BGR else ["red", "green", "blue"]
    known = {1: [""], 2: ["luminance", "alpha"], 3: colours, 4: [*colours, "alpha"]}
    return known.get(channels, [f"channel {channel}" for channel in range(channels)])


def _in_order(levels: NDArray[Any], card: Card) -> NDArray[Any]:
    """Swap red and blue where the model has them so. It is its own inverse."""
    if card.channel_order is ChannelOrder.RGB or levels.shape[2] not in {3, 4}:
        return levels
    return levels[..., [2, 1, 0, 3][: levels.shape[2]]]


def _mean(card: Card) -> NDArray[np.float64]:
    return np.array(card.mean or 0.0)


def _std(card: Card) -> NDArray[np.float64]:
    return np.array(card.std or 1.0)
