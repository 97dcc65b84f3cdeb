"""Sees what Python does while a file is opened: the files it writes, the processes and connections it makes."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_DEEDS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.",
    "socket.connect",
    "urllib.",
    "marshal.loads",
    "pickle.",
)
_seen: list[str] | None = None


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _seen is None:
        return
    if event.startswith(_DEEDS) and not _imports(event):
        _seen.append(event)
    # arguments of open: path, mode, flags
    if event == "open" and isinstance(flags := arguments[2], int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        _seen.append(f"wrote {arguments[0]!r}")


def _imports(event: str) -> bool:
    """Whether it is Python that reads the compiled code of a module, as it does once for each, wherever that is."""
    return event == "marshal.loads" and sys._getframe(2).f_code.co_filename == "<frozen importlib._bootstrap_external>"


sys.addaudithook(_hook)  # it cannot be taken away again, so it does nothing outside of watched()


@contextmanager
def watched() -> Iterator[list[str]]:
    """What was done inside that opening a model has no need of."""
    global _seen
    deeds: list[str] = []
    _seen = deeds
    try:
        yield deeds
    finally:
        _seen = None
