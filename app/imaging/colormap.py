"""Colour maps as tables of 256 colours, and the levels of values on them."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property, reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .encoding import encode_palette
from .mapped import Block, Mapped

# Matplotlib's tables (viridis, magma: Smith and van der Walt, CC0; cividis: Nuñez, Anderton and Renslow, CC0; gray;
# berlin: Crameri, MIT; rdbu: its RdBu reversed, Brewer, Harrower and the Pennsylvania State University, Apache-2.0),
# 256 RGB colours each in hexadecimal.
_TABLES: dict[str, str] = json.loads(Path(__file__).with_name("colormaps.json").read_text(encoding="ascii"))

LEVELS = 255  # colours of a picture; a palette has 256, and one of them is for the gaps


class Colormap(StrEnum):
    """Colour maps. All are sequential but berlin, dark at 0, and rdbu, bright at 0: both blue below and red above."""

    VIRIDIS = "viridis"
    CIVIDIS = "cividis"
    MAGMA = "magma"
    GRAY = "gray"
    BERLIN = "berlin"
    RDBU = "rdbu"

    @property
    def diverging(self) -> bool:
        return self in {Colormap.BERLIN, Colormap.RDBU}


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

_NAMED = 1000  # constant maps

_ALL_MAPS = slice(None)
_WHOLE = (slice(None), slice(None), slice(None))


class Scale(StrEnum):
    """The values at the ends of the colour map: the extremes of the whole layer, or of each map by itself.

    With HOLD they are those of the whole layer under the pooling that the network was trained with, whichever it is run
    with: a colour means the same value in all of them. What lies beyond the ends has the colour of the end.
    """

    HOLD = "hold"
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

    @cached_property
    def constant_count(self) -> int:
        """The number of maps that have the same value everywhere."""
        return int(np.count_nonzero(self.low == self.high))

    @cached_property
    def constant_maps(self) -> list[int]:
        """The first of these maps, a thousand at most."""
        return [int(channel) for channel in np.flatnonzero(self.low == self.high)[:_NAMED]]

    def summarise(self) -> "Extremes":
        """Return the same without the extremes of each map, which may be millions."""
        known = {name: getattr(self, name) for name in ("lowest", "highest", "constant_count", "constant_maps")}
        summary = Extremes(np.empty(0, np.float32), np.empty(0, np.float32))
        vars(summary).update(known)  # as if they had been asked for already
        return summary


# Numbers that are worked on at once: what a layer of any size needs beside its picture is a few of these.
_BLOCK = 2**18


def cut_blocks(shape: tuple[int, ...], multiple: int = 1) -> Iterator[Block]:
    """Cut an activation of this shape, (height, width, channels), into blocks in the order of its numbers in memory.

    multiple: each block begins with a channel whose number is a multiple of this.
    """
    height, width, channels = shape
    deep = min(channels, max(1, _BLOCK // multiple) * multiple)
    wide = min(width, max(1, _BLOCK // deep))
    high = min(height, max(1, _BLOCK // (deep * wide)))
    for top in range(0, height, high):
        for left in range(0, width, wide):
            for first in range(0, channels, deep):
                yield (
                    slice(top, min(top + high, height)),
                    slice(left, min(left + wide, width)),
                    slice(first, min(first + deep, channels)),
                )


@dataclass(frozen=True)
class Difference:
    """One activation minus another of its shape, (height, width, channels), computed where it is asked for."""

    first: "Values"
    second: "Values"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.first.shape

    def __getitem__(self, block: Block) -> NDArray[np.float32]:
        with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity
            return self.first[block] - self.second[block]


@dataclass(frozen=True)
class OneMap:
    """One map of an activation, (height, width, 1), read where it is asked for."""

    values: "Values"
    channel: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.values.shape[:2], 1)

    def __getitem__(self, block: Block) -> NDArray[np.float32]:
        rows, columns, _ = block  # the channels are the only one
        return self.values[rows, columns, slice(self.channel, self.channel + 1)]


@dataclass(frozen=True)
class Thinned:
    """Every so many rows and columns of an activation, read where they are asked for."""

    values: "Values"
    step: int

    @property
    def shape(self) -> tuple[int, ...]:
        height, width, channels = self.values.shape
        return -(-height // self.step), -(-width // self.step), channels

    def __getitem__(self, block: Block) -> NDArray[np.float32]:
        rows, columns, maps = block
        left, right, _ = columns.indices(self.shape[1])
        across = slice(left * self.step, (right - 1) * self.step + 1)
        down = (row * self.step for row in range(*rows.indices(self.shape[0])))
        return np.concatenate([self.values[slice(row, row + 1), across, maps][:, :: self.step] for row in down])


def thin(activation: "Values", most_cells: int) -> "Values":
    """Return an activation, (height, width, channels), with so few rows and columns that its maps have few cells."""
    height, width, _ = activation.shape
    step = math.ceil(math.sqrt(height * width / most_cells))
    return activation if step <= 1 else Thinned(activation, step)


Values = NDArray[np.float32] | Difference | Mapped | OneMap | Thinned  # (height, width, channels)


def find_extremes(activation: Values) -> Extremes:
    """Return the extremes of each map of an activation, (height, width, channels)."""
    height, width, channels = activation.shape
    if height * width * channels <= _BLOCK:
        return _extremes_of_block(activation[_WHOLE])
    if height * width == 1:
        only = _read_cell(activation)
        return Extremes(only, only)
    low, high = (np.full(channels, end, dtype=np.float32) for end in (np.inf, -np.inf))
    for block in cut_blocks(activation.shape):
        extremes, maps = _extremes_of_block(activation[block]), block[2]
        np.minimum(low[maps], extremes.low, out=low[maps])
        np.maximum(high[maps], extremes.high, out=high[maps])
    return Extremes(low, high)


def _read_cell(activation: Values) -> NDArray[np.float32]:
    """Return all maps of an activation of a single cell, (channels,)."""
    if isinstance(activation, np.ndarray):
        return np.asarray(activation[0, 0])
    return np.concatenate([activation[block][0, 0] for block in cut_blocks(activation.shape)])


def _extremes_of_block(values: NDArray[np.float32]) -> Extremes:
    # One axis at a time is several times as fast as both at once: NumPy then compares whole rows.
    return Extremes(values.min(axis=0).min(axis=0), values.max(axis=0).max(axis=0))


def find_mean(activation: Values) -> float:
    """Return the mean of all values of an activation, (height, width, channels)."""
    total = sum(float(activation[block].sum(dtype=np.float64)) for block in cut_blocks(activation.shape))
    return total / math.prod(activation.shape)


def join_extremes(several: Sequence[Extremes]) -> Extremes:
    """Return the extremes of each map over several activations of one shape."""
    if len(several) == 1:
        return several[0]
    return Extremes(
        reduce(np.minimum, (extremes.low for extremes in several)),
        reduce(np.maximum, (extremes.high for extremes in several)),
    )


@dataclass(frozen=True)
class Levelling:
    """What turns values into levels: the value of level 0, and levels for each 1 above it. See find_levelling.

    With Scale.MAP they are arrays, (channels,), as is the stand-in: the value for those that are not finite or beyond
    ±1e30, None where there are none. low, high: the values at both ends; None with Scale.MAP.
    """

    start: Any
    factor: Any
    stand_in: Any
    low: float | None
    high: float | None
    clips: bool = False  # some values may lie beyond the ends

    def levels(self, values: NDArray[np.float32], maps: slice) -> NDArray[np.uint8]:
        """Return the level of each value, (height, width, maps). maps: those that the values are of."""
        start, factor, stand_in = self.start, self.factor, self.stand_in
        if self.low is None:
            start, factor, stand_in = start[maps], factor[maps], None if stand_in is None else stand_in[maps]
        if stand_in is not None:
            values = np.where(np.abs(values) < _HUGE, values, stand_in)
        scaled = values - start
        scaled *= factor
        scaled += 0.5
        if self.clips:
            np.clip(scaled, 0, LEVELS - 1, out=scaled)
        levels: NDArray[np.uint8] = scaled.astype(np.uint8)
        return levels


def find_levelling(
    activations: Sequence[Values], colormap: Colormap, scale: Scale, extremes: Extremes | None = None
) -> Levelling:
    """Find the levels of several activations of one shape, (height, width, channels), on a common scale.

    A diverging colour map is symmetric about zero. Values that are not finite, or beyond ±1e30, get the level of the
    lowest of the others. extremes: those of all activations, if they are known already; with Scale.HOLD those that are
    held.
    """
    by_map = scale is Scale.MAP
    extremes = extremes or join_extremes([find_extremes(each) for each in activations])
    low: Any = extremes.low if by_map else extremes.lowest
    high: Any = extremes.high if by_map else extremes.highest
    stand_in = None
    if not (np.abs(low) < _HUGE).all() or not (np.abs(high) < _HUGE).all():
        low, high = _find_usable_extremes(activations, by_map)
        stand_in = low
    if colormap.diverging:
        high = np.maximum(np.maximum(np.abs(low), np.abs(high)), _TINY)
        low = -high
    factor = (LEVELS - 1) / np.maximum(high - low, _TINY)
    lowest, highest = (None, None) if by_map else (float(low), float(high))
    return Levelling(low, factor, stand_in, lowest, highest, clips=scale is Scale.HOLD)


def _find_usable_extremes(activations: Sequence[Values], by_map: bool) -> tuple[Any, Any]:
    """Return the extremes of the values within ±1e30, of each map or of all; 0 where there are none."""
    axes, size = ((0, 1), activations[0].shape[2:]) if by_map else (None, ())
    low, high = np.full(size, _HUGE), np.full(size, -_HUGE)
    for activation in activations:
        for block in cut_blocks(activation.shape):
            values, place = activation[block], block[2] if by_map else ...
            usable = np.abs(values) < _HUGE
            low[place] = np.minimum(low[place], np.min(values, axis=axes, where=usable, initial=_HUGE))
            high[place] = np.maximum(high[place], np.max(values, axis=axes, where=usable, initial=-_HUGE))
    has_values = low < _HUGE
    return np.where(has_values, low, 0), np.where(has_values, high, 0)


def quantise(
    activation: NDArray[np.float32],
    colormap: Colormap,
    scale: Scale,
    extremes: Extremes | None = None,
    maps: slice = _ALL_MAPS,
) -> tuple[NDArray[np.uint8], float | None, float | None]:
    """Return the level of each value, (height, width, maps) uint8 below LEVELS, and the values at both ends.

    The ends are None with Scale.MAP, where each map has its own. See find_levelling.

    activation: (height, width, channels). extremes: the activation's, if they are known already. maps: those to
    quantise; with Scale.LAYER the ends are still those of the whole activation.
    """
    levelling = find_levelling([activation], colormap, scale, extremes)
    shown = activation[:, :, maps]
    levels = np.empty(shown.shape, dtype=np.uint8)
    for block in cut_blocks(shown.shape):
        levels[block] = levelling.levels(shown[block], shift(block, maps.start or 0)[2])
    return levels, levelling.low, levelling.high


def shift(block: Block, first: int) -> Block:
    """Return the block of an activation for one of its maps from `first` on."""
    rows, columns, maps = block
    return rows, columns, slice(maps.start + first, maps.stop + first)
