import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from tests.pictures import four_png


@pytest.fixture(autouse=True)
def built_in_models(monkeypatch: pytest.MonkeyPatch, models: Path) -> None:
    monkeypatch.setenv("LAYERGLASS_BUILT_IN_MODELS", str(models))


def maps(*arguments: str | Path) -> Result:
    environment = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}
    return CliRunner(env=environment).invoke(cli, ["maps", *map(str, arguments)])


def test_a_folder_is_written_for_each_picture(tmp_path: Path) -> None:
    for name in ("four.png", "four.PNG.png", "again/four.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(four_png())
    pictures = [tmp_path / "four.png", tmp_path / "again" / "four.png"]
    result = maps("digits", *pictures, "--out", tmp_path / "maps", "--pooling", "min", "--layers", "conv1")
    assert result.exit_code == 0, result.stderr
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == list(map(str, pictures))
    assert sorted(os.listdir(tmp_path / "maps")) == ["four", "four-2"]
    assert sorted(os.listdir(tmp_path / "maps" / "four-2")) == ["activations.npz", "conv1.png", "prediction.json"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "four.png"], "maps: There is no model “nowhere”"),
        (["nowhere.keras", "four.png"], "maps: There is no file nowhere.keras."),
        (["digits", "four.png", "--layers", "nowhere"], "nowhere"),
        (["digits", "missing.png"], "missing.png"),
        (["digits", "empty.png"], "maps: The drawing is an empty file"),
        (["digits", "four.png", "--zoom", "0"], "--zoom"),
        (["digits", "four.png", "--pooling", "median"], "--pooling"),
        (["digits"], "PICTURE"),
    ],
)
def test_what_cannot_be_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("four.png").write_bytes(four_png())
    Path("empty.png").touch()
    result = maps(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr and "Traceback" not in result.stderr
    assert not Path("maps").exists()
