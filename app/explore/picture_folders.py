"""Folders of a person's own pictures, named when the server starts: what is in them, found once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MOST_PICTURES = 10_000  # of a folder
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}


class UnknownPictures(LookupError):
    """There is no folder of pictures of this name. The message says which there are."""


class NoPictures(ValueError):
    """A folder has no picture in it."""


@dataclass(frozen=True, eq=False)
class PictureFolder:
    """Pictures of one folder. Where they lie in folders of their own, these are their classes."""

    name: str  # in addresses
    files: tuple[Path, ...]
    classes: tuple[str, ...]  # at least one
    labels: tuple[int, ...]  # the class of each picture
    left_out: int = 0  # pictures beyond the most that are listed

    def take(self, count: int) -> NDArray[np.intp]:
        """Return the numbers of so many pictures, evenly spread over all of them; all, where there are fewer."""
        most = len(self.files)
        chosen = min(count, most)
        return np.arange(chosen) * most // chosen


class PictureFolders:
    """The folders that the server was given."""

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        """List what is in them; nothing is opened. Hidden files, and links that lead out of a folder, are left out."""
        self._folders: dict[str, PictureFolder] = {}
        for path in paths:
            name, number = path.resolve().name or "pictures", 2
            while name in self._folders:
                name, number = f"{path.name} {number}", number + 1
            self._folders[name] = _list(name, path)

    @property
    def names(self) -> list[str]:
        return list(self._folders)

    def folder(self, name: str) -> PictureFolder:
        """Return the folder of this name. Raises: UnknownPictures, NoPictures."""
        if name not in self._folders:
            named = ", ".join(f"“{each}”" for each in self._folders)
            there_are = f"There are: {named}" if named else "Serve some with --pictures FOLDER"
            raise UnknownPictures(f"There are no pictures called “{name[:80]}”. {there_are}.")
        found = self._folders[name]
        if not found.files:
            raise NoPictures(f"The folder “{name}” has no picture in it: PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF.")
        return found


def _list(name: str, path: Path) -> PictureFolder:
    root = path.resolve()
    found = sorted(_find(root, root))
    shown = found[:MOST_PICTURES]
    classes = sorted({each.parent.relative_to(root).as_posix() for each in shown}) or ["."]
    labels = tuple(classes.index(each.parent.relative_to(root).as_posix()) for each in shown)
    names = tuple(name if each == "." else each for each in classes)
    return PictureFolder(name, tuple(shown), names, labels, len(found) - len(shown))


def _find(folder: Path, root: Path) -> Iterator[Path]:
    """Return the pictures in a folder, and in the folders in it."""
    for each in folder.iterdir():
        if each.name.startswith("."):
            continue
        if each.is_symlink() and not each.resolve().is_relative_to(root):
            continue
        if each.is_dir() and not each.is_symlink():
            yield from _find(each, root)
        elif each.suffix.lower() in _SUFFIXES and each.is_file():
            yield each
