"""Pipes and devices in the folders of models: the list is there at once, and says what is wrong."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.library.library import Library
from app.library.models import ModelState
from app.main import create_app
from app.model_files.errors import ModelError
from app.settings import Settings
from tests.model_files.files import small_file
from tests.model_files.test_regular_files import KINDS, link_to_device, make_pipe, within

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes among its files")

each_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


@each_kind
def test_a_card_that_is_no_file(make: Callable[[Path], None], models: Path, tmp_path: Path) -> None:
    folder = small_file(tmp_path).parent
    make(folder / "small.json")
    with within(20):
        library = Library(models, [folder])
        entry = library.entry("small")
        library.close()
    assert entry.state is ModelState.BROKEN
    assert entry.error == "Its card “small.json” cannot be read: it is not a regular file."


@each_kind
def test_what_belongs_to_no_model_is_left_alone(make: Callable[[Path], None], models: Path, tmp_path: Path) -> None:
    make(tmp_path / "x.json")
    with within(20):
        library = Library(models, [tmp_path])
        names = [entry.name for entry in library]
        library.close()
    assert names and "x" not in names


@each_kind
def test_a_built_in_model_that_is_no_file(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "x.keras")
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    with within(20):
        library = Library(tmp_path)
        library.open_default()
        entry = library.entry("x")
        library.close()
    assert entry.state is ModelState.BROKEN


@pytest.mark.parametrize("place", ["folder", "file"])
@pytest.mark.parametrize("make", [make_pipe, link_to_device])
def test_the_page_is_there_all_the_same(make: Callable[[Path], None], place: str, models: Path, tmp_path: Path) -> None:
    make(tmp_path / "x.keras")
    (tmp_path / "x.json").symlink_to("/dev/zero")
    make_pipe(tmp_path / "y.json")
    os.symlink(tmp_path / "pipe-of-nobody", tmp_path / "z.keras")
    folders, files = ((tmp_path,), ()) if place == "folder" else ((), (tmp_path / "x.keras",))
    settings = Settings(built_in_models=models, allowed_hosts="testserver", models=folders, model=files)
    with within(30), TestClient(create_app(settings)) as client:
        listed = {model["name"]: model for model in client.get("/api/models").json()}
        assert listed["x"]["state"] == "broken"
        assert "y" not in listed and "z" not in listed
        assert client.get("/").status_code == 200
        assert client.get("/models").status_code == 200


@each_kind
def test_a_model_that_is_no_file_is_refused_by_the_child_process(
    make: Callable[[Path], None], models: Path, tmp_path: Path
) -> None:
    make(tmp_path / "x.keras")
    with within(30):
        library = Library(models, [tmp_path])
        with pytest.raises(ModelError, match=r"“x\.keras” is not a regular file"):
            library.network("x")
        library.close()
