"""uvicorn's HTTP/1.1 protocol with limits on request heads, stalled clients, and connections.

uvicorn's httptools protocol waits for the end of a head without limit, buffers any number of header bytes, and waits
without limit for a client that stops reading. Middleware cannot help: the app is called once the head is complete. This
subclass overrides methods that uvicorn does not document, so pyproject.toml pins uvicorn to one minor version.
"""

import asyncio
import json
from http import HTTPStatus
from time import monotonic
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..settings import Settings, get_settings
from .connections import Discard, GentleTransport, share_of
from .resources import lingering_limit

_SLOW_HEAD_SECONDS = 1.5  # after which a head that has not ended counts as silence

_DETAILS = {
    HTTPStatus.BAD_REQUEST: "This is not a valid HTTP/1.1 request. Check the program that sent it.",
    HTTPStatus.REQUEST_TIMEOUT: "The head of the request took more than {head_seconds:g} seconds. Send it at once.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address has more than {max_url:,} bytes. Send long values in the body.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The request has more than {max_headers} headers, or more than "
    "{max_head:,} bytes of them. Send fewer.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The server holds {connections} connections, its most. Try again in 5 seconds.",
}
_SHARE_IS_FULL = (
    "The server holds {share} connections from your address, the most from one. Close some, or try again in 5 seconds."
)


class LimitedProtocol(HttpToolsProtocol):
    """One connection. A refusal is answered with a Problem, and the connection closed."""

    def __init__(self, *args: Any, settings: Settings | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings = settings or get_settings()
        self.share: str | None = None  # whose share of all connections this one belongs to
        self.silent_since = monotonic()  # the loop's clock stands still while it accepts several
        self.in_head = True  # the next bytes belong to a head
        self.head_started = False
        self.head_size = 0  # bytes received while in_head
        self.headers_size = 0  # bytes of the headers that were parsed
        self.request_ended = True  # no part of a request is still to come
        self.discard: Discard | None = None  # of what comes after the answer
        self.error_status = HTTPStatus.BAD_REQUEST
        self.head_timer: asyncio.TimerHandle | None = None
        self.stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport: GentleTransport
        super().connection_made(GentleTransport(transport, self._is_unread, self._on_linger))
        if self.client is not None:
            self.share = share_of(self.client[0], self.settings.forwarded_allow_ips)
        self._start_head_timer()
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self.head_timer)
        _cancel(self.stall_timer)
        self._stop_discarding()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.discard is not None:
            self.discard.count(len(data))
        if self.transport.is_closing():
            return
        self.head_size += len(data)
        super().data_received(data)
        # The parser reports a header once it is complete, so it does not report one that never ends.
        if self.in_head and self.head_size > self.settings.max_head and not self.transport.is_closing():
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self.in_head = self.head_started = True
        self.request_ended = False
        self.silent_since = monotonic()
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

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.request_ended = True
        if self.discard is not None:  # the answer was complete before the request was
            self._stop_discarding()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.silent_since = monotonic()
        is_answered = self.cycle.response_complete and not self.in_head  # the request that is being read
        if is_answered and not self.request_ended and not self.transport.is_closing():
            self._start_discarding()

    def shutdown(self) -> None:
        if self.transport.is_lingering:
            self.transport.abort()  # it has had its answer
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stall_timer = self.loop.call_later(self.settings.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        _cancel(self.stall_timer)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self.refuse(self.error_status)

    def refuse(self, status: HTTPStatus, sentence: str | None = None) -> None:
        """Answer with a Problem, and close the connection once the client has it."""
        _cancel(self.head_timer)
        detail = (sentence or _DETAILS[status]).format_map({**self.settings.model_dump(), "share": self._largest_share})
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
        self.transport.linger()

    @property
    def is_answering(self) -> bool:
        """A request is being answered, or an answer is still being sent."""
        is_complete = self.cycle is None or self.cycle.response_complete
        return not is_complete or self.transport.get_write_buffer_size() > 0

    @property
    def has_slow_head(self) -> bool:
        """A head has begun, and does not end."""
        return self.head_started and monotonic() - self.silent_since > _SLOW_HEAD_SECONDS

    @property
    def is_silent(self) -> bool:
        """No request is being read or answered."""
        return not self.is_answering and (not self.head_started or self.has_slow_head)

    @property
    def _largest_share(self) -> int:
        return max(1, self.settings.connections // 2)

    def _make_room(self) -> None:
        """Where there is now a connection too many, close the one that has been silent for longest.

        Where none is silent, refuse this one. One address may have a part of all connections only.
        """
        if len(self.connections) <= self._largest_share:
            return
        held = [each for each in self._all() if not each.transport.is_closing()]
        mine = [each for each in held if each.share == self.share is not None]
        if len(mine) > self._largest_share:
            self._replace_silent(mine, _SHARE_IS_FULL)
        elif len(held) > self.settings.connections:
            self._replace_silent(held, _DETAILS[HTTPStatus.SERVICE_UNAVAILABLE])

    def _replace_silent(self, held: list["LimitedProtocol"], sentence: str) -> None:
        silent = [each for each in held if each.is_silent and each is not self]
        if silent:
            min(silent, key=lambda each: (not each.has_slow_head, each.silent_since)).transport.abort()
        else:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, sentence)

    def _all(self) -> list["LimitedProtocol"]:
        """Return all connections of this process."""
        return [each for each in self.connections if isinstance(each, LimitedProtocol)]

    def _is_unread(self) -> bool:
        """Return whether the client may still be sending what nobody will read."""
        return not self.request_ended or self.flow.read_paused

    def _on_linger(self) -> None:
        """Throw away what comes now. Close the connection that has lingered for longest, where there are too many."""
        _cancel(self.head_timer)
        self._unset_keepalive_if_required()
        self._start_discarding()
        lingering = [each for each in self._all() if each.transport.is_lingering and not each.transport.is_gone]
        if len(lingering) > lingering_limit(self.settings.connections):
            min(lingering, key=lambda each: each.silent_since).transport.abort()

    def _start_discarding(self) -> None:
        self._stop_discarding()
        self.silent_since = monotonic()
        self.discard = Discard(self.loop, self.transport.abort)

    def _stop_discarding(self) -> None:
        if self.discard is not None:
            self.discard.stop()
            self.discard = None

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
