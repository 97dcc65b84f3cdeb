"""All edits that are made in a network, as a value."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from ..errors import InvalidEdit
from ..kinds import Layer
from .edit import KINDS, Edit
from .mutes import Mute
from .workpiece import Workpiece

MOST_EDITS = 2_000
MOST_CHARACTERS = 65_536
_REMEMBERED = 32  # texts, of which each move of the pen sends one again


@dataclass(frozen=True)
class Edits:
    """Edits in the order in which they were made; of two of the same target, only the later one is kept.

    As text they stand one behind the other with `;` between them:
    `mute:conv_1.3;pooling:pool_1=min;bias:conv_2.5=0.25;kernel:conv_1.0.0=1,0,-1,2,0,-2,1,0,-1`.
    """

    made: tuple[Edit, ...] = ()

    @staticmethod
    @lru_cache(_REMEMBERED)
    def parse(text: str) -> "Edits":
        """Return the edits that a text tells of; none of an empty one. Raises: InvalidEdit."""
        if len(text) > MOST_CHARACTERS:
            raise InvalidEdit(f"The edits are {len(text):,} characters long; {MOST_CHARACTERS:,} are read at most.")
        parts = [part for part in map(str.strip, text.split(";")) if part]
        if len(parts) > MOST_EDITS:
            raise InvalidEdit(f"These are {len(parts):,} edits; {MOST_EDITS:,} at most are made.")
        made: dict[object, Edit] = {}
        for edit in map(_parse, parts):
            made.pop(edit.target, None)  # so that it takes the last place
            made[edit.target] = edit
        return Edits(tuple(made.values()))

    @classmethod
    def muting(cls, maps: Mapping[str, Collection[int]]) -> "Edits":
        """Return the edits that mute these maps, by layer."""
        return cls(tuple(Mute(layer, number) for layer, chosen in maps.items() for number in sorted(chosen)))

    def __str__(self) -> str:
        return ";".join(edit.write() for edit in self.made)

    def __iter__(self) -> Iterator[Edit]:
        return iter(self.made)

    def __len__(self) -> int:
        return len(self.made)

    def make(self, piece: Workpiece) -> None:
        """Make them all: weights first, then what is muted. Raises: InvalidEdit."""
        for edit in sorted(self.made, key=lambda each: each.phase):
            edit.make(piece)
        piece.finish()

    def describe(self, layers: Iterable[Layer]) -> list[str]:
        """Return each in words, as in "conv_1 map 3 muted". layers: of the network that they were made in."""
        by_name = {layer.name: layer for layer in layers}
        return [edit.describe(by_name[edit.layer]) for edit in self.made]


def _parse(text: str) -> Edit:
    verb, _, rest = text.partition(":")
    kind = KINDS.get(verb)
    target, equals, value = rest.partition("=")
    layer, *place = target.split(".")
    if kind is None or not layer:
        begins = f"{', '.join(KINDS)}, a colon and a layer"
        raise InvalidEdit(f"“{text[:100]}” is no edit. Each begins with one of {begins}.")
    return kind.parse(unquote(layer), tuple(place), value if equals else None)
