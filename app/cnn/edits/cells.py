"""Cells of a layer's output that have a value, whatever the layer computes."""

from collections.abc import Hashable
from dataclasses import dataclass

from ..errors import InvalidEdit
from ..kinds import Layer
from ..types import as_maps_shape
from .edit import Edit, malformed
from .maps import require_map
from .numbers import read_number, read_whole, write_number
from .workpiece import Workpiece


@dataclass(frozen=True)
class SetCell(Edit, verb="cell", form="cell:LAYER.MAP.ROW.COLUMN=NUMBER, or cell:LAYER.UNIT=NUMBER in a vector"):
    """A cell, whose value the layers behind it read."""

    place: tuple[int, ...]  # map, row, column; or unit
    value: float

    phase = 2

    @classmethod
    def parse(cls, layer: str, place: tuple[str, ...], value: str | None) -> "SetCell":
        numbers = [number for number in map(read_whole, place) if number is not None]
        if value is None or len(numbers) != len(place) or len(numbers) not in (1, 3):
            raise malformed(cls)
        return cls(layer, tuple(numbers), read_number(value))

    @property
    def target(self) -> Hashable:
        return type(self), self.layer, self.place

    def write(self) -> str:
        return self._text(*self.place, value=write_number(self.value))

    def make(self, piece: Workpiece) -> None:
        piece.cells.setdefault(self.layer, {})[self._find(piece.layer(self.layer))] = self.value

    def _find(self, layer: Layer) -> tuple[int, int, int]:
        """Return row, column and channel. Raises: InvalidEdit."""
        shape = layer.output_shape
        if (len(shape) == 1) != (len(self.place) == 1):
            raise malformed(type(self), self.write())
        require_map(layer, self.place[0])
        if None in shape:
            raise InvalidEdit(f"How large “{layer.name}” is follows from the drawing, so that none of its cells is set.")
        if len(self.place) == 1:
            return 0, self.place[0], 0
        channel, row, column = self.place
        height, width, _ = as_maps_shape(tuple(size or 0 for size in shape))
        if row >= height or column >= width:
            raise InvalidEdit(
                f"“{layer.name}” has no cell at row {row:,}, column {column:,}: it has rows 0 to {height - 1:,}, columns "
                f"0 to {width - 1:,}."
            )
        return row, column, channel

    def describe(self, layer: Layer) -> str:
        if len(self.place) == 1:
            return f"{self.layer} unit {self.place[0]} is {write_number(self.value)}"
        channel, row, column = self.place
        return f"{self.layer} map {channel} is {write_number(self.value)} at row {row}, column {column}"
