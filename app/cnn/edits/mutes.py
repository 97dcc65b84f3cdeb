"""Maps and units that are muted, or heard alone, as at a mixing desk."""

from collections.abc import Hashable
from dataclasses import dataclass

from ..kinds import Layer
from .edit import Edit, malformed
from .maps import count_maps, map_word, require_map
from .numbers import read_whole
from .workpiece import Workpiece


@dataclass(frozen=True)
class Mute(Edit, verb="mute", form="mute:LAYER.MAP, or mute:LAYER for all of it"):
    """A map that is zero, or all maps of the layer."""

    map: int | None = None

    phase = 1

    @classmethod
    def parse(cls, layer: str, place: tuple[str, ...], value: str | None) -> "Mute":
        numbers = tuple(map(read_whole, place))
        if value is not None or len(numbers) > 1 or None in numbers:
            raise malformed(cls)
        return cls(layer, *numbers)

    @property
    def target(self) -> Hashable:
        return type(self), self.layer, self.map

    def write(self) -> str:
        return self._text(*[] if self.map is None else [self.map])

    def make(self, piece: Workpiece) -> None:
        layer = piece.layer(self.layer)
        if self.map is not None:
            require_map(layer, self.map)
        maps = range(count_maps(layer)) if self.map is None else [self.map]
        piece.silent.setdefault(self.layer, set()).update(maps)

    def describe(self, layer: Layer) -> str:
        return f"{self.layer} muted" if self.map is None else f"{self.layer} {map_word(layer)} {self.map} muted"


@dataclass(frozen=True)
class Solo(Edit, verb="solo", form="solo:LAYER.MAP"):
    """A map that is heard alone: all others of its layer are zero, those apart that are heard alone as well."""

    map: int

    phase = 1

    @classmethod
    def parse(cls, layer: str, place: tuple[str, ...], value: str | None) -> "Solo":
        number = read_whole(place[0]) if len(place) == 1 else None
        if value is not None or number is None:
            raise malformed(cls)
        return cls(layer, number)

    @property
    def target(self) -> Hashable:
        return type(self), self.layer, self.map

    def write(self) -> str:
        return self._text(self.map)

    def make(self, piece: Workpiece) -> None:
        require_map(piece.layer(self.layer), self.map)
        piece.heard.setdefault(self.layer, set()).add(self.map)

    def describe(self, layer: Layer) -> str:
        return f"{self.layer} {map_word(layer)} {self.map} alone"
