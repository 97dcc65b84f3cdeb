"""Model files on disk: the built-in ones, the user's own, and those uploaded on the page."""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import BinaryIO

from ..model_files.errors import printable, shown
from ..model_files.labels import find_labels

ENDINGS = (".keras", ".h5", ".hdf5", ".zip")
# Of models that do not open. In a folder of the user's own they are listed, so that they are told what would.
_FOREIGN_ENDINGS = (".onnx", ".pb", ".pt", ".pth", ".safetensors", ".tflite")
_SAVED_MODEL = "saved_model.pb"

_PIECE_BYTES = 2**20  # that are copied at once

_RESERVED = '<>:"|?*/'  # in the file names of some systems
_FORM_ESCAPES = ("%22", "%0D", "%0A")  # a quote and line ends, as browsers escape them in a form
_STEM_BYTES = 120  # of the 255 bytes that most systems allow a file name

Stamp = tuple[int, int, int]  # modified (ns), bytes, inode: differs for another file and after a change


class EmptyLibrary(FileNotFoundError):
    """There is no model to serve."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"No model found in {folder}: expected NAME.keras with its card NAME.json beside it. "
            "Train one with `layerglass train`, or name a folder of your own models with --models."
        )


class Origin(StrEnum):
    """The source of a model file."""

    BUILT_IN = "built-in"
    OWN = "own"
    UPLOADED = "uploaded"


@dataclass(frozen=True)
class ModelFile:
    """One model's file in its current version."""

    name: str
    path: Path
    origin: Origin
    stamp: Stamp
    card_stamp: Stamp | None  # of NAME.json beside it; None if there is none
    note: str | None = None  # why its name differs from its file's
    labels_path: Path | None = None  # a file beside it that names its classes
    labels_stamp: Stamp | None = None
    lambdas: str = ""  # what its Lambda layers compute, as JSON, from its card

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.stamp[1]

    @property
    def key(self) -> str:
        """A name for what is derived from this version of the file. It changes with the file, and with its Lambdas."""
        return _digest(str(self.path), self.stamp, *([self.lambdas] if self.lambdas else []))

    @property
    def version_key(self) -> str:
        """A name for what is kept about this version of the file. It changes when the file does."""
        return _digest(str(self.path), self.stamp)

    @property
    def card_path(self) -> Path:
        return self.path.with_suffix(".json")


def _digest(*values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:32]


def find_files(
    built_in: Path, folders: Iterable[Path] = (), files: Iterable[Path] = (), uploads: Path | None = None
) -> tuple[ModelFile, ...]:
    """Return every model file once, each under a unique name. Files and folders that are missing are skipped.

    built_in: a folder, of whose models only those with a card count. folders, files: the user's own. uploads: a folder.
    """
    found = [(path, Origin.BUILT_IN, path.stem) for path in _in_folder(built_in) if path.with_suffix(".json").is_file()]
    found += [(path, Origin.OWN, path.stem) for folder in folders for path in _in_folder(folder)]
    found += [(path, Origin.OWN, path.parent.name) for folder in folders for path in _unpacked(folder)]
    found += [(path, Origin.OWN, path.stem) for path in files]
    found += [(path, Origin.OWN, path.name) for folder in folders for path in _foreign(folder)]
    found += [(path, Origin.UPLOADED, path.stem) for path in (_in_folder(uploads) if uploads else ())]
    origins: dict[Path, tuple[Origin, str]] = {}
    for path, origin, name in found:
        origins.setdefault(_resolve_folder(path), (origin, name))
    return tuple(_with_names((path, *told) for path, told in origins.items()))


def _resolve_folder(path: Path) -> Path:
    """Resolve symbolic links in a file's folder. A link to another file counts as a file of its own."""
    return Path(os.path.realpath(path.parent), path.name)


def _with_names(found: Iterable[tuple[Path, Origin, str]]) -> Iterator[ModelFile]:
    taken: set[str] = set()
    listings = cache(_list)  # a folder is read once for all of its models
    for path, origin, wanted in found:
        stamp = stamp_of(path)
        if stamp is None:
            continue
        first = name = printable(wanted).lstrip(".") or "model"
        number = 1
        while name in taken:
            number += 1
            name = f"{first}-{number}"
        note = f"Another model is called “{first}”, so this one, {shown(path.name)}, is “{name}”."
        taken.add(name)
        card_stamp = stamp_of(path.with_suffix(".json"))
        labels = listings(path.parent).labels_of(path) if origin is Origin.OWN else None
        labels_stamp = stamp_of(labels) if labels else None
        yield ModelFile(name, path, origin, stamp, card_stamp, note if number > 1 else None, labels, labels_stamp)


class _Listing(tuple[str, ...]):
    """What is in a folder, by name."""

    @property
    def models(self) -> list[str]:
        return [name for name in self if name.lower().endswith(ENDINGS) and not name.startswith(".")]

    def labels_of(self, path: Path) -> Path | None:
        """Return the file that names the classes of a model in this folder."""
        found = find_labels(self, path.name, alone=self.models == [path.name])
        return path.with_name(found) if found else None


def _list(folder: Path) -> _Listing:
    try:
        return _Listing(os.listdir(folder))
    except OSError:  # missing or unreadable, or no folder: as if it were empty
        return _Listing()


def _in_folder(folder: Path) -> list[Path]:
    paths = [folder / name for name in _list(folder).models]
    return sorted(paths, key=lambda path: (path.stem, path.suffix))


def _unpacked(folder: Path) -> Iterator[Path]:
    """Yield the models in folders of their own: each alone with its labels, as an unpacked zip leaves them.

    Of a SavedModel, which does not open, it is the file that tells so.
    """
    names = _list(folder)
    for name in sorted(set(names).difference(names.models)):
        if not name.startswith("."):
            inside = _list(folder / name)
            if len(inside.models) == 1 and inside.labels_of(path := folder / name / inside.models[0]):
                yield path
            elif _SAVED_MODEL in inside:
                yield folder / name / _SAVED_MODEL


def _foreign(folder: Path) -> list[Path]:
    return [folder / name for name in sorted(_list(folder)) if name.lower().endswith(_FOREIGN_ENDINGS)]


def safe_filename(filename: str, endings: Container[str] = ENDINGS) -> str:
    """Return a safe file name for an uploaded file, as close to its own as possible, with one of these endings."""
    for escape in _FORM_ESCAPES:
        filename = filename.replace(escape, "")
    last = Path(filename.replace("\\", "/").rsplit("/", 1)[-1])
    stem = "".join(character for character in last.stem if character.isprintable() and character not in _RESERVED)
    short = stem.strip(" .").encode()[:_STEM_BYTES].decode(errors="ignore").strip(" .")
    # The format is recognized by the first bytes; the ending is only a hint to the user.
    ending = last.suffix.lower() if last.suffix.lower() in endings else ENDINGS[0]
    return (short or "model") + ending


class PlainEndings:
    """Every file ending of plain letters, digits and dashes: it may tell what a file is that is no model."""

    def __contains__(self, ending: object) -> bool:
        return isinstance(ending, str) and re.fullmatch(r"\.[a-z0-9-]{1,24}", ending) is not None


def stamp_of(path: Path) -> Stamp | None:
    """Return the file's stamp; None if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def write_atomically(path: Path, data: bytes | BinaryIO) -> None:
    """Write a file completely or not at all, creating its folder if needed. Raises: OSError.

    Other processes may read or write the same file at any time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    try:
        with partial.open("wb") as file:
            if isinstance(data, bytes):
                file.write(data)
            else:
                shutil.copyfileobj(data, file, _PIECE_BYTES)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
