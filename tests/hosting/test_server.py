"""The process: how it starts, logs, stops, and gets over faults."""

import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.hosting.server import bind, describe_bind_error, share
from tests.pictures import four_png
from tests.process import ROOT, Process

PREDICTION = "/api/models/digits/prediction"


@pytest.fixture
def start(models: Path, tmp_path: Path) -> Iterator[Any]:
    started: list[Process] = []

    def start(**options: Any) -> Process:
        started.append(Process(models, tmp_path, **options))
        return started[-1].wait()

    yield start
    for process in started:
        process.end()


def test_a_port_in_use_is_said_before_anything_is_loaded() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        program = (
            "import sys\nfrom app.cli import cli\n"
            "try: cli()\nexcept SystemExit as end: print(end.code, 'app.main' in sys.modules)"
        )
        command = [sys.executable, "-c", program, "serve", "--port", str(port)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.stdout == "2 False\n"
    assert result.stderr == (
        f"Port {port} of 127.0.0.1 is in use by another program. Stop that, or name another port with --port.\n"
    )


def test_an_address_that_is_not_this_machine_s() -> None:
    with pytest.raises(OSError) as caught:
        bind("192.0.2.1", 0)
    assert describe_bind_error("192.0.2.1", 80, caught.value) == (
        "Cannot listen on port 80 of 192.0.2.1: Cannot assign requested address. Name another with --host and --port."
    )


def test_an_ipv6_address_is_listened_on() -> None:
    if not socket.has_ipv6:
        pytest.skip("This machine has no IPv6.")
    try:
        with bind("::1", 0) as listener:
            assert listener.getsockname()[0] == "::1"
    except OSError:
        pytest.skip("This machine has no IPv6.")


@pytest.mark.skipif(sys.platform != "linux", reason="connections are dealt out by Linux alone")
def test_a_shared_address_is_another_socket_for_each_process_and_nobody_else_s() -> None:
    listener = bind("127.0.0.1", 0)
    address = listener.getsockname()
    with share(listener) as shared, ExitStack() as stack:
        assert shared.getsockname() == address
        workers = [stack.enter_context(pickle.loads(ForkingPickler.dumps(shared))) for _ in range(2)]
        for worker in workers:
            worker.listen()
            worker.setblocking(False)
        accepted = [0, 0]
        for _ in range(64):
            stack.enter_context(socket.create_connection(address))
        for number, worker in enumerate(workers):
            with suppress(BlockingIOError):
                while True:
                    stack.enter_context(worker.accept()[0])
                    accepted[number] += 1
        assert sum(accepted) == 64
        assert min(accepted) >= 8  # by chance, each as likely as the other
        with pytest.raises(OSError, match="in use"):
            bind(*address)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write to")
def test_starts_and_stops_under_load_without_a_home_or_a_folder_to_write_to(start: Any) -> None:
    """What is under way when SIGTERM comes is finished, and the process ends within its time."""
    process: Process = start(HOME=None, KERAS_HOME=None, cwd=Path("/proc"), shutdown_seconds="10")
    four = four_png()
    whole: list[int] = []
    broken: list[str] = []
    asked = threading.Event()

    def ask() -> None:
        while True:
            try:
                status, _, body = process.post_drawing(PREDICTION, four)
                whole.append(status)
                assert body
            except ConnectionError:
                return  # not accepted any more
            except Exception as error:  # half an answer
                broken.append(repr(error))
                return
            asked.set()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert asked.wait(60)
    exit_status = process.stop()
    for thread in threads:
        thread.join(60)
    assert exit_status == 128 + signal.SIGTERM
    assert broken == []
    assert set(whole) <= {200, 503} and 200 in whole
    lines = process.log_lines
    assert len([line for line in lines if line.get("route") == "/api/models/{model}/prediction"]) == len(whole)
    assert "Traceback" not in process.log
    # What TensorFlow says of the processor would be lines that are no JSON; LiteRT's one line cannot be turned off.
    expected = ("{", "Loading", "INFO: Created TensorFlow Lite")
    assert [line for line in process.log.splitlines() if not line.startswith(expected)] == []


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_forgotten(start: Any) -> None:
    process: Process = start(workers="2")
    deadline = time.monotonic() + 120

    def until(condition: Any) -> None:
        while not condition():
            assert time.monotonic() < deadline, process.log
            time.sleep(0.2)

    def networks_ready() -> int:
        return process.log.count("Application startup complete")

    until(lambda: networks_ready() == 2)
    workers = process.workers
    killed = process.kill_worker()
    assert process.post_drawing(PREDICTION, four_png())[0] == 200
    until(lambda: networks_ready() == 3)
    assert process.workers & workers == workers - {killed}
    assert process.post_drawing(PREDICTION, four_png())[0] == 200
    text = process.get("/metrics")[2].decode()
    assert 'layerglass_requests_total{method="POST",route="/api/models/{model}/prediction",status="200"} 2.0' in text
    assert "layerglass_running 0.0" in text
    process.stop()
    until(lambda: not any(psutil.pid_exists(pid) for pid in workers))
