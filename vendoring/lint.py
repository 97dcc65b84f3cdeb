"""`python -m vendoring.lint`: check the page's scripts and style sheets with Biome.

Biome is a development tool that package-lock.json pins. It is installed beside the environment's own packages, where
neither git nor the server sees it.
"""

import subprocess
import sys
from pathlib import Path

from vendoring.build import HERE, install_packages, node_command

FOLDER = Path(sys.prefix) / "node"
LOCK = "package-lock.json"
CHECKED = ("static/css", "static/*.js", "tests/static")


def main() -> int:
    """Return Biome's exit status: 0 if it has nothing to complain of."""
    _install()
    biome = FOLDER / "node_modules" / "@biomejs" / "biome" / "bin" / "biome"
    root = HERE.parent
    paths = [str(path) for pattern in CHECKED for path in root.glob(pattern)]
    options = ["ci", "--error-on-warnings", f"--config-path={HERE / 'biome.json'}"]
    return subprocess.run([*node_command("node"), str(biome), *options, *paths], cwd=root, check=False).returncode


def _install() -> None:
    installed = FOLDER / "installed.json"
    wanted = (HERE / LOCK).read_bytes()
    if installed.is_file() and installed.read_bytes() == wanted:
        return
    FOLDER.mkdir(exist_ok=True)
    install_packages(FOLDER)
    installed.write_bytes(wanted)


if __name__ == "__main__":
    sys.exit(main())
