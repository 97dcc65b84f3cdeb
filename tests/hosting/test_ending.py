"""A process ends within its time, whatever still runs in it."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.pictures import four_png
from tests.process import ROOT, Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Windows ends a process at once"),
]

PREDICTION = "/api/models/digits/prediction"
# What Python imports at its start: SIGUSR1 has something run for a minute.
STUCK = {
    "native code in the main thread": "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",
    "Python in the main thread": "spin()",
    "native code in a thread": "start(lambda: hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9))",
    "Python in a thread": "start(spin)",
}
SITE = """
import hashlib, signal, threading, time

def spin():
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass

def start(run):
    threading.Thread(target=run).start()

def get_stuck(*_):
    {}

signal.signal(signal.SIGUSR1, get_stuck)
"""


@pytest.fixture
def start(models: Path, tmp_path: Path) -> Iterator[Any]:
    started: list[Process] = []
    (temporary := tmp_path / "temporary").mkdir()
    (site := tmp_path / "site").mkdir()

    def start(what: str = "pass", **options: Any) -> Process:
        (site / "sitecustomize.py").write_text(SITE.format(what))
        path = os.pathsep.join([str(site), str(ROOT)])
        started.append(Process(models, tmp_path, PYTHONPATH=path, TMPDIR=str(temporary), **options))
        return started[-1].wait()

    yield start
    for process in started:
        process.end()


def answering(process: Process) -> list[psutil.Process]:
    """The processes that answer."""
    return [psutil.Process(pid) for pid in process.workers or {process.process.pid}]


def seconds_to_end(process: Process) -> float:
    """Send SIGTERM, and return after how long the process and its workers have ended."""
    workers = answering(process)
    start = time.monotonic()
    process.process.send_signal(signal.SIGTERM)
    process.process.wait(60)
    while any(map(is_running, workers)):
        time.sleep(0.01)
    return time.monotonic() - start


def is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("what", STUCK)
def test_what_is_stuck_is_given_up(start: Any, tmp_path: Path, what: str, workers: str) -> None:
    process: Process = start(STUCK[what], workers=workers, shutdown_seconds="2")
    while process.log.count("Application startup complete") < int(workers):
        time.sleep(0.1)
    for each in answering(process):
        each.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    assert seconds_to_end(process) < 2.4
    assert process.process.returncode in {128 + signal.SIGTERM, 0 if workers == "2" else None}
    assert list((tmp_path / "temporary").iterdir()) == []
    if workers == "1":  # others, uvicorn ends by a second signal once their requests have finished
        assert "What still ran after 2 seconds was given up." in process.log
    assert "Traceback" not in process.log


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_request_that_is_finished_in_time_is_answered(start: Any, tmp_path: Path, workers: str) -> None:
    process: Process = start(workers=workers, shutdown_seconds="5")
    with process.connect() as connection:
        body = (
            b'--x\r\ncontent-disposition: form-data; name="drawing"; filename="d"\r\n\r\n' + four_png() + b"\r\n--x--"
        )
        head = f"POST {PREDICTION} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + body[:50])
        time.sleep(0.3)
        finish = threading.Timer(1.5, connection.sendall, [body[50:]])
        finish.start()
        assert 1.5 < seconds_to_end(process) < 4
        finish.join()
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert "was given up" not in process.log
    assert list((tmp_path / "temporary").iterdir()) == []


def test_without_any_time_it_ends_at_once(start: Any, tmp_path: Path) -> None:
    process: Process = start(STUCK["native code in the main thread"], shutdown_seconds="0")
    process.process.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    assert seconds_to_end(process) < 0.7
    assert process.process.returncode == 128 + signal.SIGTERM
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_idle_server_ends_at_once(start: Any) -> None:
    process: Process = start()
    with process.connect():
        assert seconds_to_end(process) < 3
    assert process.process.returncode == 128 + signal.SIGTERM


def test_ctrl_c_ends_it_in_time_too(start: Any) -> None:
    process: Process = start(STUCK["native code in the main thread"], shutdown_seconds="1")
    process.process.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    process.process.send_signal(signal.SIGINT)
    assert process.process.wait(1.5) == 128 + signal.SIGINT


def test_a_client_that_stops_sending_delays_nothing(start: Any, tmp_path: Path) -> None:
    process: Process = start(shutdown_seconds="2")
    with process.connect() as connection:
        connection.sendall(f"POST {PREDICTION} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n".encode())
        time.sleep(0.3)
        assert seconds_to_end(process) < 2.4
    assert "Application shutdown complete" in process.log  # its own end had its turn
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_a_killed_server_left_is_deleted_by_the_next(start: Any, tmp_path: Path) -> None:
    process: Process = start(workers="2")
    workers = answering(process)
    process.process.kill()
    process.process.wait(10)
    deadline = time.monotonic() + 10
    while any(map(is_running, workers)):  # they end by themselves
        assert time.monotonic() < deadline
        time.sleep(0.1)
    left = set((tmp_path / "temporary").iterdir())
    assert len(left) == 2  # of uploads, and of metrics
    start()
    assert len(now := set((tmp_path / "temporary").iterdir())) == 1
    assert not now & left


def test_the_numbers_of_other_signals_are_passed_over(start: Any) -> None:
    process: Process = start(shutdown_seconds="1")
    process.process.send_signal(signal.SIGUSR1)
    time.sleep(1.5)
    assert process.get("/health")[0] == 200
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", process.port)) == 0
