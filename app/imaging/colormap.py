"""Colour maps as tables of 256 colours, and the levels of values on them."""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .encoding import encode_palette

# Matplotlib's tables (viridis, magma: Smith and van der Walt, CC0; cividis: Nuñez, Anderton and Renslow, CC0; gray;
# berlin: Crameri, MIT), 256 RGB colours each in hexadecimal.
_TABLES: dict[str, str] = json.loads(Path(__file__).with_name("colormaps.json").read_text(encoding="ascii"))

LEVELS = 255  # colours of a picture; a palette has 256, and one of them is for the gaps


class Colormap(StrEnum):
    """Perceptually uniform colour maps. All are sequential but berlin: diverging, dark at 0, blue below, red above."""

    VIRIDIS = "viridis"
    CIVIDIS = "cividis"
    MAGMA = "magma"
    GRAY = "gray"
    BERLIN = "berlin"

    @property
    def diverging(self) -> bool:
        return self is Colormap.BERLIN


@cache
def colours(colormap: Colormap) -> NDArray[np.uint8]:
    """Return the colour of each level, lowest first: (LEVELS, 3) uint8, RGB."""
    table: NDArray[np.uint8] = np.frombuffer(bytes.fromhex(_TABLES[colormap]), dtype=np.uint8).reshape(256, 3)
    levels: NDArray[np.uint8] = table[np.round(np.linspace(0, 255, LEVELS)).astype(int)]
    return levels


@cache
def legend(colormap: Colormap) -> bytes:
    """Return a PNG of all levels in one row, lowest at the left: LEVELS × 1 pixels."""
    levels = np.arange(LEVELS, dtype=np.uint8)[np.newaxis]
    return encode_palette(levels, colours(colormap).tobytes())


# Beyond these, arithmetic with the values of a map overflows float32.
_TINY, _HUGE = np.float32(1e-30), np.float32(1e30)

_ALL_MAPS = slice(None)


class Scale(StrEnum):
    """The values at the ends of the colour map: the extremes of the whole layer, or of each map by itself."""

    LAYER = "layer"
    MAP = "map"


@dataclass(frozen=True)
class Extremes:
    """The lowest and highest value of each map, (channels,). NaN for a map that has a NaN."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @cached_property
    def lowest(self) -> np.float32:
        """The lowest value of all maps."""
        return np.float32(self.low.min())

    @cached_property
    def highest(self) -> np.float32:
        """The highest value of all maps."""
        return np.float32(self.high.max())


def find_extremes(activation: NDArray[np.float32]) -> Extremes:
    """Return the extremes of each map of an activation, (height, width, channels)."""
    # One axis at a time is several times as fast as both at once: NumPy then compares whole rows.
    return Extremes(activation.min(axis=0).min(axis=0), activation.max(axis=0).max(axis=0))


def quantise(
    activation: NDArray[np.float32],
    colormap: Colormap,
    scale: Scale,
    extremes: Extremes | None = None,
    maps: slice = _ALL_MAPS,
) -> tuple[NDArray[np.uint8], float | None, float | None]:
    """Return the level of each value, (height, width, maps) uint8 below LEVELS, and the values at both ends.

    The ends are None with Scale.MAP, where each map has its own. A diverging colour map is symmetric about zero. Values
    that are not finite, or beyond ±1e30, get the level of the lowest of the others.

    activation: (height, width, channels). extremes: the activation's, if they are known already. maps: those to
    quantise; with Scale.LAYER the ends are still those of the whole activation.
    """
    axes = (0, 1) if scale is Scale.MAP else None
    extremes = extremes or find_extremes(activation)
    low: Any = extremes.low if axes else extremes.lowest
    high: Any = extremes.high if axes else extremes.highest
    if not (np.abs(low) < _HUGE).all() or not (np.abs(high) < _HUGE).all():
        usable = np.abs(activation) < _HUGE
        lowest = np.min(activation, axis=axes, where=usable, initial=_HUGE)
        activation = np.where(usable, activation, np.where(lowest < _HUGE, lowest, 0))
        low, high = activation.min(axis=axes), activation.max(axis=axes)
    if colormap.diverging:
        high = np.maximum(np.maximum(np.abs(low), np.abs(high)), _TINY)
        low = -high
    if axes:
        low, high = low[maps], high[maps]
    span = np.maximum(high - low, _TINY)
    scaled = activation[:, :, maps] - low
    scaled *= (LEVELS - 1) / span
    scaled += 0.5
    levels = scaled.astype(np.uint8)
    return (levels, None, None) if axes else (levels, float(low), float(high))
