import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.library.files import ENDINGS, ModelFile, Origin, find_files, safe_filename, stamp_of

NOWHERE = Path("/nowhere")


def touch(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return [folder / name for name in names]


def names(files: tuple[ModelFile, ...]) -> list[str]:
    return [file.name for file in files]


def test_a_built_in_model_is_one_with_its_card(tmp_path: Path) -> None:
    touch(tmp_path, "b.keras", "b.json", "a.keras", "c.json", "d.h5", "d.json")
    files = find_files(tmp_path)
    assert names(files) == ["b", "d"]
    assert {file.origin for file in files} == {Origin.BUILT_IN}
    assert all(file.card_stamp for file in files)


def test_a_person_s_own_need_none(tmp_path: Path) -> None:
    touch(tmp_path, "b.keras", "A.H5", "c.hdf5", "b.json", "notes.txt", "model.weights", ".hidden.keras", "._b.keras")
    files = find_files(NOWHERE, folders=[tmp_path])
    assert names(files) == ["A", "b", "c"]
    assert {file.origin for file in files} == {Origin.OWN}
    assert [file.card_stamp is None for file in files] == [True, False, True]


def test_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    assert find_files(NOWHERE, [NOWHERE, tmp_path], [tmp_path / "gone.keras"], NOWHERE) == ()


def test_a_folder_goes_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    touch(folder, "a.keras")
    before = find_files(NOWHERE, [folder])
    folder.rename(tmp_path / "elsewhere")
    assert find_files(NOWHERE, [folder]) == ()
    (tmp_path / "elsewhere").rename(folder)
    assert find_files(NOWHERE, [folder]) == before


def test_a_file_that_changed_is_another(tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "a.keras")
    (before,) = find_files(NOWHERE, [tmp_path])
    path.write_bytes(b"xy")
    (after,) = find_files(NOWHERE, [tmp_path])
    assert before.name == after.name and before.key != after.key
    assert after.size == 2


def test_models_of_the_same_name_have_a_number_and_a_note(tmp_path: Path) -> None:
    touch(tmp_path / "first", "digits.keras", "digits.json")
    touch(tmp_path / "second", "digits.h5", "digits.keras")
    files = find_files(tmp_path / "first", [tmp_path / "second"])
    assert names(files) == ["digits", "digits-2", "digits-3"]
    assert files[0].note is None
    assert files[1].note == "Another model is called “digits”, so this one, “digits.h5”, is “digits-2”."


def test_a_number_that_is_a_name_already(tmp_path: Path) -> None:
    touch(tmp_path / "first", "a.keras", "a-2.keras")
    touch(tmp_path / "second", "a.keras")
    files = find_files(NOWHERE, [tmp_path / "first", tmp_path / "second"])
    assert names(files) == ["a", "a-2", "a-3"]


def test_the_same_folder_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = touch(tmp_path / "models", "a.keras")
    (tmp_path / "link").symlink_to(tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    folders = [tmp_path / "models", Path("models"), Path("models/../models"), tmp_path / "link"]
    assert names(find_files(NOWHERE, folders, [path, Path("models/a.keras")])) == ["a"]


def test_the_built_in_folder_named_once_more_stays_built_in(tmp_path: Path) -> None:
    touch(tmp_path, "a.keras", "a.json", "b.keras")
    files = find_files(tmp_path, [tmp_path])
    assert [(file.name, file.origin) for file in files] == [("a", Origin.BUILT_IN), ("b", Origin.OWN)]


def test_links_to_files(tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "a.keras")
    (tmp_path / "latest.keras").symlink_to(path)
    (tmp_path / "loop.keras").symlink_to(tmp_path / "loop.keras")
    (tmp_path / "nothing.keras").symlink_to(tmp_path / "gone.keras")
    before = find_files(NOWHERE, [tmp_path])
    assert names(before) == ["a", "latest"]
    path.write_bytes(b"changed")
    assert [file.stamp for file in find_files(NOWHERE, [tmp_path])] == [stamp_of(path)] * 2


def test_a_folder_that_is_called_as_a_model_is_listed(tmp_path: Path) -> None:
    (tmp_path / "saved.keras").mkdir()
    assert names(find_files(NOWHERE, [tmp_path])) == ["saved"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("two words.keras", "two words"),
        ("Ünï.keras", "Ünï"),
        ("模型.keras", "模型"),
        ("a'b\"c.keras", "a'b\"c"),
        ("<script>alert(1)<.keras", "<script>alert(1)<"),
        ("a\nb\r\x1b[0m.keras", "a·b··[0m"),
        ("caf\udce9.keras", "caf·"),
        ("prediction.keras", "prediction"),
        ("50%25?#&.keras", "50%25?#&"),
        ("x" * 249 + ".keras", "x" * 249),
    ],
)
def test_names_as_they_come(tmp_path: Path, filename: str, name: str) -> None:
    touch(tmp_path, filename)
    (file,) = find_files(NOWHERE, [tmp_path])
    assert file.name == name
    assert file.path.name == filename
    assert len(file.key) == 32


@pytest.mark.parametrize("filename", ["...keras", "..keras", ".h5"])
def test_a_name_that_would_lead_elsewhere_in_an_address(tmp_path: Path, filename: str) -> None:
    files = find_files(NOWHERE, files=touch(tmp_path, filename))
    assert names(files) in (["model"], ["h5"])


@pytest.mark.parametrize(
    ("filename", "kept"),
    [
        ("mine.keras", "mine.keras"),
        ("MINE.H5", "MINE.h5"),
        ("mine.hdf5", "mine.hdf5"),
        ("mine.pt", "mine.keras"),
        ("mine", "mine.keras"),
        ("", "model.keras"),
        (".", "model.keras"),
        ("..", "model.keras"),
        ("../../etc/passwd", "passwd.keras"),
        ("..\\..\\boot.h5", "boot.h5"),
        ("/etc/cron.d/x.keras", "x.keras"),
        ("C:\\models\\x.keras", "x.keras"),
        ("a\r\nSet-Cookie: b.keras", "aSet-Cookie b.keras"),
        ("a\x00b\x1b.keras", "ab.keras"),
        ('a"b<c>.keras', "abc.keras"),
        ("my %22best%22%0D%0A.keras", "my best.keras"),
        (".hidden.keras", "hidden.keras"),
        (" .keras", "model.keras"),
        ("Zoë’s 模型.keras", "Zoë’s 模型.keras"),
        ("\ud800.keras", "model.keras"),
    ],
)
def test_the_file_name_of_an_upload(filename: str, kept: str) -> None:
    assert safe_filename(filename) == kept


@given(st.text(max_size=400))
def test_no_file_name_of_an_upload_leaves_its_folder(filename: str) -> None:
    kept = safe_filename(filename)
    assert kept == Path(kept).name
    assert not kept.startswith(".") and kept.endswith(ENDINGS) and kept.isprintable()
    assert len(kept.encode()) < 150


def labels(files: tuple[ModelFile, ...]) -> dict[str, str | None]:
    return {file.name: file.labels_path.name if file.labels_path else None for file in files}


def test_labels_lie_beside_their_model(tmp_path: Path) -> None:
    touch(tmp_path, "a.keras", "b.zip", "a.labels.txt", "labels.txt")
    files = find_files(NOWHERE, [tmp_path])
    assert labels(files) == {"a": "a.labels.txt", "b": None}  # labels.txt could be either's
    (tmp_path / "b.zip").unlink()
    (tmp_path / "a.labels.txt").unlink()
    (before,) = find_files(NOWHERE, [tmp_path])
    assert labels((before,)) == {"a": "labels.txt"}
    (tmp_path / "labels.txt").write_text("more")
    (after,) = find_files(NOWHERE, [tmp_path])
    assert after != before and after.key == before.key  # the model itself need not be opened again


def test_labels_of_a_single_file_of_a_person_s_own(tmp_path: Path) -> None:
    touch(tmp_path, "a.keras", "labels.txt")
    assert labels(find_files(NOWHERE, files=[tmp_path / "a.keras"])) == {"a": "labels.txt"}


def test_what_came_with_the_app_and_uploads_have_cards(tmp_path: Path) -> None:
    touch(tmp_path, "a.keras", "a.json", "labels.txt")
    assert labels(find_files(tmp_path)) == labels(find_files(NOWHERE, uploads=tmp_path)) == {"a": None}


def test_an_unpacked_zip_is_called_as_its_folder(tmp_path: Path) -> None:
    touch(tmp_path / "pets", "keras_model.h5", "labels.txt")
    touch(tmp_path / "hands", "keras_model.h5", "labels.txt")
    touch(tmp_path / "without", "m.h5", "notes.txt")
    touch(tmp_path / "two", "a.h5", "b.h5", "labels.txt")
    touch(tmp_path / ".hidden", "m.h5", "labels.txt")
    touch(tmp_path / "pets" / "deeper", "m.h5", "labels.txt")
    assert labels(find_files(NOWHERE, [tmp_path])) == {"hands": "labels.txt", "pets": "labels.txt"}
    assert labels(find_files(NOWHERE, [tmp_path / "pets"])) == {"keras_model": "labels.txt", "deeper": "labels.txt"}
