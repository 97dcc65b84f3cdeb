"""A server for notebooks, as the kernel sees it: a child process on this machine's own address."""

import http.client
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from ..settings import Settings
from ..temporary import TemporaryFolder

# The origins of Jupyter, JupyterLab and marimo on this machine, whatever their ports are, and of VS Code's notebooks,
# whose frames stand in a page of the editor itself. A kernel is not told which one shows what it answers.
FRAME_ANCESTORS = ("http://localhost:*", "http://127.0.0.1:*", "vscode-webview:", "vscode-file:")

_HOST = "127.0.0.1"
_OPEN_SECONDS = 240  # for the process to start, and for the model's file to be opened by one that loads TensorFlow
_END_SECONDS = 3
_PACKAGE = Path(__file__).parents[1]  # app in a checkout, layerglass once installed
# -c and not -m: a notebook's own folder is never searched for modules.
_PROGRAM = f"import sys; sys.path.insert(0, sys.argv[1]); from {_PACKAGE.name}.notebook.child import serve; serve()"

_FAREWELL = "Application startup failed. Exiting."  # uvicorn's last line, after the one that says why


class NotStarted(RuntimeError):
    """The server did not start."""

    def __init__(self, log: str) -> None:
        said = [line for line in map(_read_line, log.splitlines()) if line and line != _FAREWELL]
        super().__init__(f"The server for the notebook did not start: {(said or ['it said nothing'])[-1]}")


class NotShown(ValueError):
    """The server refused the model. The message is its sentence."""


class LocalServer:
    """A server that only this machine reaches, and on it only who knows its address."""

    def __init__(self, files: Sequence[Path], settings: Settings, stack: ExitStack) -> None:
        """files: of models, beside those that come with Layerglass. stack: is closed when the server ends.

        Raises: NotStarted, OSError.
        """
        self.token = secrets.token_hex(16)
        self._owner = os.getpid()
        self._log = ""  # once it has ended
        with stack:
            self._folder = Path(stack.enter_context(TemporaryFolder()))
            log = stack.enter_context((self._folder / "log").open("wb"))
            self._process = _start(_environment(files, settings, self.token, self._folder / "state"), log)
            self._stack = stack.pop_all()
        port = self._process.stdout.readline() if self._process.stdout else b""
        if not port:
            self.close()
            raise NotStarted(self._log)
        self.port = int(port)

    @property
    def address(self) -> str:
        """Its address, the secret included."""
        return f"http://{self.token}.localhost:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def require_model(self, name: str | None) -> None:
        """Wait until the server has opened a model; None is any. Raises: NotShown, NotStarted."""
        status, body = self._get(f"/api/models/{quote(name, safe='')}" if name else "/ready")
        if status != 200:
            raise NotShown(json.loads(body)["detail"])

    def close(self) -> None:
        """End the process, and delete its files. A copy of this in a forked process does nothing."""
        if os.getpid() != self._owner:
            return
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._log = (self._folder / "log").read_text(errors="replace")
        if self._process.stdout:
            self._process.stdout.close()
        self._stack.close()

    def _get(self, path: str) -> tuple[int, bytes]:
        """Ask the server. By its number: what Python makes of a name under localhost is the system's affair."""
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=_OPEN_SECONDS)
        try:
            connection.request("GET", path, headers={"Host": f"{self.token}.localhost:{self.port}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NotStarted(self._log) from error
        finally:
            connection.close()


def _read_line(line: str) -> str:
    """Return what a line of the log says, which may be JSON; of a traceback its last line."""
    with suppress(ValueError, KeyError, TypeError):
        line = json.loads(line)["message"]
    return (line.strip().splitlines() or [""])[-1]


def _environment(files: Sequence[Path], settings: Settings, token: str, state: Path) -> dict[str, str]:
    """Return the environment of the server's process: this one's, and the settings that make it private."""
    own = {
        **{"HOST": _HOST, "WORKERS": "1", "SHUTDOWN_SECONDS": "1", "STATE": str(state), "TOKEN": token},
        "FRAME_ANCESTORS": " ".join(settings.frame_ancestors or FRAME_ANCESTORS),
        "MODEL": os.pathsep.join(str(path.absolute()) for path in (*settings.model, *files)),
    }
    return {**os.environ, **{f"LAYERGLASS_{name}": value for name, value in own.items()}}


def _start(environment: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the process, in a group of its own: Jupyter interrupts a cell by a signal to the kernel's group."""
    group: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    command = [sys.executable, "-P", "-c", _PROGRAM, str(_PACKAGE.parent)]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, **group
    )
