"""A server process, started like `layerglass serve`, and raw requests to it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
START_SECONDS = 120


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Terminate a process, and kill it after 30 seconds."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Process:
    """A server on a free port, with its log in a file."""

    def __init__(
        self, built_in: Path, folder: Path, cwd: Path = ROOT, within: Sequence[str] = (), **environment: str | None
    ) -> None:
        """within: a command that runs the server's command, such as unshare.

        environment: settings in lower case, other variables in capitals; None removes one.
        """
        self.port = free_port()
        environment["built_in_models"] = str(built_in)
        settings = {f"LAYERGLASS_{name.upper()}": value for name, value in environment.items() if name.islower()}
        system = {name: value for name, value in environment.items() if not name.islower()}
        changed = {**os.environ, "PYTHONPATH": str(ROOT), **settings, **system}
        kept = {name: value for name, value in changed.items() if value is not None}
        self.log_path = folder / "log"
        with self.log_path.open("w") as log:
            command = [
                *within,
                sys.executable,
                "-c",
                "from app.cli import cli; cli()",
                "serve",
                "--port",
                str(self.port),
            ]
            self.process = subprocess.Popen(command, cwd=cwd, env=kept, stdout=log, stderr=log)

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    def wait(self) -> "Process":
        """Wait until the server is ready."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if self.get("/ready")[0] == 200:
                    return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, self.log
                time.sleep(0.1)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return self.request("GET", path, headers=headers)

    def post_drawing(self, path: str, drawing: bytes) -> tuple[int, dict[str, str], bytes]:
        start = b'--x\r\ncontent-disposition: form-data; name="drawing"; filename="drawing.png"\r\n\r\n'
        headers = {"content-type": "multipart/form-data; boundary=x"}
        return self.request("POST", path, start + drawing + b"\r\n--x--\r\n", headers)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    @contextmanager
    def connect(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            yield connection

    def raw(self, request: bytes) -> bytes:
        """Return everything that comes back until the server closes the connection."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_all(connection)

    @property
    def workers(self) -> set[int]:
        """The process ids of the workers, if there are several."""
        children = psutil.Process(self.process.pid).children()
        return {child.pid for child in children if "spawn_main" in " ".join(child.cmdline())}

    def kill_worker(self) -> int:
        """Send SIGKILL to a worker, wait until its sockets are closed, and return its process id.

        Connections that it receives while it dies are lost. It holds its sockets until its last thread has ended, some
        time after the first one.
        """
        worker = psutil.Process(min(self.workers))
        worker.kill()
        with suppress(psutil.NoSuchProcess):
            while worker.status() != psutil.STATUS_ZOMBIE or worker.num_threads() > 1:
                time.sleep(0.001)
        pid: int = worker.pid
        return pid

    def stop(self) -> int:
        """Send SIGTERM, and return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def end(self) -> None:
        if self.process.poll() is None:
            end(self.process)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    return received
