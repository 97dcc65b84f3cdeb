"""How this package says no."""

from typing import Any

_SHOWN = 80  # characters of a name that a file chose


class ModelError(Exception):
    """A file that cannot be opened. The message says what is wrong, and the way out."""


def printable(text: str) -> str:
    """On one line, and without what cannot be shown or sent."""
    return "".join(character if character.isprintable() else "·" for character in text)


def shown(name: Any) -> str:
    """A name out of a file, fit for a sentence: one line, printable, not too long."""
    text = printable(str(name)[: _SHOWN + 1])
    return f"“{text[:_SHOWN]}…”" if len(text) > _SHOWN else f"“{text}”"


RESAVE = "With the Keras that wrote it, save it again: model.save('name.keras')."
