"""One node of a Ray cluster: `ray start` and the processes that it starts."""

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.process import ROOT, free_port


class Node:
    """A node of a cluster of this machine alone."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log_path: Path) -> None:
        """arguments: those of `ray start`. log_path: what it writes is added there."""
        self._arguments, self._environment, self._log_path = arguments, environment, log_path
        self._begin()

    def _begin(self) -> None:
        self._log_start = self._log_path.stat().st_size if self._log_path.exists() else 0
        # By default all nodes' agents listen on one port.
        agent = f"--dashboard-agent-listen-port={free_port()}"
        command = ["ray", "start", "--block", "--node-ip-address=127.0.0.1", agent, *self._arguments]
        with self._log_path.open("a") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)

    @property
    def log(self) -> str:
        """Return what it has written since it last began."""
        return self._log_path.read_text()[self._log_start :]

    def begin_again_if_failed(self) -> None:
        """Start anew what has not started. On a busy machine, a node is given up after 30 seconds; it then hangs."""
        if self._process.poll() is not None or "timed out during startup" in self.log:
            self.kill()
            self._begin()

    def processes(self) -> list[psutil.Process]:
        """Return the node's processes; none if it has ended."""
        if self._process.poll() is not None:
            return []
        own = psutil.Process(self._process.pid)
        return [own, *own.children(recursive=True)]

    def kill(self) -> None:
        """Send SIGKILL to all of its processes, as if the machine were gone."""
        _kill(self.processes())
        self._process.wait()

    @staticmethod
    def stop(nodes: Sequence["Node"]) -> None:
        """End all processes of nodes. `ray start` leaves some of them running."""
        started = [process for node in nodes for process in node.processes()]
        for node in nodes:
            node._process.terminate()
        _, left = psutil.wait_procs(started, timeout=10)
        _kill(left)
        for node in nodes:
            node._process.wait()


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
