import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.library import uploads as uploads_module
from app.library.files import Origin
from app.library.state import StateFolder
from app.library.uploads import StorageError, Uploads
from tests.process import ROOT


def put(uploads: Uploads, filename: str, content: bytes = b"x") -> str:
    """The name that the file is kept under."""
    with uploads.receive(filename, io.BytesIO(content)) as received:
        for target in uploads.candidates(received, set()):
            if uploads._state.publish(received, target):
                return target.path.name
    raise AssertionError


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(StateFolder(tmp_path / "state"))


def test_a_file_is_kept_under_its_own_name(uploads: Uploads) -> None:
    assert put(uploads, "../mine.h5", b"model") == "mine.h5"
    assert [path.name for path in uploads.folder.iterdir()] == ["mine.h5"]
    assert (uploads.folder / "mine.h5").read_bytes() == b"model"


def test_no_file_replaces_another(uploads: Uploads) -> None:
    assert [put(uploads, "mine.keras", content) for content in (b"a", b"b", b"c")] == [
        "mine.keras",
        "mine-2.keras",
        "mine-3.keras",
    ]
    assert [path.read_bytes() for path in sorted(uploads.folder.iterdir())] == [b"b", b"c", b"a"]


def test_names_that_are_taken_are_left_out(uploads: Uploads) -> None:
    with uploads.receive("mine.keras", io.BytesIO(b"x")) as received:
        target = next(uploads.candidates(received, {"mine", "mine-2"}))
    assert (target.name, target.path.name, target.origin) == ("mine-3", "mine-3.keras", Origin.UPLOADED)


def test_a_file_that_is_not_put_anywhere_is_gone(uploads: Uploads) -> None:
    with pytest.raises(KeyError), uploads.receive("mine.keras", io.BytesIO(b"x")) as received:
        assert received.name == "mine.keras"
        raise KeyError
    assert list(uploads.folder.iterdir()) == []


def test_no_more_than_a_number(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "MAX_MODELS", 2)
    put(uploads, "a.keras")
    put(uploads, "b.keras")
    with pytest.raises(StorageError, match=r"already keeps 2 uploaded models.* Remove one first"):
        put(uploads, "c.keras")
    (uploads.folder / "a.keras").unlink()
    assert put(uploads, "c.keras") == "c.keras"


def test_no_more_than_so_many_bytes(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "MAX_BYTES", 1_000)
    put(uploads, "a.keras", bytes(600))
    with pytest.raises(StorageError, match="at most 1,000 bytes of uploaded models"):
        put(uploads, "b.keras", bytes(600))
    assert put(uploads, "c.keras", bytes(400)) == "c.keras"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("A file.")
    with pytest.raises(StorageError, match="cannot be kept on this machine: Not a directory"):
        put(Uploads(StateFolder(tmp_path / "state")), "a.keras")


DIE = """
import io, os, sys, time
from pathlib import Path
from app.library.files import ModelFile, Origin, stamp_of
from app.library.state import StateFolder
from app.library.uploads import Uploads

uploads = Uploads(StateFolder(Path(sys.argv[1])))
with uploads.receive("mine.keras", io.BytesIO(bytes(1000))) as received:
    file = next(uploads.candidates(received, set()))
    if sys.argv[2] != "received":
        uploads.note_candidate(received, file)
        for ending in (".model", ".json", ".card.json"):
            uploads._state.write(file.key + ending, b"found")
    if sys.argv[2] == "published":
        uploads._state.publish(received, file)
    print(file.key, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("step", ["received", "opened", "published"])
def test_what_a_killed_process_left_is_deleted_and_what_is_under_way_is_not(tmp_path: Path, step: str) -> None:
    def left() -> set[str]:
        return {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()}

    command = [sys.executable, "-c", DIE, str(tmp_path), step]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        key = process.stdout.readline().strip()
        found = set() if step == "received" else {f"{key}.model", f"{key}.json", f"{key}.card.json"}
        uploads = Uploads(StateFolder(tmp_path))
        with uploads.receive("other.keras", io.BytesIO(b"x")) as received:
            process.kill()
            process.wait()
            assert left() == {"uploads", *found}
            uploads = Uploads(StateFolder(tmp_path))  # as the next worker does
            assert received.read_bytes() == b"x"
    is_there = step == "published"
    assert left() == ({"uploads", *found} if is_there else set())
    assert [path.name for path in uploads.folder.iterdir()] == ["mine.keras"] * is_there


def test_a_file_that_was_half_written_long_ago_is_deleted(tmp_path: Path) -> None:
    for name, age in (("old", 4000), ("new", 10)):
        path = tmp_path / f"0123.model.{name}.partial"
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age,) * 2)
    Uploads(StateFolder(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["0123.model.new.partial"]
