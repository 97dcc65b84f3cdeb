"""One server with two workers: whichever of them answers, the answer is the same."""

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.process import Process

pytestmark = pytest.mark.slow

CARD = {"content-type": "application/json"}


@dataclass(frozen=True)
class Worker:
    """A connection that one of the workers has accepted, and answers on."""

    pid: int
    connection: http.client.HTTPConnection

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        self.connection.request(method, path, body, {name.replace("_", "-"): each for name, each in headers.items()})
        response = self.connection.getresponse()
        return response.status, response.read()


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(models, tmp_path_factory.mktemp("server"), workers="2", keep_alive_seconds="120")
    try:
        deadline = time.monotonic() + 120
        while process.log.count("Application startup complete") < 2:
            assert process.process.poll() is None and time.monotonic() < deadline, process.log
            time.sleep(0.1)
        yield process
        assert "Traceback" not in process.log
    finally:
        process.end()


@pytest.fixture(scope="module")
def workers(server: Process) -> Iterator[list[Worker]]:
    """A connection to each worker. The system deals new ones out by chance, so that it takes some to reach both."""
    found: dict[int, Worker] = {}
    for _ in range(64):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/health")
        connection.getresponse().read()
        pid = accepted_by(server, connection)
        if found.setdefault(pid, Worker(pid, connection)).connection is not connection:
            connection.close()
        if len(found) == 2:
            break
    assert found.keys() == server.workers
    yield list(found.values())
    for worker in found.values():
        worker.connection.close()


def accepted_by(server: Process, connection: http.client.HTTPConnection) -> int:
    """Return the process id of the worker that holds the other end of a connection."""
    own = connection.sock.getsockname()
    held = {pid: psutil.Process(pid).net_connections("tcp4") for pid in server.workers}
    (pid,) = [pid for pid, sockets in held.items() if any(tuple(each.raddr) == own for each in sockets)]
    return pid


def open_model(worker: Worker, file: Path) -> str:
    start = f'--x\r\ncontent-disposition: form-data; name="model"; filename="{file.name}"\r\n\r\n'.encode()
    body = start + file.read_bytes() + b"\r\n--x--\r\n"
    status, answer = worker.ask("POST", "/api/models", body, content_type="multipart/form-data; boundary=x")
    assert status == 201, answer
    return f"/api/models/{json.loads(answer)['name']}"


def test_a_card_that_one_saves_is_what_both_show(workers: list[Worker], mine: Path) -> None:
    where = open_model(workers[0], mine)
    for number in range(12):
        title = f"Title {number}"
        writer = workers[number % 2]
        status, answer = writer.ask("PUT", f"{where}/card", json.dumps({"title": title}).encode(), **CARD)
        assert status == 200, answer
        for worker in workers:
            status, answer = worker.ask("GET", where)
            assert (status, json.loads(answer)["title"]) == (200, title)
    assert workers[0].ask("DELETE", where)[0] == 204


def test_a_model_is_there_for_both_from_its_opening_to_its_end(workers: list[Worker], mine: Path) -> None:
    for opener, deleter in (workers, reversed(workers)):
        where = open_model(opener, mine)
        assert [worker.ask("GET", where)[0] for worker in workers] == [200, 200]
        assert deleter.ask("DELETE", where)[0] == 204
        assert [worker.ask("GET", where)[0] for worker in workers] == [404, 404]
