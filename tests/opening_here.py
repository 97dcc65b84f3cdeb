"""Opens files as the child process does, in this one: what is tested around it need not wait for a process."""

from pathlib import Path
from typing import ClassVar

import pytest

from app import library
from app.opening import child
from app.opening.finding import read_finding
from app.opening.opener import Parcel
from app.opening.unusable import UnusableModel
from app.shelf import survey


class OpenerHere:
    """In the place of app.opening.opener.Opener."""

    opened: ClassVar[list[str]] = []  # the names of the files, in the order in which they were opened

    def __enter__(self) -> "OpenerHere":
        return self

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None: ...

    def stop(self) -> None: ...

    def open(self, path: Path) -> Parcel:
        self.opened.append(path.name)
        told, data = child.open_file(path, 1024)
        found = read_finding(told)
        if isinstance(found, UnusableModel):
            raise found
        return Parcel(found, data)


def open_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let no child process start from now on. The names of the files that are opened."""
    monkeypatch.setattr(OpenerHere, "opened", [])
    monkeypatch.setattr(survey, "Opener", OpenerHere)
    monkeypatch.setattr(library, "open_in_child", lambda path: OpenerHere().open(path))
    return OpenerHere.opened
