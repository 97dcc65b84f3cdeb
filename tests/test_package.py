"""The name that an installation takes in other people's environments: layerglass, and not app."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECK = "import layerglass.cli, layerglass.settings as s; print(s.__package__, s.resource('templates').is_dir())"


def test_it_is_imported_as_layerglass(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", CHECK]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "layerglass True\n"), done.stderr


def test_a_wheel_holds_nothing_beside_layerglass() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel.keys() == {"bypass-selection", "force-include"}  # so no file but these
    assert {target.split("/")[0] for target in wheel["force-include"].values()} == {"layerglass"}
