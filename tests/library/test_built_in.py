"""Files that came with Layerglass are opened here, and what was found in them is remembered."""

from pathlib import Path

import pytest

from app.library.built_in import BuiltIn
from app.library.files import ModelFile, find_files
from app.model_files.errors import ModelError


def only_file(folder: Path) -> ModelFile:
    (file,) = find_files(folder)
    return file


def test_a_file_is_known_once_it_was_opened(built_in: Path) -> None:
    models, file = BuiltIn(), only_file(built_in)
    assert file not in models
    assert models.layers(file) is None
    parts = models.open(file)
    assert file in models
    assert models.layers(file) == parts.layers
    assert [layer.name for layer in parts.layers] == ["flatten", "hidden", "answer"]


def test_a_file_that_does_not_open_is_refused_each_time_for_the_same_reason(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"nothing")
    (tmp_path / "m.json").write_text("{}")
    models, file = BuiltIn(), only_file(tmp_path)
    for ask in (models.open, models.layers, models.layers):
        with pytest.raises(ModelError, match="not a Keras model"):
            ask(file)
    assert file in models


def test_a_file_that_was_away_for_a_moment_is_opened_when_it_is_back(built_in: Path) -> None:
    models, file = BuiltIn(), only_file(built_in)
    away = file.path.rename(file.path.with_suffix(".away"))
    with pytest.raises(ModelError, match="There is no file"):
        models.open(file)
    assert file not in models
    away.rename(file.path)
    assert models.open(file).layers
