"""Uploaded model files."""

import os
import shutil
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Self

from ..temporary import TemporaryFolder, remove_leftovers
from .files import ModelFile, Origin, PlainEndings, safe_filename, stamp_of
from .state import StateFolder

MAX_MODELS = 32
MAX_BYTES = 2**30  # of all uploaded models

_PRIVATE = ".upload-"  # begins the name of a folder with an upload that is under way
_CANDIDATES = ".candidates"  # in such a folder: the keys that the file has had so far
_LEFT_SECONDS = 3600  # since its last byte, after which a file is not being written any more

_MAKE_ROOM = "Remove one first, or serve a folder of models with --models."


class StorageError(Exception):
    """The server cannot store or delete a file, or has no room for it. The message says why."""

    @classmethod
    def from_os_error(cls, error: OSError) -> Self:
        return cls(f"The file cannot be kept on this machine: {error.strerror}.")


class Uploads:
    """A folder with a bounded number of model files. Several processes may share it.

    A file appears completely or not at all, and is never replaced by another one.
    """

    def __init__(self, state: StateFolder) -> None:
        """Delete what a process left of an upload that was killed in the middle of it."""
        self._state = state
        self.folder = state.uploads
        self.remove_leftovers()

    @contextmanager
    def receive(self, filename: str, content: BinaryIO) -> Iterator[Path]:
        """Write an upload to a private folder, which is deleted afterwards. Raises: StorageError."""
        self.remove_leftovers()
        try:
            self.require_room(0)
            self.folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFolder(self.folder, _PRIVATE) as private:
                path = Path(private, safe_filename(filename, PlainEndings()))
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file)
                self.require_room(path.stat().st_size)
                yield path
        except OSError as error:
            raise StorageError.from_os_error(error) from error

    def remove_leftovers(self) -> None:
        """Delete what killed processes left of uploads, with what was found in them. Others' uploads go on."""
        remove_leftovers(self.folder, _PRIVATE, before=self._forget_candidates)
        last = time.time() - _LEFT_SECONDS
        for path in [*self.folder.parent.glob("*.partial"), *self.folder.glob("*.partial")]:
            with suppress(OSError):
                if path.stat().st_mtime < last:
                    path.unlink()

    def note_candidate(self, received: Path, file: ModelFile) -> None:
        """Note a key under which something is kept about a received file before it is published. Raises: OSError."""
        with received.with_name(_CANDIDATES).open("a", encoding="ascii") as noted:
            noted.write(f"{file.key}\n")

    def _forget_candidates(self, private: Path) -> None:
        """Delete what is kept about the upload that was in a folder, unless it has been published."""
        published = {stamp for path in self.folder.glob("[!.]*") if (stamp := stamp_of(path))}
        if any(stamp_of(path) in published for path in private.iterdir()):
            return
        noted = private / _CANDIDATES
        for key in noted.read_text(encoding="ascii").split() if noted.exists() else ():
            for path in self._state.path.glob(f"{key}.*"):
                path.unlink(missing_ok=True)

    def require_room(self, size: int) -> None:
        """Raises: StorageError, if there is no room for one more model of so many bytes."""
        sizes = list(self._sizes())
        if len(sizes) >= MAX_MODELS:
            raise StorageError(
                f"This server already keeps {MAX_MODELS} uploaded models, the most that it takes. {_MAKE_ROOM}"
            )
        if sum(sizes) + size > MAX_BYTES:
            raise StorageError(f"This server keeps at most {MAX_BYTES:,} bytes of uploaded models. {_MAKE_ROOM}")

    def candidates(self, received: Path, taken: Container[str], lambdas: str = "") -> Iterator[ModelFile]:
        """Yield what the received file could become: under its own name if it is free, then with a number.

        lambdas: what its Lambda layers compute, as JSON.
        """
        stamp, number, published = stamp_of(received), 1, Path(safe_filename(received.name))
        assert stamp is not None
        name = published.stem
        while True:
            if name not in taken:
                path = self.folder / (name + published.suffix)
                yield ModelFile(name, path, Origin.UPLOADED, stamp, None, lambdas=lambdas)
            number += 1
            name = f"{published.stem}-{number}"

    def _sizes(self) -> Iterator[int]:
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and (stamp := stamp_of(Path(entry.path))):
                    yield stamp[1]
