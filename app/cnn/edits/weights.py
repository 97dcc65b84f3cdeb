"""Weights that are set by hand: a kernel, a bias, a single number."""

import math
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from ..errors import InvalidEdit
from ..kinds import Layer
from .edit import Edit, malformed
from .maps import map_word, require_map
from .numbers import read_number, read_whole, write_number
from .workpiece import Workpiece, require_editable


@dataclass(frozen=True)
class SetBias(Edit, verb="bias", form="bias:LAYER.MAP=NUMBER"):
    """The bias of a map or a unit."""

    map: int
    value: float

    @classmethod
    def parse(cls, layer: str, place: tuple[str, ...], value: str | None) -> "SetBias":
        number = read_whole(place[0]) if len(place) == 1 else None
        if value is None or number is None:
            raise malformed(cls)
        return cls(layer, number, read_number(value))

    @property
    def target(self) -> Hashable:
        return type(self), self.layer, self.map

    def write(self) -> str:
        return self._text(self.map, value=write_number(self.value))

    def make(self, piece: Workpiece) -> None:
        layer = piece.layer(self.layer)
        require_map(layer, self.map)
        name, place = layer.bias_place(self.map)
        piece.array(layer, name)[place] = self.value

    def describe(self, layer: Layer) -> str:
        return f"{self.layer} {map_word(layer)} {self.map} has the bias {write_number(self.value)}"


@dataclass(frozen=True)
class SetKernel(Edit, verb="kernel", form="kernel:LAYER.MAP.CHANNEL=NUMBERS, row by row with commas between them"):
    """The kernel by which a map reads one channel of its input; of a unit, the weight of one input."""

    map: int
    channel: int
    values: tuple[float, ...]  # row by row

    @classmethod
    def parse(cls, layer: str, place: tuple[str, ...], value: str | None) -> "SetKernel":
        numbers = [number for number in map(read_whole, place) if number is not None]
        if value is None or len(numbers) != 2 or len(place) != 2:
            raise malformed(cls)
        number, channel = numbers
        return cls(layer, number, channel, tuple(map(read_number, value.split(","))))

    @property
    def target(self) -> Hashable:
        return type(self), self.layer, self.map, self.channel

    def write(self) -> str:
        return self._text(self.map, self.channel, value=",".join(map(write_number, self.values)))

    def make(self, piece: Workpiece) -> None:
        layer = piece.layer(self.layer)
        require_map(layer, self.map)
        name, place = layer.kernel_place(self.map, self.channel)
        kernel = piece.array(layer, name)[place]
        if kernel.size != len(self.values):
            expected = "1 number" if kernel.size == 1 else f"{kernel.size} numbers, {_sizes(kernel.shape)}"
            raise InvalidEdit(f"A kernel of “{layer.name}” has {expected}. Received: {len(self.values)}.")
        piece.array(layer, name)[place] = np.reshape(np.array(self.values, np.float32), kernel.shape)

    def describe(self, layer: Layer) -> str:
        if len(layer.output_shape) == 1:
            return f"{self.layer} unit {self.map} reads input {self.channel} with {write_number(self.values[0])}"
        return f"{self.layer} map {self.map} reads channel {self.channel} with another kernel"


@dataclass(frozen=True)
class SetWeight(Edit, verb="weight", form="weight:LAYER.WEIGHTS.INDEX=NUMBER, as in weight:conv_1.kernel.0.2.0.5=1"):
    """One number of a layer's weights, by the name and the index that Keras gives it."""

    weights: str
    index: tuple[int, ...]
    value: float

    phase = -1  # so that a kernel and a bias count, which say what they are

    @classmethod
    def parse(cls, layer: str, place: tuple[str, ...], value: str | None) -> "SetWeight":
        weights, *index = place or ("",)
        numbers = [number for number in map(read_whole, index) if number is not None]
        if value is None or not weights or not index or len(numbers) != len(index):
            raise malformed(cls)
        return cls(layer, weights, tuple(numbers), read_number(value))

    @property
    def target(self) -> Hashable:
        return type(self), self.layer, self.weights, self.index

    def write(self) -> str:
        return self._text(self.weights, *self.index, value=write_number(self.value))

    def make(self, piece: Workpiece) -> None:
        layer = piece.layer(self.layer)
        require_editable(layer, self.weights)
        shape = layer.variables[self.weights]
        if len(self.index) != len(shape) or not all(
            place < size for place, size in zip(self.index, shape, strict=False)
        ):
            raise InvalidEdit(
                f"The {self.weights} of “{layer.name}” is {_sizes(shape)}, {math.prod(shape):,} numbers; there is none "
                f"at {'.'.join(map(str, self.index))}. Each index counts from 0."
            )
        piece.array(layer, self.weights)[self.index] = self.value

    def describe(self, layer: Layer) -> str:
        place = ", ".join(map(str, self.index))
        return f"{self.layer} {self.weights} is {write_number(self.value)} at {place}"


def _sizes(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
