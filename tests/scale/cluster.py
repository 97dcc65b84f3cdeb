"""Ray Serve on this machine, in processes of its own, with replicas as deploy/serve.yaml describes them."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.process import ROOT, end, free_port

CONFIG = ROOT / "deploy" / "serve.yaml"
START_SECONDS = 180
_COMMANDS = Path(sys.executable).parent  # of ray and serve: those of the environment that runs this
_VARIABLES = {
    "PATH": f"{_COMMANDS}:{os.environ['PATH']}",
    "PYTHONPATH": str(ROOT),
    "RAY_USAGE_STATS_ENABLED": "0",  # they would be sent to Ray's makers
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
}


class Cluster:
    """A Ray cluster of this machine alone, whose replicas answer on a free port."""

    def __init__(self, replicas: int = 2) -> None:
        self.port, self._dashboard = free_port(), free_port()  # `serve deploy` talks to the dashboard
        self._replicas = replicas
        # Whoever reaches a cluster's ports and knows its token may run any program.
        self._token = uuid.uuid4().hex
        self._environment = {**os.environ, **_VARIABLES, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self._token}
        self._folder = tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
        self._log_path = Path(self._folder.name) / "log"
        options = {
            "temp-dir": self._folder.name,
            "port": free_port(),
            "dashboard-port": self._dashboard,
            "dashboard-agent-listen-port": free_port(),
            "num-cpus": 2 * replicas,  # an update has an old and a new one at once; Ray only counts them
        }
        command = ["ray", "start", "--head", "--block", *(f"--{name}={value}" for name, value in options.items())]
        with self._log_path.open("w") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)

    def __enter__(self) -> "Cluster":
        try:
            self._wait_for(lambda: self._ask("/api/version") is not None)
            self.deploy()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def deploy(self, **settings: object) -> None:
        """Run `serve deploy`. If a setting of Layerglass differs from the last time, each replica is replaced."""
        path = Path(self._folder.name) / "serve.yaml"
        path.write_text(yaml.safe_dump(self._configure(settings)))
        command = ["serve", "deploy", "--address", f"http://127.0.0.1:{self._dashboard}", str(path)]
        subprocess.run(command, cwd=ROOT, env=self._environment, check=True, capture_output=True)

    def _configure(self, settings: dict[str, object]) -> dict[str, Any]:
        """Return deploy/serve.yaml with this cluster's port, a fixed number of replicas, and settings."""
        config: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
        config["http_options"]["port"] = self.port
        (application,) = config["applications"]
        variables = {f"LAYERGLASS_{name.upper()}": str(value) for name, value in settings.items()}
        application["runtime_env"]["env_vars"] |= variables
        application["deployments"][0]["autoscaling_config"] |= {
            "min_replicas": self._replicas,
            "max_replicas": self._replicas,
        }
        return config

    def wait(self) -> None:
        """Wait until all replicas take requests. Raises: RuntimeError with Ray's log if they do not."""
        self._wait_for(lambda: self._is_running() and self._is_ready())

    def _wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Ray did not start:\n{self._log_path.read_text()}\n{self._application()}")
            time.sleep(0.2)

    def _is_running(self) -> bool:
        return self._application().get("status") == "RUNNING" and len(self.replicas()) == self._replicas

    def _is_ready(self) -> bool:
        return _get(self.port, "/ready")[0] == 200

    def replicas(self) -> set[int]:
        """Return the process ids of the replicas that take requests."""
        deployments = self._application().get("deployments", {})
        replicas = deployments.get("Layerglass", {}).get("replicas", [])
        return {replica["pid"] for replica in replicas if replica["state"] == "RUNNING"}

    def _application(self) -> dict[str, Any]:
        applications: dict[str, dict[str, Any]] = (self._ask("/api/serve/applications/") or {}).get("applications", {})
        return applications.get("layerglass", {})

    def _ask(self, path: str) -> Any:
        """Return what Ray's dashboard answers; None if it does not."""
        status, body = _get(self._dashboard, path, {"Authorization": f"Bearer {self._token}"})
        return json.loads(body) if status == 200 else None

    def kill_replica(self) -> int:
        """Send SIGKILL to a replica, and return its process id. Ray starts another one."""
        pid = min(self.replicas())
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self) -> None:
        """End all of the cluster's processes, and no other cluster's. `ray start` leaves some of them running."""
        started = psutil.Process(self._process.pid).children(recursive=True) if self._process.poll() is None else []
        end(self._process)
        _, left = psutil.wait_procs(started, timeout=10)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._folder.cleanup()


def _get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Return status and body of an answer; 0 if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    return 0, b""
