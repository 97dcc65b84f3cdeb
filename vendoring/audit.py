"""`python -m vendoring.audit`: look up known vulnerabilities of the locked Python and browser packages.

Exits with 1 if there is one. If the vulnerability databases cannot be reached, it says so and exits with 0: a check
that could not be made has not failed.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

Finding = str  # a package, its version or severity, and the vulnerability


class NotReached(OSError):
    """The vulnerability database cannot be reached, or does not answer as it should."""


def main() -> int:
    """Run both audits and print a line for each. Returns: the exit code."""
    found = [_report("Python packages", audit_python), _report("browser packages", audit_browser)]
    return int(any(found))


def _report(what: str, audit: Callable[[], list[Finding]]) -> bool:
    """Print an audit's result. Returns: whether it found anything."""
    try:
        findings = audit()
    except NotReached:
        print(f"{what}: not audited, the list of known vulnerabilities cannot be reached from here.")
        return False
    print(f"{what}: " + ("; ".join(findings) if findings else "no known vulnerability."))
    return bool(findings)


def audit_python() -> list[Finding]:
    """Return the known vulnerabilities in requirements.txt. Raises: NotReached."""
    options = ["--requirement", "requirements.txt", "--disable-pip", "--require-hashes", "--format", "json"]
    quiet = ["--progress-spinner", "off", "--timeout", "10"]
    report = _run_json([sys.executable, "-m", "pip_audit", *options, *quiet], HERE.parent)
    # If the database gives an unexpected answer, pip-audit skips the package and reports no vulnerability.
    audited = [package for package in report.get("dependencies", []) if "skip_reason" not in package]
    if not audited:
        raise NotReached
    return [f"{package['name']} {package['version']}: {flaw['id']}" for package in audited for flaw in package["vulns"]]


def audit_browser() -> list[Finding]:
    """Return the known vulnerabilities in package-lock.json. Raises: NotReached."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotReached
    report = _run_json([npm, "audit", "--json", "--package-lock-only"], HERE)
    packages = report.get("vulnerabilities")
    if packages is None:
        raise NotReached
    return [f"{name}: {package['severity']}" for name, package in packages.items()]


def _run_json(command: list[str], folder: Path) -> dict[str, Any]:
    """Run a command that prints a JSON object. Its exit code says nothing: it also tells of vulnerabilities."""
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
