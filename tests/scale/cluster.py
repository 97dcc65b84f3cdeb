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

from tests.process import ROOT, free_port
from tests.scale.node import Node

CONFIG = ROOT / "deploy" / "serve.yaml"
START_SECONDS = 300
_COMMANDS = Path(sys.executable).parent  # of ray and serve: those of the environment that runs this
_VARIABLES = {
    "PATH": f"{_COMMANDS}:{os.environ['PATH']}",
    "PYTHONPATH": str(ROOT),
    "RAY_USAGE_STATS_ENABLED": "0",  # they would be sent to Ray's makers
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_HAPROXY_RETRY_ON": "conn-failure empty-response",
    # On a busy machine Ray's own limits, 60 and 30 seconds, are over before its processes have started.
    "RAY_DASHBOARD_STARTUP_TIMEOUT_S": str(START_SECONDS),
    "RAY_SERVE_HAPROXY_STARTUP_TIMEOUT_S": str(START_SECONDS),
}


class Cluster:
    """A Ray cluster on this machine alone, whose replicas answer on a free port."""

    def __init__(self, replicas: int = 2, nodes: int = 0) -> None:
        """nodes: how many there are beside the head. If there are any, the head has the proxy and no replica."""
        self.port, self._dashboard, port = free_port(), free_port(), free_port()  # `serve deploy` asks the dashboard
        self._replicas, self._nodes = replicas, nodes
        # Whoever reaches a cluster's ports and knows its token may run any program.
        self._token = uuid.uuid4().hex
        self._folder = tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
        self._environment = {
            **os.environ,
            **_VARIABLES,
            **_proxy_of_its_own(Path(self._folder.name) / "haproxy"),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self._token,
        }
        self._refusals = list[str]()  # what `serve deploy` wrote when it failed
        head = ["--head", f"--temp-dir={self._folder.name}", f"--port={port}", f"--dashboard-port={self._dashboard}"]
        cores = f"--num-cpus={2 * replicas}"  # an update has the old and the new ones at once; Ray only counts
        self._head = self._add("head", *head, "--num-cpus=0" if nodes else cores)
        self._others = list[Node]()
        self._other = [f"--address=127.0.0.1:{port}", cores]

    def _add(self, name: str, *arguments: str) -> Node:
        """Start a node with these arguments of `ray start`."""
        return Node(arguments, self._environment, self._path(f"{name}.log"))

    def _path(self, name: str) -> Path:
        return Path(self._folder.name) / name

    def __enter__(self) -> "Cluster":
        try:
            self._wait_for(lambda: self._ask("/api/version") is not None)
            self._others += [self._add(f"node-{number}", *self._other) for number in range(self._nodes)]
            self._wait_for(lambda: len(self._alive_nodes()) == 1 + self._nodes)
            self._wait_for(self._is_deployed)
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _is_deployed(self) -> bool:
        """Deploy for the first time. On a busy machine, Ray gives up before its controller and proxy have started."""
        try:
            self.deploy()
        except RuntimeError as error:
            self._refusals.append(str(error))
            return False
        return True

    def deploy(self, **settings: object) -> None:
        """Run `serve deploy`. If a setting of Layerglass differs from the last time, each replica is replaced.

        Raises: RuntimeError with what the command wrote, if it fails.
        """
        path = self._path("serve.yaml")
        path.write_text(yaml.safe_dump(self._configure(settings)))
        command = ["serve", "deploy", "--address", f"http://127.0.0.1:{self._dashboard}", str(path)]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"serve deploy failed:\n{done.stdout}\n{done.stderr}")

    def _configure(self, settings: dict[str, object]) -> dict[str, Any]:
        """Return deploy/serve.yaml with this cluster's port, a fixed number of replicas, and settings."""
        config: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
        config["http_options"]["port"] = self.port
        if self._nodes:
            config["proxy_location"] = "HeadOnly"  # those of all nodes would listen on one port
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
            nodes = [self._head, *self._others]
            if time.monotonic() > deadline:
                logs = "\n\n".join([*(node.log for node in nodes), *self._refusals[-1:]])
                raise RuntimeError(f"Ray did not start:\n{logs}\n{self._application()}")
            for node in nodes:
                node.begin_again_if_failed()
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

    def _alive_nodes(self) -> list[dict[str, Any]]:
        nodes = ((self._ask("/nodes?view=summary") or {}).get("data") or {}).get("summary", [])
        return [node for node in nodes if node["raylet"].get("state") == "ALIVE"]

    def kill_replica(self) -> int:
        """Send SIGKILL to a replica, and return its process id. Ray starts another one."""
        pid = min(self.replicas())
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_node(self) -> set[int]:
        """Send SIGKILL to all processes of a node that has replicas, but not the head, and return theirs."""
        replicas = self.replicas()
        for node in self._others:
            if pids := replicas & {process.pid for process in node.processes()}:
                self._others.remove(node)
                node.kill()
                return pids
        raise RuntimeError("No node beside the head has a replica.")

    def stop(self) -> None:
        """End all of the cluster's processes, and no other cluster's."""
        Node.stop([*self._others, self._head])
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                # HAProxy, which a reload has made nobody's child.
                if any(self._folder.name in each for each in process.cmdline()):
                    process.kill()
        self._folder.cleanup()


def _proxy_of_its_own(folder: Path) -> dict[str, str]:
    """Return variables for HAProxy. By default those of all clusters on a machine share files and ports."""
    return {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(free_port()),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(free_port()),
    }


def _get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Return status and body of an answer; 0 if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    return 0, b""
