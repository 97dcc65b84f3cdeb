"""Folders of a person's own pictures."""

from pathlib import Path

import pytest

from app.explore.picture_folders import NoPictures, PictureFolders, UnknownPictures


def test_pictures_are_found_in_folders_that_are_their_classes(tmp_path: Path) -> None:
    for name in ("cats/b.PNG", "cats/a.jpg", "dogs/old/c.webp", "notes.txt", ".hidden.png", ".git/d.png"):
        file = tmp_path / "zoo" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    outside = tmp_path / "outside.png"
    outside.touch()
    (tmp_path / "zoo" / "link.png").symlink_to(outside)
    folder = PictureFolders([tmp_path / "zoo"]).folder("zoo")
    assert [each.name for each in folder.files] == ["a.jpg", "b.PNG", "c.webp"]
    assert folder.classes == ("cats", "dogs/old") and folder.labels == (0, 0, 1)
    assert folder.take(2).tolist() == [0, 1] and folder.take(100).tolist() == [0, 1, 2]


def test_a_folder_without_folders_is_one_class_and_names_differ(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "mine").mkdir(parents=True)
        (tmp_path / parent / "mine" / "x.png").touch()
    folders = PictureFolders([tmp_path / "a" / "mine", tmp_path / "b" / "mine"])
    assert folders.names == ["mine", "mine 2"]
    assert folders.folder("mine").classes == ("mine",)


def test_what_is_not_there_says_what_is(tmp_path: Path) -> None:
    folders = PictureFolders([tmp_path])
    with pytest.raises(UnknownPictures, match=rf"There are: “{tmp_path.name}”"):
        folders.folder("other")
    with pytest.raises(NoPictures, match="has no picture in it"):
        folders.folder(tmp_path.name)
    with pytest.raises(UnknownPictures, match="--pictures FOLDER"):
        PictureFolders().folder("other")


def test_of_too_many_pictures_some_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.explore.picture_folders.MOST_PICTURES", 2)
    for number in range(5):
        (tmp_path / f"{number}.png").touch()
    folder = PictureFolders([tmp_path]).folder(tmp_path.name)
    assert len(folder.files) == 2 and folder.left_out == 3
