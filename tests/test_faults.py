"""What goes wrong around the server while it runs, on real processes: people, disks, other programs."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.pictures import four_png
from tests.process import Process, read_all

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="takes rights and processes away as Linux does"),
]

PREDICTION = "/api/models/digits/prediction"
# A process and its children see these mounts alone: nothing that others mount, and others nothing of theirs.
NAMESPACE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
READ_ONLY = """
    while read -r _ place _; do mount -o remount,bind,ro "$place" 2>/dev/null; done < /proc/self/mounts
    ! touch "$0" 2>/dev/null && exec "$@"
"""
IS_LARGE = 1_100_000  # bytes of a drawing or a model that a form's parser puts into a file of its own, if it may
Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Process] = []

    def start(built_in: Path, **options: Any) -> Process:
        started.append(Process(built_in, tmp_path, **options))
        return started[-1].wait()

    yield start
    for process in started:
        process.end()


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    limits: dict[str, Any] = {
        "body_seconds": "3",
        "stall_seconds": "1",
        "keep_alive_seconds": "60",
        "head_seconds": "60",
    }
    process = Process(models, tmp_path_factory.mktemp("server"), connections="100", waiting="2", **limits)
    try:
        yield process.wait()
    finally:
        process.end()


def draw(process: Process, path: str = PREDICTION) -> int:
    return process.post_drawing(path, four_png())[0]


def bring(process: Process, model: bytes) -> tuple[int, bytes]:
    """The answer to an uploaded model."""
    head = b'--x\r\ncontent-disposition: form-data; name="model"; filename="mine.keras"\r\n\r\n'
    headers = {"content-type": "multipart/form-data; boundary=x"}
    body = head + model + b"\r\n--x--\r\n"
    status, _, answer = process.request("POST", "/api/models", body, headers)
    return status, answer


def until(condition: Callable[[], bool], process: Process) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, process.log
        time.sleep(0.1)


def connect(process: Process, stack: list[socket.socket], buffer: int | None = None) -> socket.socket:
    connection = socket.socket()
    stack.append(connection)
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", process.port))
    return connection


@pytest.fixture
def connections() -> Iterator[list[socket.socket]]:
    made: list[socket.socket] = []
    yield made
    for connection in made:
        connection.close()


def head(path: str, length: int) -> bytes:
    form = "Content-Type: multipart/form-data; boundary=x"
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{form}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_a_body_that_comes_a_byte_a_second_holds_nobody_up(server: Process, connections: list[socket.socket]) -> None:
    """As many as would fill every turn and every place in the queue."""
    slow = [connect(server, connections) for _ in range(30)]
    for connection in slow:
        connection.sendall(head(PREDICTION, 1000))
    for _ in range(2):
        for connection in slow:
            connection.sendall(b"-")
        assert draw(server) == 200
        time.sleep(1)
    for connection in slow:
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


def test_uploads_that_stop_half_way_give_their_places_back(
    server: Process, connections: list[socket.socket], mine: Path
) -> None:
    half = [connect(server, connections) for _ in range(8)]  # as many as are taken at once
    for connection in half:
        connection.sendall(head("/api/models", 100_000) + b"--x\r\n")
    until(lambda: bring(server, mine.read_bytes())[0] == 503, server)
    assert draw(server) == 200
    for connection in half[:4]:
        connection.close()
    for connection in half[4:]:
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")
    assert bring(server, mine.read_bytes())[0] == 201
    assert server.request("DELETE", "/api/models/mine")[0] == 204


def test_a_client_that_never_reads_is_left(server: Process, connections: list[socket.socket]) -> None:
    deaf = [connect(server, connections, buffer=4096) for _ in range(4)]
    for connection in deaf:
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
    assert draw(server) == 200

    def are_left() -> bool:
        held = psutil.Process(server.process.pid).net_connections()
        mine = {connection.getsockname()[1] for connection in deaf}
        return not mine & {each.raddr.port for each in held if each.raddr}

    until(are_left, server)
    assert draw(server) == 200
    assert "Traceback" not in server.log


def test_a_thousand_idle_connections(server: Process, connections: list[socket.socket]) -> None:
    process = psutil.Process(server.process.pid)
    before = process.num_fds()
    for _ in range(1000):
        connect(server, connections)
    until(lambda: process.num_fds() >= before + 50, server)  # half of all may be of one address
    assert draw(server) == 200
    assert process.num_fds() < before + 75  # those over the limit are closed at once
    for connection in connections:
        connection.close()
    until(lambda: process.num_fds() <= before + 5, server)
    assert draw(server) == 200


def test_a_disk_that_is_full(start: Start, models: Path, mine: Path, tmp_path: Path) -> None:
    """Neither the log nor a model can be written; drawings go on, and all is well when there is room again."""
    process = start(models, state=str(tmp_path / "state"))
    pid = process.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    status, answer = bring(process, mine.read_bytes())
    assert status == 507
    assert b"The file cannot be kept on this machine: File too large." in answer
    assert [draw(process) for _ in range(3)] == [200] * 3
    assert process.get("/")[0] == 200
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert bring(process, mine.read_bytes())[0] == 201


def test_a_disk_that_is_full_under_several_workers(start: Start, models: Path, tmp_path: Path) -> None:
    """Their figures lie in files that are mapped into memory; what is written to them without room ends a process."""
    (small := tmp_path / "small").mkdir()
    within = [*NAMESPACE, "sh", "-c", 'mount -t tmpfs -o size=16m none "$0" && exec "$@"', str(small)]
    if shutil.which("unshare") is None or subprocess.run([*within, "true"], check=False).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    process = start(models, workers="2", within=within, TMPDIR=str(small))
    until(lambda: process.log.count("Application startup complete") == 2, process)
    with suppress(OSError), Path(f"/proc/{process.process.pid}/root{small}/rest").open("wb", buffering=0) as rest:
        while True:
            rest.write(bytes(4096))
    paths = ("/", "/compare", "/models", "/api/models", "/api/models/nobody", "/docs", "/openapi.json", "/metrics")
    for _ in range(4):
        assert {process.get(path)[0] for path in paths} == {200, 404}
        assert draw(process) == 200
    process.kill_worker()  # the next one finds no room at all
    until(lambda: process.log.count("Application startup complete") == 3, process)
    for _ in range(4):
        assert draw(process) == 200
    assert process.log.count("Application startup complete") == 3


def test_a_state_folder_that_goes(start: Start, models: Path, mine: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = start(models, state=str(state))
    assert bring(process, mine.read_bytes())[0] == 201
    shutil.rmtree(state)
    assert draw(process) == 200
    until(lambda: process.get("/api/models/mine")[0] == 404, process)
    assert bring(process, mine.read_bytes())[0] == 201
    assert process.post_drawing("/api/models/mine/prediction", four_png())[0] == 200


@pytest.fixture
def read_only(tmp_path: Path) -> list[str]:
    """A command that starts another one where nothing can be written."""
    command = [*NAMESPACE, "sh", "-c", READ_ONLY, str(tmp_path / "no")]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this system lets nobody mount a file system read-only")
    return command


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nothing_can_be_written_anywhere(
    start: Start, models: Path, mine: Path, tmp_path: Path, read_only: list[str], workers: str
) -> None:
    """Neither home nor a folder for temporary files: drawings of any size go on."""
    shutil.copy(mine, tmp_path / "own.keras")
    process = start(models, workers=workers, models=str(tmp_path), HOME=None, within=read_only)
    assert "Models of your own cannot be opened" in process.log
    assert [draw(process) for _ in range(3)] == [200] * 3
    assert process.post_drawing(PREDICTION, four_png() + bytes(IS_LARGE))[0] == 200
    assert draw(process, "/api/models/own/prediction") == 422
    for model in (mine.read_bytes(), bytes(5 * IS_LARGE)):
        status, answer = bring(process, model)
        assert status == 507
        assert b"cannot be kept on this machine" in answer
    shown = {path: process.get(path)[0] for path in ("/", "/compare", "/models", "/api/models", "/metrics", "/ready")}
    assert set(shown.values()) == {200}, (shown, process.log)
    assert "Traceback" not in process.log


def test_a_file_system_that_becomes_read_only(
    start: Start, models: Path, mine: Path, tmp_path: Path, read_only: list[str]
) -> None:
    own = tmp_path / "own.keras"
    shutil.copy(mine, own)
    process = start(models, models=str(tmp_path), state=str(tmp_path / "state"), within=[*NAMESPACE, "--"])
    assert bring(process, mine.read_bytes())[0] == 201
    card = process.get("/api/models/own/card")[2]
    as_json = {"content-type": "application/json"}
    assert process.request("PUT", "/api/models/own/card", card, as_json)[0] == 200
    inside = ["nsenter", "--target", str(process.process.pid), "--mount", "--preserve-credentials"]
    inside += [] if os.geteuid() == 0 else ["--user"]
    subprocess.run([*inside, "sh", "-c", READ_ONLY, str(tmp_path / "no"), "true"], check=True)
    assert process.request("PUT", "/api/models/own/card", card, as_json)[0] == 507
    assert process.request("DELETE", "/api/models/mine")[0] == 507
    assert bring(process, mine.read_bytes())[0] == 507
    own.write_bytes(own.read_bytes() + b"\0")  # from outside, where it can be written
    until(lambda: draw(process, "/api/models/own/prediction") == 422, process)
    assert draw(process, "/api/models/mine/prediction") == draw(process) == 200
    assert {process.get(path)[0] for path in ("/", "/models", "/api/models")} == {200}
    assert "Traceback" not in process.log


def openers(server: psutil.Process) -> list[psutil.Process]:
    """Return the child processes that open files."""
    return [child for child in server.children() if ".workers.opener" in " ".join(child.cmdline())]


def test_a_models_folder_that_goes_and_comes_back(start: Start, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    shutil.copytree(models, folder)
    process = start(folder)
    folder.rename(tmp_path / "away")
    until(lambda: draw(process) == 404, process)
    found = {path: process.get(path)[0] for path in ("/", "/compare", "/models", "/api/models", "/health", "/ready")}
    assert {status for status in found.values() if status >= 500} == set(), (found, process.log)
    (tmp_path / "away").rename(folder)
    until(lambda: draw(process) == 200, process)
    assert process.get("/")[0] == 200
    assert "Traceback" not in process.log


@pytest.mark.parametrize("vanish", [shutil.rmtree, lambda folder: folder.rename(folder.with_name("away"))])
def test_a_folder_that_vanishes_while_a_file_is_opened_and_others_are_drawn_on(
    start: Start, models: Path, mine: Path, tmp_path: Path, vanish: Callable[[Path], object]
) -> None:
    (folder := tmp_path / "own").mkdir()
    shutil.copy(mine, folder / "own.keras")
    process = start(models, models=str(folder), computations="4")
    assert draw(process, "/api/models/own/prediction") == 200
    server = psutil.Process(process.process.pid)
    until(lambda: not openers(server), process)
    met: Counter[tuple[str, int]] = Counter()
    said: set[bytes] = set()
    ended = threading.Event()

    def ask(name: str) -> None:
        while not ended.is_set():
            status, _, answer = process.post_drawing(f"/api/models/{name}/prediction", four_png())
            met[name, status] += 1
            said.update([answer] * (status != 200))

    threads = [threading.Thread(target=ask, args=[name]) for name in ("digits", "own", "own", "new", "new")]
    for thread in threads:
        thread.start()
    try:
        until(lambda: met["own", 200] >= 5 and met["digits", 200] >= 5, process)
        shutil.copy(mine, folder / "new.keras")
        until(lambda: bool(openers(server)), process)
        vanish(folder)
        gone = met["own", 404]
        until(lambda: met["own", 404] >= gone + 5 and met["new", 404] >= 5, process)
        served = met["digits", 200]
        until(lambda: met["digits", 200] >= served + 5, process)
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)
    assert {status for _, status in met} <= {200, 404, 422}, (met, said)
    if (away := folder.with_name("away")).exists():
        away.rename(folder)
        until(lambda: draw(process, "/api/models/new/prediction") == 200, process)
    assert {status for name, status in met if name == "digits"} == {200}
    assert {process.get(path)[0] for path in ("/", "/models", "/api/models")} == {200}
    assert "Traceback" not in process.log


def test_the_end_while_a_model_is_opened(start: Start, models: Path, mine: Path) -> None:
    process = start(models)
    server = psutil.Process(process.process.pid)
    upload = threading.Thread(target=lambda: bring(process, mine.read_bytes()))
    upload.start()
    until(lambda: bool(server.children()), process)
    children = server.children()
    began = time.monotonic()
    assert process.stop() == 128 + signal.SIGTERM
    assert time.monotonic() - began < 40
    upload.join(60)
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert gone and not alive
    assert "Traceback" not in process.log


def test_a_worker_that_is_killed_under_load_takes_only_its_own_requests_with_it(start: Start, models: Path) -> None:
    process = start(models, workers="2")
    until(lambda: process.log.count("Application startup complete") == 2, process)
    met: Counter[int] = Counter()
    lost: list[tuple[float, Exception]] = []  # when each request was sent, and what came of it
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            sent = time.monotonic()
            try:
                met[draw(process)] += 1
            except (OSError, HTTPException) as error:  # half an answer is an HTTPException
                lost.append((sent, error))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: met[200] >= 20, process)
        process.kill_worker()
        gone = time.monotonic()
        until(lambda: process.log.count("Application startup complete") == 3, process)
        served = met[200]
        until(lambda: met[200] >= served + 20, process)
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)
    assert met.keys() <= {200, 503}
    # One request each, and, since its sockets do not close all at once, one more that is dealt to it meanwhile.
    assert len(lost) <= 2 * len(threads), lost
    assert all(sent < gone for sent, _ in lost), (gone, lost)
