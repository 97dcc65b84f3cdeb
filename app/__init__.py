"""Layerglass: a drawing goes in, everything that the network made of it comes out.

In Python, `layerglass.open(MODEL)` opens a model and `.run(PICTURE)` runs it; `layerglass.show(MODEL, PICTURE)`
shows the page in a notebook: see docs/python.md.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

# Loaded when they are first asked for, so that importing the package costs nothing. __init__.pyi has their types.
_ROOMS = {
    **{"open": "scripting.local", "Model": "scripting.model", "Run": "scripting.run"},
    **{"connect": "client.server", "show": "notebook.show"},
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
