"""Uploaded model files."""

import os
import secrets
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Self

from .files import ModelFile, Origin, PlainEndings, safe_filename, stamp_of

MAX_MODELS = 32
MAX_BYTES = 2**30  # of all uploaded models

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

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def receive(self, filename: str, content: BinaryIO) -> Iterator[Path]:
        """Write an upload to a private folder, which is deleted afterwards. Raises: StorageError."""
        private = self.folder / f".{secrets.token_hex(8)}"
        try:
            self.require_room(0)
            private.mkdir(parents=True)
            path = private / safe_filename(filename, PlainEndings())
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)
            self.require_room(path.stat().st_size)
            yield path
        except OSError as error:
            raise StorageError.from_os_error(error) from error
        finally:
            shutil.rmtree(private, ignore_errors=True)

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

    def publish(self, received: Path, target: ModelFile) -> bool:
        """Add the received file to the folder; False if another file has just taken its name."""
        try:
            os.link(received, target.path)
        except FileExistsError:
            return False
        return True

    def delete(self, file: ModelFile) -> None:
        """Delete a file. Raises: OSError."""
        file.path.unlink(missing_ok=True)

    def _sizes(self) -> Iterator[int]:
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and (stamp := stamp_of(Path(entry.path))):
                    yield stamp[1]
