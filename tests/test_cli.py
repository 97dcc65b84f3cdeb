import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli


@pytest.fixture(autouse=True)
def environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}).invoke(cli, arguments)


def test_help_names_the_commands() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in ("serve", "train", "evaluate"):
        assert command in result.output


def test_without_a_command_the_help_is_shown() -> None:
    assert "Usage" in run().output


def test_the_help_of_serve_names_its_options() -> None:
    result = run("serve", "--help")
    assert result.exit_code == 0
    for option in ("--host", "--port", "--workers", "--models"):
        assert option in result.output


def test_a_folder_without_models_is_said_in_a_sentence(tmp_path: Path) -> None:
    result = run("serve", "--models", str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr == (
        f"No model found in {tmp_path}: expected NAME.keras with its card NAME.json beside it. "
        "Train one with `layerglass train`, or name another folder with --models.\n"
    )


def test_a_model_without_a_card_is_none(tmp_path: Path) -> None:
    (tmp_path / "digits.keras").touch()
    assert run("serve", "--models", str(tmp_path)).exit_code == 2


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = run("serve", "--models", str(tmp_path / "missing"))
    assert result.exit_code == 2
    assert "missing" in result.stderr


@pytest.mark.parametrize(("option", "value"), [("--port", "70000"), ("--port", "web"), ("--workers", "0")])
def test_an_option_that_cannot_be_is_refused(option: str, value: str, tmp_path: Path) -> None:
    result = run("serve", option, value, "--models", str(tmp_path))
    assert result.exit_code == 2
    assert option in result.stderr


def test_an_unknown_command_is_refused() -> None:
    result = run("paint")
    assert result.exit_code == 2
    assert "paint" in result.stderr
