"""Many connections, and clients that send before they read, on a real server."""

import http.client
import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from app.hosting.connections import share_of
from tests.process import Process, read_all

HOST = b"Host: localhost\r\n"
GET = b"GET /health HTTP/1.1\r\n" + HOST
POST = b"POST /api/models/digits/prediction HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; boundary=x\r\n"
SLOW_BODY = POST + b"Content-Length: 1000\r\n\r\n--x\r\n"
PART = b'--x\r\ncontent-disposition: form-data; name="drawing"; filename="drawing.png"\r\n\r\n'
LIMIT, SHARE = 16, 8
Connect = Callable[..., socket.socket]


@pytest.mark.parametrize(
    ("host", "proxies", "share"),
    [
        ("192.0.2.7", "127.0.0.1,::1", "192.0.2.7"),
        ("127.0.0.1", "127.0.0.1,::1", "127.0.0.1"),
        ("::1", "127.0.0.1,::1", "::1"),
        ("::ffff:192.0.2.7", "", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ("10.0.0.5", "127.0.0.1, 10.0.0.0/24", None),
        ("::ffff:10.0.0.5", "10.0.0.5", None),
        ("10.0.0.5", "*, proxy.example", "10.0.0.5"),
        ("/run/socket", "", None),
    ],
)
def test_whose_share_a_connection_belongs_to(host: str, proxies: str, share: str | None) -> None:
    assert share_of(host, proxies) == share


@pytest.fixture(scope="module")
def process(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(models, tmp_path_factory.mktemp("server"), upload_megabytes="1")
    try:
        yield process.wait()
    finally:
        process.end()


@pytest.fixture(scope="module")
def small(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server that holds few connections, and any of them for long."""
    process = Process(
        models, tmp_path_factory.mktemp("server"), connections=str(LIMIT), keep_alive_seconds="60", head_seconds="60"
    )
    try:
        yield process.wait()
    finally:
        process.end()


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def connect(process: Process, address: str = "127.0.0.1") -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", process.port), 30, (address, 0))
            return stack.enter_context(connection)

        yield connect


def ask(connection: socket.socket) -> int:
    """Return the status of the answer to one request. The connection stays open."""
    connection.sendall(GET + b"\r\n")
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def is_open(connection: socket.socket) -> bool:
    """Return whether the server has not closed a connection on which it has nothing to say."""
    return not select.select([connection], [], [], 0)[0]


@pytest.mark.parametrize("head", [b"", b"G", GET + b"X-Slow: "], ids=["nothing", "one byte", "half a head"])
def test_silent_connections_of_one_client_keep_nobody_out(process: Process, connect: Connect, head: bytes) -> None:
    silent = [connect(process) for _ in range(520)]
    for connection in silent:
        with suppress(OSError):
            connection.sendall(head)
    if head:
        time.sleep(2.5)
    held = [connection for connection in silent if is_open(connection)]
    for address in ("127.0.0.1", "127.0.0.2") * 50:
        assert ask(connect(process, address)) == 200
    assert all(map(is_open, held[-100:]))  # no more are closed than must be


def test_the_connection_that_has_been_silent_for_longest_goes_first(small: Process, connect: Connect) -> None:
    idle = connect(small)
    never_used = [connect(small) for _ in range(SHARE - 1)]
    assert ask(idle) == 200
    assert ask(connect(small)) == 200
    assert ask(idle) == 200
    assert [is_open(connection) for connection in never_used] == [False] + [True] * (SHARE - 2)


def test_a_head_that_does_not_end_goes_before_idle_connections(small: Process, connect: Connect) -> None:
    idle = [connect(small) for _ in range(SHARE - 1)]
    slow = connect(small)
    slow.sendall(GET)
    time.sleep(1.6)
    slow.sendall(b"X")
    assert ask(connect(small)) == 200
    assert not is_open(slow)
    assert all(map(is_open, idle))


def refusal(connection: socket.socket, request: bytes = b"") -> tuple[int, str]:
    """Send a request, and return the problem that comes, having read until the server closes."""
    connection.sendall(request)
    time.sleep(0.2)
    head, _, body = read_strictly(connection).partition(b"\r\n\r\n")
    assert b"retry-after: 5\r\n" in head and b"connection: close" in head
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % problem["status"])
    return problem["status"], problem["detail"]


def read_strictly(connection: socket.socket) -> bytes:
    """Return all that comes. A connection that is reset raises."""
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


def test_whoever_is_refused_gets_a_sentence_whatever_it_sends(small: Process, connect: Connect) -> None:
    share_is_full = (
        503,
        f"The server holds {SHARE} connections from your address, the most from one. "
        "Close some, or try again in 5 seconds.",
    )
    all_are_full = 503, f"The server holds {LIMIT} connections, its most. Try again in 5 seconds."
    for _ in range(SHARE):
        connect(small).sendall(SLOW_BODY)
    time.sleep(0.2)
    assert refusal(connect(small)) == share_is_full
    assert refusal(connect(small), GET + b"\r\n") == share_is_full
    assert refusal(connect(small), POST + b"Content-Length: 3000000\r\n\r\n" + bytes(3_000_000)) == share_is_full
    assert ask(connect(small, "127.0.0.2")) == 200
    for _ in range(SHARE):
        connect(small, "127.0.0.2").sendall(SLOW_BODY)
    time.sleep(0.2)
    assert refusal(connect(small, "127.0.0.3"), GET + b"\r\n") == all_are_full


def test_refused_clients_that_stay_are_few(small: Process, connect: Connect) -> None:
    before = psutil.Process(small.process.pid).num_fds()
    for _ in range(SHARE):
        connect(small).sendall(SLOW_BODY)
    time.sleep(0.2)
    refused = [connect(small) for _ in range(100)]
    assert refusal(refused[-1], GET + b"\r\n")[0] == 503
    assert psutil.Process(small.process.pid).num_fds() <= before + LIMIT + 16 + LIMIT // 4
    for connection in refused[:-1]:
        assert read_all(connection).startswith(b"HTTP/1.1 503 ")


def send_and_read(process: Process, head: bytes, body: Callable[[socket.socket], None]) -> bytes:
    """Send all of a request, and only then read what comes."""
    with process.connect() as connection:
        connection.sendall(head)
        body(connection)
        time.sleep(0.3)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return b"%d " % answer.status + answer.read()


SIZE = 100_000_000


def send_plain(connection: socket.socket) -> None:
    connection.sendall(bytes(SIZE))


def send_chunked(connection: socket.socket) -> None:
    for piece in (PART, *[bytes(1_000_000)] * (SIZE // 1_000_000)):
        connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
    connection.sendall(b"0\r\n\r\n")


@pytest.mark.parametrize("path", [b"/api/models/digits/prediction", b"/api/models", b"/exploration"])
@pytest.mark.parametrize(
    ("length", "send"),
    [(b"Content-Length: %d\r\n\r\n" % SIZE, send_plain), (b"Transfer-Encoding: chunked\r\n\r\n", send_chunked)],
    ids=["of known length", "chunked"],
)
def test_a_client_that_sends_all_before_it_reads_is_told_that_it_is_too_much(
    process: Process, path: bytes, length: bytes, send: Callable[[socket.socket], None]
) -> None:
    head = POST.replace(b"/api/models/digits/prediction", path) + length
    before = psutil.Process(process.process.pid).memory_info().rss
    answer = send_and_read(process, head, send)
    assert answer.startswith(b"413 ")
    assert b"The request is larger than" in answer
    assert psutil.Process(process.process.pid).memory_info().rss < before + 30_000_000


def test_other_refusals_before_the_body_is_read_arrive_too(process: Process) -> None:
    """Some close the connection, some let it be used again."""
    foreign = POST + b"Sec-Fetch-Site: cross-site\r\n" + b"Content-Length: %d\r\n\r\n" % SIZE
    assert send_and_read(process, foreign, send_plain).startswith(b"403 ")
    unknown = POST.replace(b"localhost", b"evil.example") + b"Content-Length: %d\r\n\r\n" % SIZE
    assert send_and_read(process, unknown, send_plain).startswith(b"400 ")
    too_many = POST + b"X: 1\r\n" * 200 + b"Content-Length: %d\r\n\r\n" % SIZE
    assert send_and_read(process, too_many, send_plain).startswith(b"431 ")


def test_a_connection_is_used_again_once_a_refused_body_has_come(process: Process) -> None:
    with process.connect() as connection:
        connection.sendall(POST + b"Sec-Fetch-Site: cross-site\r\nContent-Length: 200000\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
        assert answer.status == 403
        connection.sendall(bytes(200_000))
        assert ask(connection) == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [b"Content-Length: 9000000\r\n\r\n", b"Sec-Fetch-Site: cross-site\r\nContent-Length: 9000\r\n\r\n"],
    ids=["that closes the connection", "that does not"],
)
def test_after_a_refusal_a_body_that_stops_coming_is_not_waited_for(
    process: Process, connect: Connect, headers: bytes
) -> None:
    connection = connect(process)
    connection.sendall(POST + headers)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 4")
    for _ in range(3):
        connection.sendall(b"x")
        time.sleep(1)
        assert connection_is_held(process, connection)
    start = time.monotonic()
    while connection_is_held(process, connection):
        assert time.monotonic() - start < 10
        time.sleep(0.1)


def connection_is_held(process: Process, connection: socket.socket) -> bool:
    port = connection.getsockname()[1]
    held = psutil.Process(process.process.pid).net_connections()
    return any(each.raddr and each.raddr.port == port for each in held)


def test_after_all_that_it_still_answers(process: Process, small: Process) -> None:
    for server in (process, small):
        assert server.get("/health")[0] == 200
        assert "Traceback" not in server.log
