"""A connection's limits, on a real server with small ones."""

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import four_png
from tests.process import Process, read_all

HOST = b"Host: localhost\r\n"
MODELS = b"GET /api/models HTTP/1.1\r\n" + HOST


@pytest.fixture(scope="module")
def process(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    limits: dict[str, Any] = {"head_seconds": "1", "body_seconds": "1", "keep_alive_seconds": "2"}
    process = Process(models, tmp_path_factory.mktemp("server"), **limits)
    try:
        yield process.wait()
    finally:
        process.end()


def problem_in(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    problem = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {problem['status']} ".encode())
    return problem["status"], problem["detail"]


LATE_HEAD = (408, "The head of the request took more than 1 seconds. Send it at once.")


def test_a_head_that_never_ends_is_answered_and_the_connection_closed(process: Process) -> None:
    assert problem_in(process.raw(MODELS + b"X-Slow: ")) == LATE_HEAD


def test_a_silent_connection_is_closed(process: Process) -> None:
    assert process.raw(b"") == b""


def test_a_head_that_trickles_in_has_no_more_time(process: Process) -> None:
    start = time.monotonic()
    with process.connect() as connection:
        connection.sendall(MODELS + b"X-Slow: ")
        pieces, answer = trickle(connection)
    assert time.monotonic() - start >= 1
    assert pieces >= 5
    assert problem_in(answer) == LATE_HEAD


def trickle(connection: socket.socket) -> tuple[int, bytes]:
    """Send a byte every 0.05 s until an answer comes; return how many were sent, and the answer."""
    for pieces in range(400):
        if select.select([connection], [], [], 0.05)[0]:
            return pieces, read_all(connection)
        with suppress(OSError):  # closed in the meantime
            connection.sendall(b"x")
    pytest.fail("The server went on reading.")


def test_the_second_head_of_a_connection_has_its_time_too(process: Process) -> None:
    answer = process.raw(MODELS + b"\r\n" + MODELS)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


def test_an_idle_connection_is_ended(process: Process) -> None:
    assert process.raw(MODELS + b"\r\n").startswith(b"HTTP/1.1 200 ")


def test_an_address_that_is_too_long(process: Process) -> None:
    status, detail = problem_in(process.raw(b"GET /?" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"))
    assert (status, detail) == (414, "The address has more than 8,192 bytes. Send long values in the body.")


TOO_MUCH = "The request has more than 100 headers, or more than 32,768 bytes of them. Send fewer."


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: 1\r\n" % number for number in range(101)) + b"\r\n",
        b"X: " + b"a" * 40_000 + b"\r\n\r\n",
        b"X: " + b"a" * 400_000,  # it never ends
        b"X" * 400_000,
    ],
    ids=["too many", "too large", "an endless value", "an endless name"],
)
def test_too_much_in_the_head(process: Process, headers: bytes) -> None:
    with process.connect() as connection:
        with suppress(OSError):  # refused before all of it was sent
            connection.sendall(MODELS + headers)
        assert problem_in(read_all(connection)) == (431, TOO_MUCH)


def test_a_hundred_headers_are_read(process: Process) -> None:
    headers = b"".join(b"X-%d: 1\r\n" % number for number in range(98))
    assert process.raw(MODELS + headers + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")


POST = b"POST /api/models/digits/prediction HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; boundary=x\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nContent-Length: 5\r\n",
        b"Content-Length: five\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b" Transfer-Encoding: chunked\r\n",
        b"X: a\0b\r\n",
        b"X: a\rb\r\n",
    ],
    ids=lambda headers: headers.decode().strip(),
)
def test_a_length_or_an_encoding_in_doubt_is_refused(process: Process, headers: bytes) -> None:
    status, _ = problem_in(process.raw(POST + headers + b"\r\n"))
    assert status == 400


@pytest.mark.parametrize(
    "request_line", [b"GET / HTTP/9.9\r\n", b"GET\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET http://[ HTTP/1.1\r\n"]
)
def test_what_is_no_request(process: Process, request_line: bytes) -> None:
    status, _ = problem_in(process.raw(request_line + HOST + b"\r\n"))
    assert status == 400


def test_a_chunk_that_is_none(process: Process) -> None:
    answer = process.raw(POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n")
    assert answer.startswith(b"HTTP/1.1 4")


def test_a_body_that_stops_coming(process: Process) -> None:
    answer = process.raw(POST + b"Content-Length: 1000\r\n\r\n--x\r\n")
    status, detail = problem_in(answer)
    assert status == 408
    assert detail.startswith("The request came too slowly: 5 bytes of it in 1 seconds.")


def test_a_websocket_is_not_opened(process: Process) -> None:
    upgrade = (
        b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n"
    )
    assert process.raw(b"GET /health HTTP/1.1\r\n" + HOST + upgrade).startswith(b"HTTP/1.1 200 ")


def test_after_all_that_it_still_answers(process: Process) -> None:
    status, headers, _ = process.post_drawing("/api/models/digits/prediction", four_png())
    assert status == 200
    assert "server" not in headers
