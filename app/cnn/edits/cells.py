"""Cells that are set by hand."""

from collections.abc import Hashable
from dataclasses import dataclass

from ..errors import InvalidEdit
from ..kinds import Layer
from .edit import Edit, malformed
from .numbers import read_number, read_whole, write_number
from .workpiece import Workpiece


@dataclass(frozen=True)
class SetCell(Edit, verb="cell", form="cell:LAYER.MAP.ROW.COLUMN=NUMBER, or cell:LAYER.UNIT=NUMBER"):
    """A cell that has this value, whatever its layer computes for it."""

    place: tuple[int, ...]  # (map, row, column), or (unit,)
    value: float

    @classmethod
    def parse(cls, layer: str, place: tuple[str, ...], value: str | None) -> "SetCell":
        numbers = tuple(number for number in map(read_whole, place) if number is not None)
        if value is None or len(numbers) != len(place) or len(numbers) not in (1, 3):
            raise malformed(cls)
        return cls(layer, numbers, read_number(value))

    @property
    def target(self) -> Hashable:
        return type(self), self.layer, self.place

    def write(self) -> str:
        return self._text(*self.place, value=write_number(self.value))

    def make(self, piece: Workpiece) -> None:
        layer = piece.layer(self.layer)
        self.require_in(layer)
        index = self.place if len(self.place) == 1 else (*self.place[1:], self.place[0])
        piece.held.setdefault(self.layer, {})[index] = self.value

    def describe(self, layer: Layer) -> str:
        value = write_number(self.value)
        if len(self.place) == 1:
            return f"{self.layer} unit {self.place[0]} is {value}"
        number, row, column = self.place
        return f"{self.layer} map {number} is {value} at row {row}, column {column}"

    def require_in(self, layer: Layer) -> None:
        """Check that a layer has such a cell. Raises: InvalidEdit."""
        name, place, shape = layer.name, self.place, layer.output_shape
        if layer.is_held or len(shape) not in (1, 3):
            raise InvalidEdit(f"Cells of “{name}” ({layer.kind}) are not set: its output is neither maps nor units.")
        if None in shape:
            raise InvalidEdit(f"The size of the maps of “{name}” follows from the drawing, so no cell of them is set.")
        sizes = tuple(size or 0 for size in shape)
        if len(place) != len(sizes):
            expected = "cell:LAYER.UNIT=NUMBER" if len(sizes) == 1 else "cell:LAYER.MAP.ROW.COLUMN=NUMBER"
            raise InvalidEdit(f"A cell of “{name}” is set by {expected}.")
        known = sizes if len(sizes) == 1 else (sizes[2], sizes[0], sizes[1])
        if all(number < size for number, size in zip(place, known, strict=True)):
            return
        if len(sizes) == 1:
            raise InvalidEdit(f"“{name}” has no unit {place[0]:,}. It has units 0 to {sizes[0] - 1:,}.")
        maps, rows, columns = (size - 1 for size in known)
        raise InvalidEdit(
            f"“{name}” has no cell at map {place[0]:,}, row {place[1]:,}, column {place[2]:,}. It has maps 0 to "
            f"{maps:,}, rows 0 to {rows:,} and columns 0 to {columns:,}."
        )
