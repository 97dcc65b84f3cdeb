"""uvicorn's HTTP/1.1 protocol with limits on request heads, stalled clients, and connections.

uvicorn's httptools protocol waits for the end of a head without limit, buffers any number of header bytes, and waits
without limit for a client that stops reading. Middleware cannot help: the app is called once the head is complete. This
subclass overrides methods that uvicorn does not document, so pyproject.toml pins uvicorn to one minor version.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..settings import Settings, get_settings

_DETAILS = {
    HTTPStatus.BAD_REQUEST: "This is not a valid HTTP/1.1 request. Check the program that sent it.",
    HTTPStatus.REQUEST_TIMEOUT: "The head of the request took more than {head_seconds:g} seconds. Send it at once.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address has more than {max_url:,} bytes. Send long values in the body.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The request has more than {max_headers} headers, or more than "
    "{max_head:,} bytes of them. Send fewer.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The server holds {connections} connections, its most. Try again in 5 seconds.",
}


class LimitedProtocol(HttpToolsProtocol):
    """One connection. A refusal is answered with a Problem, and the connection closed."""

    def __init__(self, *args: Any, settings: Settings | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings = settings or get_settings()
        self.in_head = True  # the next bytes belong to a head
        self.head_started = False
        self.head_size = 0  # bytes received while in_head
        self.headers_size = 0  # bytes of the headers that were parsed
        self.error_status = HTTPStatus.BAD_REQUEST
        self.head_timer: asyncio.TimerHandle | None = None
        self.stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_head_timer()
        if len(self.connections) > self.settings.connections:
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
        # The parser reports a header once it is complete, so it does not report one that never ends.
        if self.in_head and self.head_size > self.settings.max_head and not self.transport.is_closing():
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.in_head = self.head_started = True
        self.head_size = self.headers_size = 0
        self._start_head_timer()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._require(len(self.url) <= self.settings.max_url, HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self.headers_size += len(name) + len(value) + 4
        few, small = len(self.headers) <= self.settings.max_headers, self.headers_size <= self.settings.max_head
        self._require(few and small, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self.in_head = self.head_started = False
        _cancel(self.head_timer)
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stall_timer = self.loop.call_later(self.settings.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        _cancel(self.stall_timer)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self.refuse(self.error_status)

    def refuse(self, status: HTTPStatus) -> None:
        """Answer with a Problem, and close the connection."""
        _cancel(self.head_timer)
        detail = _DETAILS[status].format_map(self.settings.model_dump())
        body = json.dumps({"title": status.phrase, "status": int(status), "detail": detail}).encode()
        retry = "retry-after: 5\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
        head = (
            f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\n{retry}connection: close\r\n\r\n"
        )
        if self._may_answer():
            self.transport.write(head.encode() + body)
            if self.cycle is not None:  # drop what the app may still send
                self.cycle.disconnected = True
                self.cycle.message_event.set()
        self.transport.close()

    def _may_answer(self) -> bool:
        """Return whether the next answer on this connection belongs to the request that is being read."""
        if self.cycle is None or self.cycle.response_complete:
            return True
        return not self.in_head and not self.cycle.response_started and not self.pipeline

    def _require(self, is_valid: bool, error_status: HTTPStatus) -> None:
        if not is_valid:
            self.error_status = error_status
            raise ValueError  # stops the parser, and uvicorn calls send_400_response

    def _start_head_timer(self) -> None:
        _cancel(self.head_timer)
        self.head_timer = self.loop.call_later(self.settings.head_seconds, self._on_late_head)

    def _on_late_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._start_head_timer()  # the previous answer comes first, and has a limit of its own
        elif self.head_started and not self.transport.is_closing():
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:  # browsers open connections ahead of need
            self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
