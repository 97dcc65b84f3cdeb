"""The server that a kernel starts: who may ask it, what it shows, when it ends."""

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest

import app
from app.notebook.server import FRAME_ANCESTORS, LocalServer, NotStarted
from app.notebook.show import Shown, close_all
from app.scripting.model import Model
from app.settings import Settings
from tests.process import ROOT
from tests.small_models import build_logistic


@pytest.fixture(scope="module", autouse=True)
def small_models(built_in: Path) -> Iterator[None]:
    """Layerglass comes with one small model here, and all servers end with the module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERGLASS_BUILT_IN_MODELS", str(built_in))
        yield
        close_all()


@pytest.fixture(scope="module")
def shown(four: bytes) -> Shown:
    return app.show("digits", four, height=640)


def ask(server: LocalServer, host: str, path: str = "/") -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Host": host, "Accept": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def test_a_frame_holds_the_page(shown: Shown) -> None:
    html = shown._repr_html_()
    [source] = re.findall(r"<iframe src='([^']+)'", html)
    assert source.startswith(f"http://{shown._server.token}.localhost:{shown._server.port}/?model=digits#p=")
    assert "height:640px" in html
    assert "#p=" not in repr(shown)


def test_who_knows_the_address_gets_the_page_and_all_that_it_asks_for(shown: Shown) -> None:
    host = f"{shown._server.token}.localhost:{shown._server.port}"
    for path in ("/?model=digits", "/static/css/base.css", "/api/models/digits"):
        assert ask(shown._server, host, path)[0] == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", f"{'0' * 32}.localhost", "digits.example"])
def test_nobody_else_does(shown: Shown, host: str) -> None:
    status, _, body = ask(shown._server, host, "/api/models")
    assert status == 403
    assert b"run the cell again" in body


def test_pages_of_notebooks_alone_may_frame_it(shown: Shown) -> None:
    _, headers, _ = ask(shown._server, f"{shown._server.token}.localhost")
    policy = headers["Content-Security-Policy"]
    assert policy.endswith(f"; frame-ancestors {' '.join(FRAME_ANCESTORS)}")
    assert "X-Frame-Options" not in headers


def test_the_same_model_has_one_server(shown: Shown) -> None:
    assert app.show("digits")._server is shown._server
    assert app.show()._server is shown._server


def test_a_file_and_a_model_in_memory_are_shown(shown: Shown, mine: Path) -> None:
    assert app.show(mine).model == mine.stem
    built = build_logistic()
    in_memory = app.show(built)
    assert in_memory.model == built.name
    in_memory.close()
    assert not in_memory._server.is_running
    with pytest.raises(ConnectionError):
        ask(in_memory._server, "localhost")


def test_what_cannot_be_shown_is_refused_with_a_sentence(tmp_path: Path, shown: Shown) -> None:
    with pytest.raises(LookupError, match="There is no model “nowhere”"):
        app.show("nowhere")
    with pytest.raises(FileNotFoundError, match="There is no file"):
        app.show(tmp_path / "nothing.keras")
    with pytest.raises(TypeError, match="A int is no model"):
        app.show(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="pixels high"):
        app.show("digits", height=20)
    with pytest.raises(ValueError, match="not a picture"):
        app.show("digits", b"hello")
    with app.open("digits") as model, pytest.raises(TypeError, match="what you gave open"):
        assert isinstance(model, Model)
        app.show(model)
    (tmp_path / "bad.keras").write_text("hello")
    with pytest.raises(ValueError, match="“bad” cannot be opened"):
        app.show(tmp_path / "bad.keras")


def test_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("app.notebook.server._PROGRAM", "import sys; sys.exit('There is no room.')")
    (tmp_path / "one.keras").touch()
    with pytest.raises(NotStarted, match="There is no room"):
        app.show(tmp_path / "one.keras")


def test_a_server_that_ends_at_its_start_says_why(tmp_path: Path) -> None:
    """By then it waits for the end of its input, and must not hold that back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERGLASS_BUILT_IN_MODELS", str(tmp_path))
        server = LocalServer([], Settings(), ExitStack())
    with pytest.raises(NotStarted, match="No model found"):
        server.require_model(None)


def test_a_killed_kernel_takes_its_server_along(built_in: Path) -> None:
    program = """
        import app, os, signal
        print(app.show("digits")._server._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LAYERGLASS_BUILT_IN_MODELS": str(built_in)}
    command = [sys.executable, "-c", re.sub("^ +", "", program, flags=re.MULTILINE)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    server = int(done.stdout)
    if psutil.pid_exists(server):
        psutil.Process(server).wait(60)
    assert not psutil.pid_exists(server)
