"""`python -m vendoring.audit`: whether a vulnerability is known in a locked package, Python's or the browser's.

It ends with 1 where one is. Without a network, or where it does not reach the lists of vulnerabilities, it says so in a
line and ends with 0: a check that could not be made is not one that failed.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

ScanResult = str


class NotReached(OSError):
    """The list of vulnerabilities could not be asked."""


def main() -> int:
    """Both audits, a line each."""
    found = [_tell("Python packages", audit_python), _tell("browser packages", audit_browser)]
    return int(any(found))


def _tell(what: str, audit: Callable[[], list[ScanResult]]) -> bool:
    try:
        findings = audit()
    except NotReached:
        print(f"{what}: not audited, the list of known vulnerabilities cannot be reached from here.")
        return False
    print(f"{what}: " + ("; ".join(findings) if findings else "no known vulnerability."))
    return bool(findings)


def audit_python() -> list[ScanResult]:
    """Known vulnerabilities in requirements.txt. Raises: NotReached."""
    options = ["--requirement", "requirements.txt", "--disable-pip", "--require-hashes", "--format", "json"]
    quiet = ["--progress-spinner", "off", "--timeout", "10"]
    report = _ask([sys.executable, "-m", "pip_audit", *options, *quiet], HERE.parent)
    # Where the list does not answer as it should, pip-audit skips a package and finds nothing wrong with it.
    asked = [each for each in report.get("dependencies", []) if "skip_reason" not in each]
    if not asked:
        raise NotReached
    return [f"{each['name']} {each['version']}: {flaw['id']}" for each in asked for flaw in each["vulns"]]


def audit_browser() -> list[ScanResult]:
    """Known vulnerabilities in package-lock.json. Raises: NotReached."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotReached
    report = _ask([npm, "audit", "--json", "--package-lock-only"], HERE)
    packages = report.get("vulnerabilities")
    if packages is None:
        raise NotReached
    return [f"{name}: {each['severity']}" for name, each in packages.items()]


def _ask(command: list[str], folder: Path) -> dict[str, Any]:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise NotReached from None
    if not isinstance(report, dict):
        raise NotReached
    return report


if __name__ == "__main__":
    sys.exit(main())
