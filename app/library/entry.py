"""One model in the library's list, opened or not."""

from dataclasses import dataclass
from enum import StrEnum

from app.cnn.card import Card
from app.cnn.kinds import Layer
from app.library.files import ModelFile, Origin


class State(StrEnum):
    """How far a model is."""

    READY = "ready"
    WAITING = "waiting"  # to be opened for the first time
    BROKEN = "broken"


@dataclass(frozen=True)
class Entry:
    """A model's file, and what is known of it."""

    file: ModelFile
    card_stamp: object  # changes with what a person says of it
    card: Card | None  # None unless it is ready
    layers: tuple[Layer, ...] | None  # None where it was not opened yet
    reason: str | None  # why it is broken

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def state(self) -> State:
        if self.reason is not None:
            return State.BROKEN
        return State.WAITING if self.card is None else State.READY

    @property
    def pools(self) -> bool:
        """It has a pooling layer, as far as is known."""
        if self.layers is not None:
            return any(layer.is_pooling for layer in self.layers)
        return self.card is None or self.card.pooling is not None

    @property
    def is_built_in(self) -> bool:
        """It came with Layerglass, and its file is trusted."""
        return self.file.origin is Origin.BUILT_IN
