"""Which model files there are: those that came with Layerglass, a person's own, and those brought on the page."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.model_files.errors import printable, shown

ENDINGS = (".keras", ".h5", ".hdf5")

_RESERVED = '<>:"|?*/'  # in the file names of some systems
_FORM_ESCAPES = ("%22", "%0D", "%0A")  # a quote and line ends, as browsers write them into a form
_STEM_BYTES = 120  # of at most 255 that a file name may have on most systems

Stamp = tuple[int, int, int]  # modified (ns), bytes, inode: another file, or a changed one, has another


class EmptyLibrary(FileNotFoundError):
    """There is no model at all."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"No model found in {folder}: expected NAME.keras with its card NAME.json beside it. "
            "Train one with `layerglass train`, or name a folder of your own models with --models."
        )


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
    def key(self) -> str:
        """Of this file as it stands now, for what is kept of it under a file name; after a change it has another."""
        return hashlib.sha256(repr((str(self.path), self.stamp)).encode()).hexdigest()[:32]

    @property
    def card_path(self) -> Path:
        return self.path.with_suffix(".json")


def find_files(
    built_in: Path, folders: Iterable[Path] = (), files: Iterable[Path] = (), uploads: Path | None = None
) -> tuple[ModelFile, ...]:
    """Every model file once, each under a name of its own. What is not there is left out.

    built_in: a folder whose models all have their cards. folders, files: a person's own. uploads: a folder as well.
    """
    found = [(path, Origin.BUILT_IN) for path in _in_folder(built_in) if path.with_suffix(".json").is_file()]
    found += [(path, Origin.OWN) for folder in folders for path in _in_folder(folder)]
    found += [(path, Origin.OWN) for path in files]
    found += [(path, Origin.UPLOADED) for path in (_in_folder(uploads) if uploads else ())]
    places: dict[Path, Origin] = {}
    for path, origin in found:
        places.setdefault(_place(path), origin)
    return tuple(_named(places.items()))


def _place(path: Path) -> Path:
    """Where a file lies, whichever way its folder was named. A link to another file is a file of its own."""
    return Path(os.path.realpath(path.parent), path.name)


def _named(found: Iterable[tuple[Path, Origin]]) -> Iterator[ModelFile]:
    taken: set[str] = set()
    for path, origin in found:
        stamp = stamp_of(path)
        if stamp is None:
            continue
        first = name = printable(path.stem).lstrip(".") or "model"
        number = 1
        while name in taken:
            number += 1
            name = f"{first}-{number}"
        note = f"Another model is called “{first}”, so this one, {shown(path.name)}, is “{name}”."
        taken.add(name)
        card_stamp = stamp_of(path.with_suffix(".json"))
        yield ModelFile(name, path, origin, stamp, card_stamp, note if number > 1 else None)


def _in_folder(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.lower().endswith(ENDINGS)]
    except OSError:  # it went, or may not be read: its models are not there
        return []
    paths = [folder / name for name in names if not name.startswith(".")]
    return sorted(paths, key=lambda path: (path.stem, path.suffix))


def name_for(filename: str) -> str:
    """The file name that an uploaded file is kept under: its own, as far as it can be shown and kept."""
    for escape in _FORM_ESCAPES:
        filename = filename.replace(escape, "")
    last = Path(filename.replace("\\", "/").rsplit("/", 1)[-1])
    stem = "".join(character for character in last.stem if character.isprintable() and character not in _RESERVED)
    short = stem.strip(" .").encode()[:_STEM_BYTES].decode(errors="ignore").strip(" .")
    # What a file is, is told by its first bytes; its ending only says what a person took it for.
    ending = last.suffix.lower() if last.suffix.lower() in ENDINGS else ENDINGS[0]
    return (short or "model") + ending


def stamp_of(path: Path) -> Stamp | None:
    """The file's stamp; None where there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
