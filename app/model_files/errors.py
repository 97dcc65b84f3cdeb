"""The error of this package, and names out of files made fit for its sentences."""

from typing import Any

_SHOWN = 80  # characters of a name that a file chose


class ModelError(Exception):
    """A file that cannot be opened. The message says what is wrong, and the way out."""


def printable(text: str) -> str:
    """Replace every character that cannot be shown or sent, line ends included."""
    return "".join(character if character.isprintable() else "·" for character in text)


def shown(name: Any) -> str:
    """Quote a name out of a file: one line, printable, at most 80 characters."""
    text = printable(str(name)[: _SHOWN + 1])
    return f"“{text[:_SHOWN]}…”" if len(text) > _SHOWN else f"“{text}”"


RESAVE = "With the Keras that wrote it, save it again: model.save('name.keras')."


def missing_weights(name: str) -> ModelError:
    """Return the error of a file that has no weights for a layer."""
    return ModelError(f"The file has no weights for the layer {shown(name)}. {RESAVE}")
