"""Requests as bytes and a client that adds as little as possible to what is measured."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

BOUNDARY = "layerglass-benchmark"
TIMEOUT = 60
# What the explorer's form sends beside the drawing.
PAGE_FIELDS = {"model": "digits", "card_of": "digits", "colormap": "viridis", "scale": "layer", "columns": "16"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


def post(path: str, drawing: bytes, fields: Mapping[str, str] | None = None, file_field: str = "drawing") -> bytes:
    """A multipart POST of a file and fields, as a browser sends it."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in (fields or {}).items()]  # fmt: skip
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{file_field}"; filename="drawing.png"\r\n'
    body = b"".join([*parts, head.encode(), b"Content-Type: image/png\r\n\r\n", drawing, f"\r\n--{BOUNDARY}--\r\n".encode()])
    return request("POST", path, body, f"multipart/form-data; boundary={BOUNDARY}")


def request(method: str, path: str, body: bytes = b"", content_type: str = "") -> bytes:
    """A whole HTTP/1.1 request that keeps the connection."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
    if body or method in {"POST", "PUT"}:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer."""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return int(first.split(" ", 2)[1]), headers


class Client:
    """One keep-alive connection over which one request goes after another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> Answer:
        """The answer to a request. Raises: ConnectionError where the server ended the connection."""
        self._socket.sendall(data)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        status, headers = read_head(received[:end])
        pieces, missing = [received[end + 4 :]], int(headers.get("content-length", 0)) - len(received) + end + 4
        while missing > 0:
            pieces.append(self._receive())
            missing -= len(pieces[-1])
        return Answer(status, headers, b"".join(pieces))

    def _receive(self) -> bytes:
        if not (piece := self._socket.recv(1 << 18)):
            raise ConnectionError("The server ended the connection.")
        return piece
