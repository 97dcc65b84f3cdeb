"""The command `experiment`."""

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from tests.experiments.networks import BUILT_IN
from tests.small_models import build_digits


@pytest.fixture(autouse=True)
def environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAYERGLASS_")}
    monkeypatch.setattr(os, "environ", kept)


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "1000", "TERM": "dumb", "NO_COLOR": "1"}).invoke(cli, ["experiment", *arguments])


def test_without_a_name_it_lists_all() -> None:
    result = run()
    assert result.exit_code == 0 and len(result.stdout.splitlines()) == 10
    assert "ink         What if ink and paper change places?" in result.stdout.splitlines()


def test_it_prints_the_table_and_the_sentence() -> None:
    result = run("ink", "--model", "figure-6-3", "--digits", "200")
    assert result.exit_code == 0 and "“figure-6-3” on 200 test digits." in result.stdout
    head = result.stdout.splitlines()[2]
    assert re.split("  +", head) == ["Pooling", "Ink and paper", "Accuracy", "Standard error, points"]
    said = "The claim holds. In all 39,200 cells, the minimum of dark ink is the maximum of bright ink."
    assert said in result.stdout


def test_json_and_csv_say_the_same() -> None:
    options = ["--model", "figure-6-3", "--digits", "100"]
    document = json.loads(run("ink", *options, "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(run("ink", *options, "--csv").stdout)))
    assert rows == [{name: str(value) for name, value in row.items()} for row in document["rows"]]
    assert document["command"] == "layerglass experiment ink --model figure-6-3 --digits 100"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["foo"], "There is no experiment “foo”. There is: resolution, poolings,"),
        (["ink", "--model", "nix"], "There is no model “nix”. There is: digits,"),
        (["ink", "--digits", "7"], "Ask for 100 to 10,000 digits. Received: 7."),
        (["ink", "--digits", "20000"], "Ask for 100 to 10,000 digits. Received: 20,000."),
        (["poolings", "--model", "five-layer-dense"], "The model “five-layer-dense” has no pooling layer"),
        (["shifts", "--model", "five-layer-convolutional"], "its answer is not one of several classes"),
        (["start", "--model", "figure-6-3"], "has another architecture than “untrained”"),
        (["start", "--model", "untrained"], "“untrained” is itself the start."),
        (["ink", "--json", "--csv"], "Choose --json or --csv."),
        (["ink", "--digits", "many"], "Invalid value for '--digits'"),
    ],
)
def test_what_cannot_be_asked_is_said(arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2 and sentence in result.stderr and "Traceback" not in result.output


def test_a_model_file_that_does_not_open_is_said(tmp_path: Path) -> None:
    path = tmp_path / "broken.keras"
    path.write_bytes(b"no model")
    result = run("ink", "--model", str(path))
    assert result.exit_code == 2 and "The model “broken” cannot be opened." in result.stderr


@pytest.mark.slow
def test_a_model_of_a_persons_own_is_asked_in_its_process(tmp_path: Path) -> None:
    path = tmp_path / "mine.keras"
    build_digits().save(path)
    for name in ("ink", "neighbours"):
        result = run(name, "--model", str(path), "--digits", "100", "--json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["model"] == "mine"


def test_a_library_without_the_models_it_compares_with_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix in ("keras", "json"):
        (tmp_path / f"figure-6-3.{suffix}").write_bytes((BUILT_IN / f"figure-6-3.{suffix}").read_bytes())
    monkeypatch.setitem(os.environ, "LAYERGLASS_BUILT_IN_MODELS", str(tmp_path))
    for name, sentence in (
        (
            "parameters",
            "The models “five-layer-dense” and “five-layer-convolutional” came with Layerglass, and are not",
        ),
        ("start", "“untrained” came with Layerglass, and is not there."),
    ):
        result = run(name, "--digits", "100")
        assert result.exit_code == 2 and sentence in result.stderr
