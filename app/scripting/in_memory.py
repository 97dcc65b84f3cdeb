"""Keras models in memory, as files: only those are opened."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from ..temporary import TemporaryFolder


class SavesItself(Protocol):
    """A Keras model in memory."""

    def save(self, filepath: str, /) -> Any: ...


def save(model: SavesItself, stack: ExitStack) -> str:
    """Save a model in memory to a file that is gone when the stack is closed. Raises: TypeError."""
    if not callable(getattr(model, "save", None)):
        raise TypeError(f"A {type(model).__name__} is no model: give a file, a name, or a Keras model.")
    folder = stack.enter_context(TemporaryFolder())
    name = re.sub(r"[^A-Za-z0-9_-]", "-", str(getattr(model, "name", "") or "model"))
    path = str(Path(folder, f"{name}.keras"))
    model.save(path)
    return path
