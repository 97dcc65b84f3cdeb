import errno
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from app.cli import cli
from app.hosting.server import bind
from app.settings import Settings
from tests.small_models import build_digits


@pytest.fixture(autouse=True)
def environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # so that no sentence is broken over lines
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAYERGLASS_")}
    monkeypatch.setattr(os, "environ", kept)


class Server:
    """In the place of the server: what it was told, and what the processes that answer would read."""

    def __init__(self) -> None:
        self.settings: Settings | None = None
        self.address: tuple[str, int] | None = None
        self.environment: dict[str, str] = {}
        self.state_was_there = False
        self.signal: int | None = None

    def bind(self, host: str, port: int) -> socket.socket:
        self.address = (host, port)
        return bind("127.0.0.1", 0)

    def run(self, settings: Settings, listener: socket.socket) -> None:
        self.settings = settings
        self.environment = {
            name.removeprefix("LAYERGLASS_"): value
            for name, value in os.environ.items()
            if name.startswith("LAYERGLASS_")
        }
        self.state_was_there = Path(self.environment["STATE"]).is_dir()
        if self.signal is not None:
            signal.raise_signal(self.signal)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setattr("app.cli.bind", server.bind)
    monkeypatch.setattr("app.cli.run_server", server.run)
    yield server


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}).invoke(cli, arguments)


def test_help_names_the_commands() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in ("serve", "train", "evaluate"):
        assert command in result.output


def test_without_a_command_the_help_is_shown() -> None:
    assert "Usage" in run().output


def test_the_help_of_serve_names_its_options() -> None:
    result = run("serve", "--help")
    assert result.exit_code == 0
    for option in ("--host", "--port", "--workers", "--models", "--model", "--lessons", "--pictures"):
        assert option in result.output


def test_the_server_starts_with_what_it_is_told(server: Server) -> None:
    result = run("serve", "--host", "localhost", "--port", "9000", "--workers", "2")
    assert result.exit_code == 0
    assert server.address == ("localhost", 9000)
    assert server.settings is not None and server.settings.workers == 2


def test_without_options_the_environment_is_left_alone(server: Server) -> None:
    os.environ["LAYERGLASS_PORT"] = "9001"
    assert run("serve").exit_code == 0
    assert set(server.environment) == {"PORT", "STATE"}
    assert server.address == ("127.0.0.1", 9001)


def test_folders_and_files_of_models_can_be_named_several_times(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b c"):
        (tmp_path / name).mkdir()
    (tmp_path / "m.keras").touch()
    monkeypatch.chdir(tmp_path)
    result = run(
        *("serve", "--models", "a", "--models", str(tmp_path / "b c"), "--model", "m.keras", "--model", "m.keras"),
        *("--lessons", "a", "--lessons", "b c"),
    )
    assert result.exit_code == 0
    assert server.environment["MODELS"] == os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b c")])
    assert server.environment["LESSONS"] == server.environment["MODELS"]
    assert server.environment["MODEL"] == os.pathsep.join([str(tmp_path / "m.keras")] * 2)


def test_all_processes_share_a_folder_that_is_gone_afterwards(server: Server) -> None:
    assert run("serve").exit_code == 0
    assert server.state_was_there
    assert not Path(server.environment["STATE"]).exists()
    assert "LAYERGLASS_STATE" not in os.environ


def test_the_folder_is_gone_when_the_server_is_told_to_end(server: Server) -> None:
    before = signal.getsignal(signal.SIGTERM)
    server.signal = signal.SIGTERM
    assert run("serve").exit_code == 128 + signal.SIGTERM
    assert server.state_was_there
    assert not Path(server.environment["STATE"]).exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_folder_to_write_to_the_server_starts_all_the_same(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("app.cli.TemporaryFolder", refuse)
    result = run("serve")
    assert result.exit_code == 0
    assert "Models of your own cannot be opened, since no folder for temporary files can be written to" in result.stderr
    assert not Path(server.environment["STATE"]).exists()


def test_a_state_folder_that_was_named_is_kept(server: Server, tmp_path: Path) -> None:
    os.environ["LAYERGLASS_STATE"] = str(tmp_path)
    assert run("serve").exit_code == 0
    assert server.environment["STATE"] == str(tmp_path)
    assert tmp_path.is_dir()


def test_a_store_has_its_copy_in_a_folder_that_all_processes_share(server: Server, tmp_path: Path) -> None:
    os.environ["LAYERGLASS_STATE"] = address = f"file://{tmp_path}/store"
    assert run("serve").exit_code == 0
    assert server.settings is not None and server.settings.store == address
    assert server.environment["STORE"] == address
    assert server.state_was_there
    assert not Path(server.environment["STATE"]).exists()
    assert (os.environ["LAYERGLASS_STATE"], os.environ.get("LAYERGLASS_STORE")) == (address, None)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("ftp://host/folder", "“ftp://host/folder” is no address of a store."),
        (
            "file:///dev/null/store",
            "Models are shared in file:///dev/null/store, which cannot be used: [Errno 20] Not a",
        ),
    ],
)
def test_a_store_that_cannot_be_used_is_refused(server: Server, address: str, sentence: str) -> None:
    os.environ["LAYERGLASS_STATE"] = address
    result = run("serve")
    assert result.exit_code == 2
    assert result.stderr.startswith(sentence) and result.stderr.count("\n") == 1
    assert server.settings is None


