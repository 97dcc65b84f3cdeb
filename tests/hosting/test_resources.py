"""What a server says where the system gives it little."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.hosting.resources import TooLittle, backlog_for, fit_connections
from tests.pictures import four_png
from tests.process import ROOT, Process, read_all

resource = pytest.importorskip("resource", reason="Windows has no such limits")


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (
            "-v 300000",
            "The server needs 1,000 MB of address space, and may have 293 MB. "
            "Raise the limit with `ulimit -v`, and start again.\n",
        ),
        (
            "-n 64",
            "The server needs 752 open files for 512 connections, at least 132, and may have 64. "
            "Raise the limit with `ulimit -n`, and start again.\n",
        ),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit address space otherwise, or not at all")
def test_too_little_is_said_in_one_line(limit: str, sentence: str) -> None:
    command = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", sys.executable, "-c", "from app.cli import cli; cli()"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LAYERGLASS_")}
    done = subprocess.run([*command, "serve"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """The limits on open files, as this process reads and sets them."""
    limits = {"soft": 1024, "hard": 4096}

    def set_limits(_: int, both: tuple[int, int]) -> None:
        limits["soft"], limits["hard"] = both

    monkeypatch.setattr(resource, "getrlimit", lambda _: (limits["soft"], limits["hard"]))
    monkeypatch.setattr(resource, "setrlimit", set_limits)
    yield limits


def test_a_limit_that_suffices_is_left_alone(files: dict[str, int]) -> None:
    assert fit_connections(512) == 512
    assert files == {"soft": 1024, "hard": 4096}


def test_the_limit_is_raised_as_far_as_it_must_be(files: dict[str, int]) -> None:
    assert fit_connections(2000) == 2000
    assert 2500 < files["soft"] < 4096


def test_fewer_connections_where_the_limit_cannot_be_raised(files: dict[str, int]) -> None:
    files["hard"] = files["soft"] = 256
    assert 50 < (connections := fit_connections(512)) < 200
    assert fit_connections(connections) == connections
    with pytest.raises(TooLittle):
        files["soft"] = files["hard"] = 128
        fit_connections(512)


def test_no_more_connections_wait_than_there_are_files_for(files: dict[str, int]) -> None:
    assert 200 < backlog_for(512) < 400
    files["soft"] = resource.RLIM_INFINITY
    assert backlog_for(512) == 2048


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other limits")
def test_with_few_files_the_server_answers_however_many_connect(models: Path, tmp_path: Path) -> None:
    within = ["sh", "-c", 'ulimit -n 160; exec "$@"', "sh"]
    process = Process(models, tmp_path, within=within, uploads="true")
    try:
        process.wait()
        assert "connections are held instead of 512" in process.log
        with ExitStack() as stack:
            silent = [stack.enter_context(process.connect()) for _ in range(60)]
            for _ in range(20):
                assert process.post_drawing("/api/models/digits/prediction", four_png())[0] == 200
                assert process.get("/")[0] == 200
            assert read_all(silent[0]) == b""
        assert "out of system resource" not in process.log
        assert "Traceback" not in process.log
    finally:
        process.end()
