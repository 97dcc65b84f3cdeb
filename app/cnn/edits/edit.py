"""One edit of a network, and what all kinds of edits share."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar, Self

from ..errors import InvalidEdit
from ..kinds import Layer
from .workpiece import Workpiece

_QUOTED = str.maketrans({each: f"%{ord(each):02X}" for each in "%.;="})  # in a layer's name

KINDS: dict[str, type["Edit"]] = {}  # by verb


@dataclass(frozen=True)
class Edit:
    """A change of one layer. As text: `verb:layer.place`, with `=value` behind it where it sets one.

    What has a meaning here is written as in an address where it is in a layer's name: a dot as %2E.
    """

    layer: str

    verb: ClassVar[str]
    form: ClassVar[str]  # its text, as a sentence shows it
    phase: ClassVar[int] = 0  # those of a later one are made after all others

    def __init_subclass__(cls, verb: str = "", form: str = "") -> None:
        super().__init_subclass__()
        if verb:
            cls.verb, cls.form = verb, form
            KINDS[verb] = cls

    @classmethod
    def parse(cls, layer: str, place: tuple[str, ...], value: str | None) -> Self:
        """Return the edit. place: what stands behind the layer's name. Raises: InvalidEdit."""
        raise NotImplementedError

    @property
    def target(self) -> Hashable:
        """What it changes: of two edits of one target, the later one counts."""
        raise NotImplementedError

    def write(self) -> str:
        """Return the text that parse reads."""
        raise NotImplementedError

    def make(self, piece: Workpiece) -> None:
        """Make the edit. Raises: InvalidEdit."""
        raise NotImplementedError

    def describe(self, layer: Layer) -> str:
        """Return what was done, as in "conv_1 map 3 muted". layer: the one that it changes."""
        raise NotImplementedError

    def _text(self, *place: object, value: object = None) -> str:
        parts = ".".join([self.layer.translate(_QUOTED), *map(str, place)])
        return f"{self.verb}:{parts}" + ("" if value is None else f"={value}")


def malformed(kind: type[Edit], text: str = "") -> InvalidEdit:
    """Return the error for a text that is no edit of this kind."""
    received = f" Received: “{text[:100]}”." if text else ""
    return InvalidEdit(f"An edit that begins with “{kind.verb}” is written {kind.form}.{received}")
