import io
from pathlib import Path

import pytest

from app.library import uploads as uploads_module
from app.library.files import Origin
from app.library.uploads import StorageError, Uploads


def put(uploads: Uploads, filename: str, content: bytes = b"x") -> str:
    """The name that the file is kept under."""
    with uploads.receive(filename, io.BytesIO(content)) as received:
        for target in uploads.candidates(received, set()):
            if uploads.publish(received, target):
                return target.path.name
    raise AssertionError


def test_a_file_is_kept_under_its_own_name(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "new" / "uploads")
    assert put(uploads, "../mine.h5", b"model") == "mine.h5"
    assert [path.name for path in uploads.folder.iterdir()] == ["mine.h5"]
    assert (uploads.folder / "mine.h5").read_bytes() == b"model"


def test_no_file_replaces_another(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    assert [put(uploads, "mine.keras", content) for content in (b"a", b"b", b"c")] == [
        "mine.keras",
        "mine-2.keras",
        "mine-3.keras",
    ]
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"b", b"c", b"a"]


def test_names_that_are_taken_are_left_out(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    with uploads.receive("mine.keras", io.BytesIO(b"x")) as received:
        target = next(uploads.candidates(received, {"mine", "mine-2"}))
    assert (target.name, target.path.name, target.origin) == ("mine-3", "mine-3.keras", Origin.UPLOADED)


def test_a_file_that_is_not_put_anywhere_is_gone(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Uploads(tmp_path).receive("mine.keras", io.BytesIO(b"x")) as received:
        assert received.name == "mine.keras"
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_no_more_than_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "MAX_MODELS", 2)
    uploads = Uploads(tmp_path)
    put(uploads, "a.keras")
    put(uploads, "b.keras")
    with pytest.raises(StorageError, match=r"already keeps 2 uploaded models.* Remove one first"):
        put(uploads, "c.keras")
    (tmp_path / "a.keras").unlink()
    assert put(uploads, "c.keras") == "c.keras"


def test_no_more_than_so_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "MAX_BYTES", 1_000)
    uploads = Uploads(tmp_path)
    put(uploads, "a.keras", bytes(600))
    with pytest.raises(StorageError, match="at most 1,000 bytes of uploaded models"):
        put(uploads, "b.keras", bytes(600))
    assert put(uploads, "c.keras", bytes(400)) == "c.keras"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("A file.")
    with pytest.raises(StorageError, match="cannot be kept on this machine: Not a directory"):
        put(Uploads(tmp_path / "state" / "uploads"), "a.keras")
