"""Names of files for layers and pictures, whose own names may hold anything."""

import re
from collections.abc import Iterable, Iterator
from itertools import count


def file_names(names: Iterable[str]) -> list[str]:
    """Return a file's name, without an ending, for each of these: all differ, on systems that ignore case too."""
    chosen: list[str] = []
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip(".") or "unnamed"
        stem = next(each for each in _numbered(plain) if each.lower() not in taken)
        chosen.append(stem)
        taken.add(stem.lower())
    return chosen


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}-{number}" for number in count(2))
