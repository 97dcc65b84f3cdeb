"""uvicorn's HTTP connection, with the limits that it has not: on a request's head, on silence, on their number.

uvicorn 0.54 with httptools waits for ever for the end of a request's headers, holds as many bytes of them as come,
and waits for ever for a client that stops reading. The app could not help: it is called when the head is complete.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.settings import Limits, get_settings

_SENTENCES = {
    HTTPStatus.BAD_REQUEST: "This is not a request that can be read as HTTP/1.1. Check how it was put together.",
    HTTPStatus.REQUEST_TIMEOUT: "The head of the request took more than {head_seconds:g} seconds. Send it at once.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address has more than {max_url:,} bytes. Send what is long in the body.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The request has more than {max_headers} headers, or more than "
    "{max_head:,} bytes of them. Send fewer.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The server holds {connections} connections, its most. Try again in 5 seconds.",
}


class LimitedProtocol(HttpToolsProtocol):
    """One connection. What it refuses, it answers with the app's own Problem, and ends."""

    def __init__(self, *arguments: Any, limits: Limits | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.limits = limits or get_settings()
        self.in_head = True  # before a request's head is complete
        self.has_begun = False  # the request has
        self.head_size = 0  # bytes received before it is complete, whatever they are
        self.headers_size = 0  # bytes of the headers that were read
        self.refusal = HTTPStatus.BAD_REQUEST
        self.head_timer: asyncio.TimerHandle | None = None
        self.stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_head_timer()
        if len(self.connections) > self.limits.connections:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self.head_timer)
        _cancel(self.stall_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self.head_size += len(data)
        super().data_received(data)
        # Of a header that never ends the parser says nothing.
        if self.in_head and self.head_size > self.limits.max_head and not self.transport.is_closing():
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_head = self.has_begun = True
        self.head_size = self.headers_size = 0
        self._start_head_timer()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._require(len(self.url) <= self.limits.max_url, HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self.headers_size += len(name) + len(value) + 4
        few, small = len(self.headers) <= self.limits.max_headers, self.headers_size <= self.limits.max_head
        self._require(few and small, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self.in_head = self.has_begun = False
        _cancel(self.head_timer)
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stall_timer = self.loop.call_later(self.limits.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        _cancel(self.stall_timer)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self.refuse(self.refusal)

    def refuse(self, status: HTTPStatus) -> None:
        """Answer in the app's one shape, and end the connection."""
        _cancel(self.head_timer)
        detail = _SENTENCES[status].format_map(self.limits.model_dump())
        body = json.dumps({"title": status.phrase, "status": int(status), "detail": detail}).encode()
        retry = "retry-after: 5\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
        head = (
            f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\n{retry}connection: close\r\n\r\n"
        )
        if self._is_turn():
            self.transport.write(head.encode() + body)
            if self.cycle is not None:  # whatever the app would still say comes too late
                self.cycle.disconnected = True
                self.cycle.message_event.set()
        self.transport.close()

    def _is_turn(self) -> bool:
        """The next answer on this connection is the one to the request that is being read."""
        if self.cycle is None or self.cycle.response_complete:
            return True
        return not self.in_head and not self.cycle.response_started and not self.pipeline

    def _require(self, is_fine: bool, status: HTTPStatus) -> None:
        if not is_fine:
            self.refusal = status
            raise ValueError  # the parser stops, and uvicorn asks for a 400

    def _start_head_timer(self) -> None:
        _cancel(self.head_timer)
        self.head_timer = self.loop.call_later(self.limits.head_seconds, self._on_late_head)

    def _on_late_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._start_head_timer()  # the answer before this head comes first, and has a limit of its own
        elif self.has_begun and not self.transport.is_closing():
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:  # a browser that connected ahead of need
            self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
