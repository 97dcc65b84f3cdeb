"""Opens files as the child process does, in this one: what is tested around it need not wait for a process."""

import io
from pathlib import Path
from typing import ClassVar

import pytest

from app.library import library, scanner
from app.model_files.errors import ModelError
from app.model_files.serialization import parse_scan_result
from app.workers import opener
from app.workers.sandbox import SerializedModel


class InProcessSandbox:
    """In the place of app.workers.sandbox.Sandbox."""

    opened: ClassVar[list[str]] = []  # the names of the files, in the order in which they were opened

    def __enter__(self) -> "InProcessSandbox":
        return self

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None: ...

    def stop(self) -> None: ...

    def open(self, path: Path, lambdas: str = "") -> SerializedModel:
        self.opened.append(path.name)
        told, parts = opener.open_file(path, 1024, lambdas)
        found = parse_scan_result(told)
        if isinstance(found, ModelError):
            raise found
        return SerializedModel(found, io.BytesIO(b"".join(parts)))


def use_in_process_sandbox(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let no child process start from now on. The names of the files that are opened."""
    monkeypatch.setattr(InProcessSandbox, "opened", [])
    monkeypatch.setattr(scanner, "Sandbox", InProcessSandbox)
    monkeypatch.setattr(library, "open_in_sandbox", lambda path, lambdas="": InProcessSandbox().open(path, lambdas))
    return InProcessSandbox.opened
