"""Which model files there are: those that came with Layerglass, a person's own, and those brought on the page."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ENDINGS = (".keras", ".h5", ".hdf5")

_RESERVED = '<>:"|?*/'  # in the file names of some systems
_STEM_CHARACTERS = 80

Stamp = tuple[int, int, int]  # modified (ns), bytes, inode: another file, or a changed one, has another


class Origin(StrEnum):
    """Whose a file is."""

    BUILT_IN = "built-in"
    OWN = "own"
    UPLOADED = "uploaded"


@dataclass(frozen=True)
class ModelFile:
    """One model on the shelf, as its file stands now."""

    name: str
    path: Path
    origin: Origin
    stamp: Stamp
    card_stamp: Stamp | None  # of NAME.json beside it; None without one
    note: str | None = None  # why it has another name than its file

    @property
    def size(self) -> int:
        """In bytes."""
        return self.stamp[1]

    @property
    def card_path(self) -> Path:
        return self.path.with_suffix(".json")


def find_files(
    built_in: Path, folders: Iterable[Path] = (), files: Iterable[Path] = (), uploads: Path | None = None
) -> tuple[ModelFile, ...]:
    """Every model file, each under a name of its own. What is not there is left out.

    built_in: a folder whose models all have their cards. folders, files: a person's own. uploads: a folder as well.
    """
    found = [(path, Origin.BUILT_IN) for path in _in_folder(built_in) if path.with_suffix(".json").is_file()]
    found += [(path, Origin.OWN) for folder in folders for path in _in_folder(folder)]
    found += [(path, Origin.OWN) for path in files]
    found += [(path, Origin.UPLOADED) for path in (_in_folder(uploads) if uploads else ())]
    return tuple(_named(dict(found).items()))


def _named(found: Iterable[tuple[Path, Origin]]) -> Iterator[ModelFile]:
    taken: dict[str, Path] = {}
    for path, origin in found:
        stamp = stamp_of(path)
        if stamp is None:
            continue
        name, number = path.stem, 1
        while name in taken:
            number += 1
            name = f"{path.stem}-{number}"
        note = f"Another model is called “{path.stem}”, so this one, {path.name}, is “{name}”." if number > 1 else None
        taken[name] = path
        yield ModelFile(name, path, origin, stamp, stamp_of(path.with_suffix(".json")), note)


def _in_folder(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.lower().endswith(ENDINGS))
    except OSError:  # it went, or may not be read: its models are not there
        return []
    return [folder / name for name in names if not name.startswith(".")]


def name_for(filename: str) -> str:
    """The file name that an uploaded file is kept under: its own, as far as it can be shown and kept."""
    last = Path(filename.replace("\\", "/").rsplit("/", 1)[-1])
    stem = "".join(character for character in last.stem if character.isprintable() and character not in _RESERVED)
    # What a file is, is told by its first bytes; its ending only says what a person took it for.
    ending = last.suffix.lower() if last.suffix.lower() in ENDINGS else ENDINGS[0]
    return (stem.strip(" .")[:_STEM_CHARACTERS] or "model") + ending


def uploaded(path: Path) -> ModelFile:
    """An uploaded model's file, under the name that it has if no other model has it."""
    stamp = stamp_of(path)
    assert stamp is not None
    return ModelFile(path.stem, path, Origin.UPLOADED, stamp, None)


def stamp_of(path: Path) -> Stamp | None:
    """The file's stamp; None where there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
