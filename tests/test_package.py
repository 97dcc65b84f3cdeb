"""The name that an installation takes in other people's environments: layerglass, and not app."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import app

ROOT = Path(__file__).parents[1]
CHECK = "import layerglass.cli, layerglass.settings as s; print(s.__package__, s.resource('templates').is_dir())"


def test_it_is_imported_as_layerglass(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", CHECK]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "layerglass True\n"), done.stderr


def test_importing_it_costs_nothing() -> None:
    program = "import layerglass, sys; print(sorted({'numpy', 'PIL', 'pydantic', 'tensorflow'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_its_names_are_found_when_they_are_asked_for() -> None:
    assert {"Model", "Run", "open"} <= set(dir(app))
    assert app.open.__module__ == "app.scripting.local"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(app, "nothing")  # noqa: B009


def test_a_wheel_holds_nothing_beside_layerglass() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel.keys() == {"bypass-selection", "force-include"}  # so no file but these
    assert {target.split("/")[0] for target in wheel["force-include"].values()} == {"layerglass"}
