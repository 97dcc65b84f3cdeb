"""The folder that processes share: what one changes, every other one sees at once."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.library.state import StateFolder
from tests.process import ROOT

KEY = "0123456789abcdef" * 2

CHANGE = "with state.changing():\n  number = int(path.read_text()); path.write_text(str(number + 1))"
DIE = f"with state.claim('{KEY}') as is_mine:\n  print(is_mine, flush=True); import os; os._exit(0)"


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


def elsewhere(state: StateFolder, program: str, times: int = 1) -> str:
    """What another process prints that does this with the same folder."""
    start = "import sys; from pathlib import Path; from app.library.state import StateFolder\n"
    folders = "state = StateFolder(Path(sys.argv[1])); path = state.path / 'number'\n"
    lines = "\n".join(f"  {line}" for line in program.splitlines())
    command = [sys.executable, "-c", f"{start}{folders}for _ in range({times}):\n{lines}", str(state.path)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_every_change_counts(state: StateFolder) -> None:
    assert state.changes == 0
    assert [state.count_change() for _ in range(3)] == [1, 2, 3]
    with state.changing():
        assert state.changes == 3  # not before it is done
    assert StateFolder(state.path).changes == 4


def test_a_change_that_fails_half_way_counts_too(state: StateFolder) -> None:
    with pytest.raises(KeyError), state.changing():
        raise KeyError
    assert state.changes == 1


def test_no_change_of_several_processes_and_threads_is_lost(state: StateFolder) -> None:
    state.write("number", b"0")
    with ThreadPoolExecutor(4) as threads:
        for told in [threads.submit(elsewhere, state, CHANGE, 200) for _ in range(4)]:
            told.result()
    assert (state.path / "number").read_text() == "800"
    assert state.changes == 800
    assert os.stat(state.path / ".changes").st_blocks == 0  # it takes no room, so that a full disk is no trouble


def test_a_key_is_claimed_by_one_process(state: StateFolder) -> None:
    ask = f"with state.claim('{KEY}') as is_mine: print(is_mine)"
    with state.claim(KEY) as is_mine:
        assert is_mine
        assert elsewhere(state, ask) == "False\n"
        assert elsewhere(state, ask.replace("0", "1", 1)) == "True\n"
    assert elsewhere(state, ask) == "True\n"


def test_the_claim_of_a_process_that_is_killed_is_gone(state: StateFolder) -> None:
    assert elsewhere(state, DIE) == "True\n"
    with state.claim(KEY) as is_mine:
        assert is_mine


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("A file.")
    state = StateFolder(tmp_path / "state")
    assert (state.changes, state.count_change()) == (0, 0)
    with state.claim(KEY) as is_mine:
        assert is_mine
    with pytest.raises(OSError), state.changing():
        raise AssertionError
