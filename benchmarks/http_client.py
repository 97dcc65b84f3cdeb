"""HTTP requests as bytes, and clients that add as little as possible to what is measured."""

import asyncio
import json
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

BOUNDARY = "layerglass-benchmark"
TIMEOUT = 60
ASYNC_TIMEOUT = 120.0  # seconds for one answer: longer than the server itself gives it
PAGE = "/exploration"
# The least that the explorer's form sends beside the drawing.
PAGE_FIELDS = {"model": "digits", "card_of": "digits", "colormap": "viridis", "scale": "layer", "columns": "16"}

Fields = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


def post(
    path: str, file: bytes, fields: Fields = (), file_field: str = "drawing", filename: str = "drawing.png"
) -> bytes:
    """Return a multipart POST of fields and a file, as a browser sends it."""
    parts = [_part(f'name="{name}"') + value.encode() for name, value in fields]
    parts.append(_part(f'name="{file_field}"; filename="{filename}"') + file)
    body = b"\r\n".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
    return request("POST", path, body, f"multipart/form-data; boundary={BOUNDARY}")


def _part(disposition: str) -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()


def request(method: str, path: str, body: bytes = b"", content_type: str = "") -> bytes:
    """Return an HTTP/1.1 request that keeps the connection open."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
    if body or method in {"POST", "PUT"}:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of an answer."""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return int(first.split(" ", 2)[1]), headers


class Client:
    """A keep-alive connection for one request after another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> Answer:
        """Send a request and return its answer. Raises: ConnectionError if the server closes the connection."""
        self._socket.sendall(data)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        status, headers = read_head(received[:end])
        pieces, missing = [received[end + 4 :]], int(headers.get("content-length", 0)) - len(received) + end + 4
        while missing > 0:
            pieces.append(self._receive())
            missing -= len(pieces[-1])
        if headers.get("connection", "").lower() == "close":
            self._socket.close()
            self._connect()
        return Answer(status, headers, b"".join(pieces))

    def _receive(self) -> bytes:
        if not (piece := self._socket.recv(1 << 18)):
            raise ConnectionError("The server closed the connection.")
        return piece


class AsyncClient:
    """A keep-alive connection that is opened when needed, for many clients in one process."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, data: bytes) -> Answer:
        """Send a request and return its answer.

        Raises: OSError, asyncio.IncompleteReadError, TimeoutError; the connection is then closed.
        """
        try:
            async with asyncio.timeout(ASYNC_TIMEOUT):
                return await self._send(data)
        except BaseException:
            self.close()
            raise

    async def _send(self, data: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._streams
        writer.write(data)
        status, headers = read_head((await reader.readuntil(b"\r\n\r\n"))[:-4])
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)

    def close(self) -> None:
        streams, self._streams = self._streams, None
        if streams:
            streams[1].close()


def page_fields(client: Client, drawing: bytes) -> list[tuple[str, str]]:
    """Return the fields that the explorer sends beside a drawing, with its layers and those on screen."""
    fields = list(PAGE_FIELDS.items())
    body = client.send(post(PAGE, drawing, fields)).body
    if listed := re.search(rb' data-listed="([^"]*)"', body):
        shown = json.dumps(dict.fromkeys(layers_drawn(body), 0))
        fields += [("listed", listed[1].decode()), ("shown", shown)]
    return fields


def layers_drawn(page: bytes) -> list[str]:
    """Return the names of the layers whose pictures are in an answer of the page."""
    figures = re.findall(rb'id="figure-([^"]+)"(.*?)</figcaption>', page, re.S)
    return [name.decode() for name, text in figures if b'src="data:image/png' in text]
