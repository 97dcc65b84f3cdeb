"""A real server in processes of its own, and the resources that it holds."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.process import end, free_port

ROOT = Path(__file__).parent.parent
START_SECONDS = 180
LAYERGLASS = "from app.cli import cli; cli()"


class Server:
    """A Python program that listens on a free port; by default `layerglass serve`."""

    def __init__(
        self, program: str = LAYERGLASS, arguments: tuple[str, ...] = ("serve",), root: Path = ROOT, **settings: object
    ) -> None:
        """root: the checkout that it runs from. settings: Layerglass' own; workers=2 is LAYERGLASS_WORKERS=2."""
        self.port = free_port()
        variables = {f"LAYERGLASS_{name.upper()}": str(value) for name, value in settings.items()}
        environment = {**os.environ, "PYTHONPATH": str(root), **variables}
        self._count = int(str(settings.get("workers", 1)))
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        command = [sys.executable, "-c", program, *arguments, "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=root, env=environment, stdout=self._log, stderr=self._log)

    def __enter__(self) -> "Server":
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def wait(self) -> None:
        """Wait until every worker takes requests. Raises: RuntimeError with the log if one does not start."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{self.log}")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        # A port accepts connections as soon as one worker listens, which is after each has told that it is ready.
        if self._count > 1:
            return sum(_listens(each, self.port) for each in self.workers()) >= self._count
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def processes(self) -> list[psutil.Process]:
        """Return the server's process, its workers and all others that it has started."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def workers(self) -> list[psutil.Process]:
        """Return the processes that answer: not the supervisor, the sandbox or the resource tracker."""
        own = psutil.Process(self.process.pid)
        return [own] if self._count == 1 else [each for each in own.children() if _answers(each)]

    def stop(self) -> None:
        end(self.process)


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        sockets = process.net_connections("tcp")
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)


def _answers(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
        return process.is_running() and ".workers." not in command and "resource_tracker" not in command
    except psutil.Error:
        return False


@dataclass(frozen=True)
class Resources:
    """Bytes of private memory that was written to, threads, open files and sockets, and processes."""

    memory: int
    threads: int
    handles: int
    processes: int


def pss(process: psutil.Process) -> int:
    """Return the proportional set size in bytes; the RSS where the system does not tell."""
    full = process.memory_full_info()
    return int(getattr(full, "pss", 0) or full.rss)


def private_dirty(process: psutil.Process) -> int:
    """Return the bytes of private memory that the process wrote to; the USS where the system does not tell.

    The USS also counts a shared library's pages once no other process has them, so that it grows by hundreds of MB when
    another program ends.
    """
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return int(process.memory_full_info().uss)
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(("Private_Dirty:", "Swap:")))


def resources_of(server: Server) -> Resources:
    """Return memory, threads and handles of the workers, and the number of all processes."""
    workers = server.workers()
    return Resources(
        memory=sum(private_dirty(each) for each in workers),
        threads=sum(each.num_threads() for each in workers),
        handles=sum(each.num_fds() for each in workers),
        processes=len(server.processes()),
    )
