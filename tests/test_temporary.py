import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.temporary import PREFIX, TemporaryFolder, remove_leftovers, remove_own
from tests.process import ROOT

fcntl = pytest.importorskip("fcntl", reason="folders are locked on Unix alone")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def leftover(place: Path) -> Path:
    """A folder whose process was killed."""
    program = (
        "import time; from app.temporary import TemporaryFolder\n"
        "folder = TemporaryFolder(); print(folder.name, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "TMPDIR": str(place)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        (folder / "uploads").mkdir()
        (folder / "uploads" / "mine.keras").touch()
        remove_leftovers()
        assert (folder / "uploads").is_dir()  # its process lives
        process.send_signal(signal.SIGKILL)
    return folder


def test_a_folder_is_deleted_with_all_that_is_in_it(place: Path) -> None:
    with TemporaryFolder() as name:
        assert Path(name).name.startswith(PREFIX)
        Path(name, "file").touch()
        assert Path(name).stat().st_mode & 0o777 == 0o700
    assert list(place.iterdir()) == []


def test_what_a_killed_process_left_is_deleted_when_the_next_folder_is_made(place: Path, leftover: Path) -> None:
    assert leftover.is_dir()
    with TemporaryFolder() as name:
        assert list(place.iterdir()) == [Path(name)]


def test_a_folder_in_use_stays() -> None:
    with TemporaryFolder() as first, TemporaryFolder() as second:
        remove_leftovers()
        assert Path(first).is_dir() and Path(second).is_dir()


def test_what_is_not_surely_a_leftover_stays(place: Path, leftover: Path) -> None:
    (without_lock := place / f"{PREFIX}a").mkdir()
    (other := place / "other").mkdir()
    (other / ".lock").touch()
    (link := place / f"{PREFIX}b").symlink_to(other)
    (file := place / f"{PREFIX}c").touch()
    (linked_lock := place / f"{PREFIX}d").mkdir()
    (linked_lock / ".lock").symlink_to(other / ".lock")
    remove_leftovers()
    assert not leftover.exists()
    assert {without_lock, other, link, file, linked_lock} == set(place.iterdir())


def test_another_user_s_folder_stays(leftover: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    remove_leftovers()
    assert leftover.is_dir()


def test_a_process_that_is_about_to_end_deletes_its_own_folders_alone(place: Path, leftover: Path) -> None:
    first, second = TemporaryFolder(), TemporaryFolder()
    (other := place / f"{PREFIX}a").mkdir()
    remove_own()
    assert list(place.iterdir()) == [other]
    first.cleanup()
    second.cleanup()


def test_without_locks_a_folder_is_made_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with TemporaryFolder() as name:
        remove_leftovers()
        assert Path(name).is_dir()


def test_without_a_place_for_it_there_is_nothing_to_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    remove_leftovers()
    with pytest.raises(OSError, match="nowhere"):
        TemporaryFolder()
