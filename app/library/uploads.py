"""The model files that were brought on the page."""

import os
import secrets
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.library.files import ModelFile, Origin, name_for, stamp_of

MAX_MODELS = 32
MAX_BYTES = 2**30  # of all uploaded models

_WAY_OUT = "Remove one first, or serve a folder of models with --models."


class NotKept(Exception):
    """The server cannot keep what was sent. The message says why."""

    @classmethod
    def because(cls, error: OSError) -> "NotKept":
        """What the system says of a file that it does not take."""
        return cls(f"The file cannot be kept on this machine: {error.strerror}.")


class Uploads:
    """A folder of a bounded number of model files, which several processes may share.

    A file is there completely or not at all, and is never replaced by another one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def receive(self, filename: str, content: BinaryIO) -> Iterator[Path]:
        """A file that is not among the others yet, called as it is by whoever sends it. Raises: NotKept."""
        private = self.folder / f".{secrets.token_hex(8)}"
        try:
            self._check_room(0)
            private.mkdir(parents=True)
            path = private / name_for(filename)
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)
            self._check_room(path.stat().st_size)
            yield path
        except OSError as error:
            raise NotKept.because(error) from error
        finally:
            shutil.rmtree(private, ignore_errors=True)

    def places(self, received: Path, taken: Container[str]) -> Iterator[ModelFile]:
        """What the received file could become: under its own name, or with a number where that is taken."""
        stamp, number, name = stamp_of(received), 1, received.stem
        assert stamp is not None
        while True:
            if name not in taken:
                yield ModelFile(name, self.folder / (name + received.suffix), Origin.UPLOADED, stamp, None)
            number += 1
            name = f"{received.stem}-{number}"

    def put(self, received: Path, place: ModelFile) -> bool:
        """Put the received file among the others; False where another one has just taken the place."""
        try:
            os.link(received, place.path)
        except FileExistsError:
            return False
        return True

    def remove(self, file: ModelFile) -> None:
        """Take a file away. Raises: OSError."""
        file.path.unlink(missing_ok=True)

    def _check_room(self, size: int) -> None:
        sizes = list(self._sizes())
        if len(sizes) >= MAX_MODELS:
            raise NotKept(f"This server already keeps {MAX_MODELS} uploaded models, the most that it takes. {_WAY_OUT}")
        if sum(sizes) + size > MAX_BYTES:
            raise NotKept(f"This server keeps at most {MAX_BYTES:,} bytes of uploaded models. {_WAY_OUT}")

    def _sizes(self) -> Iterator[int]:
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and (stamp := stamp_of(Path(entry.path))):
                    yield stamp[1]