def test_no_model_at_all_is_said_in_a_sentence(server: Server, tmp_path: Path) -> None:
    os.environ["LAYERGLASS_BUILT_IN_MODELS"] = str(tmp_path)
    (tmp_path / "digits.keras").touch()
    (empty := tmp_path / "empty").mkdir()
    result = run("serve", "--models", str(empty))
    assert result.exit_code == 2
    assert result.stderr == (
        f"No model found in {tmp_path}: expected NAME.keras with its card NAME.json beside it. "
        "Train one with `layerglass train`, or name a folder of your own models with --models.\n"
    )
    assert server.settings is None


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = run("serve", "--models", str(tmp_path / "missing"))
    assert result.exit_code == 2
    assert result.stderr == f"LAYERGLASS_MODELS (--models) names “{tmp_path / 'missing'}”, which does not exist.\n"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "LAYERGLASS_PORT is “abc”, but must be a whole number from 0 to 65535."),
        ("COMPUTATIONS", "-1", "LAYERGLASS_COMPUTATIONS is “-1”, but must be a whole number of at least 1."),
        ("MODELS", "{folder}/no", "LAYERGLASS_MODELS (--models) names “{folder}/no”, which does not exist."),
        ("MODELS", "{folder}/file", "LAYERGLASS_MODELS (--models) names “{folder}/file”, which is not a folder."),
        ("PICTURES", "{folder}/no", "LAYERGLASS_PICTURES (--pictures) names “{folder}/no”, which does not exist."),
        ("LESSONS", "{folder}/no", "LAYERGLASS_LESSONS (--lessons) names “{folder}/no”, which does not exist."),
        ("LESSONS", "{folder}/file", "LAYERGLASS_LESSONS (--lessons) names “{folder}/file”, which is not a folder."),
        ("MODEL", "{folder}/no", "LAYERGLASS_MODEL (--model) names “{folder}/no”, which does not exist."),
        ("MODEL", "{folder}", "LAYERGLASS_MODEL (--model) names “{folder}”, which is not a regular file."),
        ("MODEL", "/dev/null", "LAYERGLASS_MODEL (--model) names “/dev/null”, which is not a regular file."),
        ("STATE", "{folder}/file", "LAYERGLASS_STATE names “{folder}/file”, which is not a folder."),
    ],
)
def test_a_setting_that_is_wrong_is_said_in_one_line(
    server: Server, tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    (tmp_path / "file").touch()
    os.environ[f"LAYERGLASS_{name}"] = value.format(folder=tmp_path)
    result = run("serve")
    assert result.exit_code == 2
    assert result.stderr == sentence.format(folder=tmp_path) + "\n"
    assert server.settings is None


def test_several_wrong_settings_are_said_a_line_each(server: Server) -> None:
    os.environ["LAYERGLASS_PORT"] = os.environ["LAYERGLASS_WORKERS"] = "x"
    assert [line.split()[0] for line in run("serve").stderr.splitlines()] == ["LAYERGLASS_PORT", "LAYERGLASS_WORKERS"]


def test_where_few_files_may_be_open_fewer_connections_are_held(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.fit_connections", lambda _: 100)
    result = run("serve")
    assert result.exit_code == 0
    assert result.stderr == (
        "At most 100 connections are held instead of 512, since this process may open few files. "
        "Raise the limit with `ulimit -n` for more.\n"
    )
    assert server.environment["CONNECTIONS"] == "100"
    assert server.settings is not None and server.settings.connections == 100


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_a_folder_whose_name_would_be_two_is_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    result = run("serve", "--models", str(tmp_path / "a:b"))
    assert result.exit_code == 2
    assert "which separates paths" in result.stderr
    assert server.settings is None


@pytest.mark.parametrize(("option", "value"), [("--port", "70000"), ("--port", "web"), ("--workers", "0")])
def test_an_option_that_cannot_be_is_refused(option: str, value: str, tmp_path: Path) -> None:
    result = run("serve", option, value, "--models", str(tmp_path))
    assert result.exit_code == 2
    assert option in result.stderr


def test_an_unknown_command_is_refused() -> None:
    result = run("paint")
    assert result.exit_code == 2
    assert "paint" in result.stderr


def evaluated(*arguments: str) -> Any:
    """What `layerglass evaluate --json` prints."""
    result = run("evaluate", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_evaluate_tells_how_a_model_reads_real_digits() -> None:
    result = run("evaluate", "figure-6-3", "--pooling", "min", "--limit", "200")
    assert result.exit_code == 0
    report = evaluated("figure-6-3", "--pooling", "min", "--limit", "200")
    (even, odd), wrong = report["confusion"], 200 - sum(each["right"] for each in report["classes"])
    assert result.stdout.startswith("figure-6-3, min pooling: 200 test digits in ")
    assert f"{100 * report['accuracy']:.2f} %   {wrong} wrong" in result.stdout
    assert f"{100 * report['calibration']['error']:.2f} %   expected, over 15 bins" in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[-4:-2] == [["read", "as"], ["is", "a", "even", "odd", "right"]]
    assert [line[:3] for line in lines[-2:]] == [["even", *_cells(even)], ["odd", *_cells(odd)]]


def _cells(row: list[int]) -> list[str]:
    return [str(count or "·") for count in row]


def test_evaluate_takes_a_file_of_one_s_own(tmp_path: Path) -> None:
    build_digits().save(tmp_path / "mine.keras")
    report = evaluated(str(tmp_path / "mine.keras"), "--limit", "50", "--set", "training", "--invert")
    assert (report["model"], report["set"], report["count"], report["invert"]) == ("mine", "training", 50, True)
    assert sum(map(sum, report["confusion"])) == 50


def test_evaluate_prints_what_the_api_answers(client: TestClient) -> None:
    os.environ["LAYERGLASS_BUILT_IN_MODELS"] = str(client.app.state.settings.built_in_models)  # type: ignore[attr-defined]
    printed = evaluated("digits", "--limit", "60")
    answered = client.post("/api/models/digits/evaluation", data={"count": 60}).json()
    assert {**printed, "seconds": 0} == {**answered, "seconds": 0}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nix"], "evaluate: There is no model “nix”. There is: "),
        (["nix.keras"], "evaluate: There is no file nix.keras."),
        (["digits", "--limit", "10001"], "evaluate: Ask for 1 to 10,000 digits: the test set has so many."),
        (["digits", "--limit", "0"], "--limit"),
        (["digits", "--pooling", "median"], "--pooling"),
        (["digits", "--set", "mnist"], "--set"),
        (["five-layer-convolutional"], "cannot be tried on digits: its answer is not one of several classes."),
        (["digits", "--mnist", "mnist.npz"], "--mnist and --strokes go with --check-card."),
        (["digits", "--check-card", "--limit", "5"], "--check-card goes with --mnist and --strokes alone."),
        ([], "MODEL"),
    ],
)
def test_evaluate_says_what_cannot_be(arguments: list[str], sentence: str) -> None:
    result = run("evaluate", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr and "Traceback" not in result.stderr


def test_evaluate_reads_no_model_out_of_a_broken_file(tmp_path: Path) -> None:
    (tmp_path / "mine.keras").write_bytes(b"no zip")
    result = run("evaluate", str(tmp_path / "mine.keras"))
    assert result.exit_code == 2
    assert result.stderr.startswith("evaluate: The model “mine” cannot be opened.")


def test_evaluate_checks_a_card(tmp_path: Path) -> None:
    result = run("evaluate", "digits", "--check-card", "--mnist", str(tmp_path / "nowhere.npz"))
    assert result.exit_code == 2
    assert "There is no file" in result.stderr


def test_redis_without_its_package(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    os.environ["LAYERGLASS_LIMITS"] = "redis://127.0.0.1:1/0"
    monkeypatch.setattr("app.hosting.redis_counts.find_spec", {}.get)
    result = run("serve")
    assert result.exit_code == 2 and server.settings is None
    sentence = "LAYERGLASS_LIMITS needs the Python package redis: install layerglass[redis], and start again.\n"
    assert result.stderr == sentence


def test_redis_that_does_not_answer_is_said_at_once(server: Server) -> None:
    pytest.importorskip("redis", reason="the extra layerglass[redis] is not installed")
    os.environ["LAYERGLASS_LIMITS"] = "redis://:secret@127.0.0.1:1/0"
    result = run("serve")
    assert result.exit_code == 2 and server.settings is None
    assert result.stderr.startswith("LAYERGLASS_LIMITS names Redis at 127.0.0.1:1, which does not count requests: ")
    assert "secret" not in result.stderr
