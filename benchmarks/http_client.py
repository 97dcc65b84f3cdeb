"""Requests as bytes and a client that adds as little as possible to what is measured."""

import json
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

BOUNDARY = "layerglass-benchmark"
TIMEOUT = 60
PAGE = "/exploration"
# What the explorer's form sends beside the drawing, at least.
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
    """A multipart POST of fields and a file, as a browser sends it."""
    parts = [_part(f'name="{name}"') + value.encode() for name, value in fields]
    parts.append(_part(f'name="{file_field}"; filename="{filename}"') + file)
    body = b"\r\n".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
    return request("POST", path, body, f"multipart/form-data; boundary={BOUNDARY}")


def _part(disposition: str) -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()


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


def page_fields(client: Client, drawing: bytes) -> list[tuple[str, str]]:
    """What the explorer's page sends beside a drawing: the list of layers that it has, and which are on screen."""
    fields = list(PAGE_FIELDS.items())
    body = client.send(post(PAGE, drawing, fields)).body
    if listed := re.search(rb' data-listed="([^"]*)"', body):
        shown = json.dumps(dict.fromkeys(layers_drawn(body), 0))
        fields += [("listed", listed[1].decode()), ("shown", shown)]
    return fields


def layers_drawn(page: bytes) -> list[str]:
    """The layers whose pictures an answer of the page holds."""
    figures = re.findall(rb'id="figure-([^"]+)"(.*?)</figcaption>', page, re.S)
    return [name.decode() for name, text in figures if b'src="data:image/png' in text]
