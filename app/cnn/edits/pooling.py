"""The pooling of one layer alone."""

from collections.abc import Hashable
from dataclasses import dataclass

from ..errors import InvalidEdit
from ..kinds import Layer
from ..types import PoolingMode
from .edit import Edit, malformed
from .workpiece import Workpiece


@dataclass(frozen=True)
class SetPooling(Edit, verb="pooling", form="pooling:LAYER=max, =average or =min"):
    """A pooling layer that pools in this mode, whatever the mode of the network."""

    mode: PoolingMode

    @classmethod
    def parse(cls, layer: str, place: tuple[str, ...], value: str | None) -> "SetPooling":
        if place or value not in set(PoolingMode):
            raise malformed(cls)
        return cls(layer, PoolingMode(value))

    @property
    def target(self) -> Hashable:
        return type(self), self.layer

    def write(self) -> str:
        return self._text(value=self.mode)

    def make(self, piece: Workpiece) -> None:
        swapped = piece.layer(self.layer).pin_pooling(self.mode)
        if swapped is None:
            pooling = [layer.name for layer in piece.layers.values() if layer.pin_pooling(self.mode)]
            has = f"Pooling layers here are: {', '.join(pooling)}." if pooling else "There is none here."
            raise InvalidEdit(f"“{self.layer}” is no pooling layer by itself. {has}")
        piece.layers[self.layer] = swapped

    def describe(self, layer: Layer) -> str:
        return f"{self.layer} pools by {self.mode}"
