"""The examples of docs/python.md run as they stand there, one after the other."""

import re
from pathlib import Path

import pytest

import app
from tests.pictures import four_png

DOCS = Path(__file__).parents[2] / "docs" / "python.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("four.png").write_bytes(four_png())
    examples = re.findall(r"^```python\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names = {"layerglass": app}
    for example in examples:
        exec(example.replace("import layerglass\n", ""), names)
    assert len(examples) == 5
    printed = capsys.readouterr().out.splitlines()
    assert printed[1] == "(26, 26, 16)"
    assert Path("maps", "conv_1.png").is_file() and Path("conv_1.png").is_file()
