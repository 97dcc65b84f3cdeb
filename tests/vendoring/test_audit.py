import json
import subprocess
from collections.abc import Callable

import pytest

from vendoring import audit

Answer = Callable[..., None]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Sets what pip-audit and npm print."""

    def answer(python: object, browser: object) -> None:
        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            report = python if "pip_audit" in command else browser
            return subprocess.CompletedProcess(command, 0, report if isinstance(report, str) else json.dumps(report))

        monkeypatch.setattr("vendoring.audit.subprocess.run", run)
        monkeypatch.setattr("vendoring.audit.shutil.which", lambda name: name)

    return answer


CLEAN = {"dependencies": [{"name": "pillow", "version": "13.0.0", "vulns": []}]}
FLAWED = {"dependencies": [{"name": "pillow", "version": "9.0.0", "vulns": [{"id": "CVE-2022-22817"}]}]}
SKIPPED = {"dependencies": [{"name": "pillow", "skip_reason": "not found"}]}
NOT_AUDITED = "not audited, the list of known vulnerabilities cannot be reached from here."


def test_nothing_known(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    answer(CLEAN, {"vulnerabilities": {}})
    assert audit.main() == 0
    assert capsys.readouterr().out == (
        "Python packages: no known vulnerability.\nbrowser packages: no known vulnerability.\n"
    )


@pytest.mark.parametrize("browser", [{"vulnerabilities": {"htmx.org": {"severity": "high"}}}, {"message": "no"}])
def test_a_known_one_fails_whatever_the_other_list_says(
    answer: Answer, browser: object, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(FLAWED, browser)
    assert audit.main() == 1
    assert "Python packages: pillow 9.0.0: CVE-2022-22817\n" in capsys.readouterr().out


def test_one_in_the_browser_s_packages_fails(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    answer(CLEAN, {"vulnerabilities": {"htmx.org": {"severity": "high"}}})
    assert audit.main() == 1
    assert "browser packages: htmx.org: high\n" in capsys.readouterr().out


@pytest.mark.parametrize("python", [SKIPPED, "", "no JSON", [], {}], ids=str)
def test_what_could_not_be_asked_is_said_and_is_no_failure(
    answer: Answer, python: object, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(python, {"message": "405 Method Not Allowed"})
    assert audit.main() == 0
    assert capsys.readouterr().out == f"Python packages: {NOT_AUDITED}\nbrowser packages: {NOT_AUDITED}\n"
