"""The error of this package, and names out of files made fit for its sentences."""

from collections.abc import Iterable
from typing import Any

_SHOWN = 80  # characters of a name that a file chose


class ModelError(Exception):
    """A file that cannot be opened. The message says what is wrong, and the way out."""


class UndeclaredLambdas(ModelError):
    """A model that would open if a person declared what its Lambda layers compute."""

    def __init__(self, sentence: str, names: Iterable[str]) -> None:
        super().__init__(sentence)
        self.names = tuple(names)


def printable(text: str) -> str:
    """Replace every character that cannot be shown or sent, line ends included."""
    return "".join(character if character.isprintable() else "·" for character in text)


def shown(name: Any) -> str:
    """Quote a name out of a file: one line, printable, at most 80 characters; of an empty one, say so."""
    text = printable(str(name)[: _SHOWN + 1])
    if not text.strip():
        return "“(no name)”"
    return f"“{text[:_SHOWN]}…”" if len(text) > _SHOWN else f"“{text}”"


RESAVE = "With the Keras that wrote it, save it again: model.save('name.keras')."


def missing_weights(name: str) -> ModelError:
    """Return the error of a file that has no weights for a layer."""
    return ModelError(f"The file has no weights for the layer {shown(name)}. {RESAVE}")
