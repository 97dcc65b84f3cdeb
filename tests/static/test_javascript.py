"""The unit tests of the page's scripts, run by Node's own test runner."""

import re
import subprocess
from pathlib import Path

from vendoring.build import node_command

HERE = Path(__file__).parent


def test_the_scripts_pass_their_own_tests() -> None:
    files = sorted(map(str, HERE.glob("*.test.js")))
    command = [*node_command("node"), "--test", "--test-reporter=tap", *files]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    counts = dict(re.findall(r"^# (pass|skipped|todo) (\d+)$", done.stdout, re.MULTILINE))
    assert int(counts["pass"]) >= len(files) > 0, output
    assert (counts["skipped"], counts["todo"]) == ("0", "0"), output
