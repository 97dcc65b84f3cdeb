"""Middleware that limits requests: their bodies, their time, and their rate."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..settings import Settings
from .refusals import BodyTooLarge, Overloaded, Refused, refuse
from .request_counts import RequestCounter

GRACE_SECONDS = 10  # before body_rate applies: a connection may start slowly
_SMALL_ANSWER = 2**20  # bytes
_ANSWER_PART = 2**18  # bytes that are given to the connection at once
_UNLIMITED_PATHS = ("/static/", "/health", "/ready", "/metrics")  # of requests a minute


class BodyLimit(NamedTuple):
    """The largest body that a request may have."""

    max_bytes: int
    advice: str  # to a client that sends more
    in_memory: bool = True  # else it is written to a file as it arrives


class LimitBodies:
    """Middleware that refuses a body that is too large, or for which there is no memory beside all others.

    Each body is small, but one that arrives slowly stays in memory for long. A body without a Content-Length is counted
    while it arrives.
    """

    def __init__(self, app: ASGIApp, limit_of: Callable[[Scope], BodyLimit], max_in_memory: int) -> None:
        """max_in_memory: bytes of all bodies that are being received or answered."""
        self.app = app
        self.limit_of = limit_of
        self.max_in_memory = max_in_memory
        self._in_memory = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limit = self.limit_of(scope)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > limit.max_bytes:
            return await refuse(BodyTooLarge(limit.max_bytes, limit.advice), scope, receive, send)
        received = 0

        async def receive_within_limits() -> Message:
            nonlocal received
            message = await receive()
            size = len(message.get("body", b""))
            if received + size > limit.max_bytes:
                raise _as_http_exception(BodyTooLarge(limit.max_bytes, limit.advice))
            if limit.in_memory and self._in_memory + size > self.max_in_memory:
                raise _as_http_exception(Overloaded("bodies held", headers={"Connection": "close"}))
            received += size
            if limit.in_memory:
                self._in_memory += size
            return message

        try:
            await self.app(scope, receive_within_limits, send)
        finally:
            if limit.in_memory:
                self._in_memory -= received


class LimitAnswers:
    """Middleware that refuses a large answer for which there is no memory beside all others that are being sent.

    An answer is held in memory for as long as its client reads. It is given to the connection in parts, which would
    otherwise keep a second copy of what is not read yet. One address may hold half of the memory.
    """

    def __init__(self, app: ASGIApp, max_in_memory: int) -> None:
        """max_in_memory: bytes of all large answers whose length is known. An answer is let through alone."""
        self.app = app
        self.max_in_memory = max_in_memory
        self._held: Counter[str] = Counter()  # by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        address, held, is_refused = scope["client"][0] if scope.get("client") else "", 0, False

        async def send_in_parts(message: Message) -> None:
            nonlocal held, is_refused
            if is_refused:
                return
            if message["type"] == "http.response.start":
                size = _length_of(message)
                if size > _SMALL_ANSWER and not self._has_room(address, size):
                    is_refused = True
                    return await refuse(Overloaded("answers held"), scope, receive, send)
                held = size if size > _SMALL_ANSWER else 0
                self._held[address] += held
            for part in _cut(message):
                await send(part)

        try:
            await self.app(scope, receive, send_in_parts)
        finally:
            self._held -= Counter({address: held})  # which drops what falls to zero

    def _has_room(self, address: str, size: int) -> bool:
        mine = self._held[address]
        return (not mine or mine + size <= self.max_in_memory // 2) and (
            not self._held.total() or self._held.total() + size <= self.max_in_memory
        )


def _length_of(message: Message) -> int:
    """Return the length of the answer that begins with a message; 0 where it is made while it is sent."""
    length = Headers(raw=message["headers"]).get("content-length", "0")
    return int(length)


def _cut(message: Message) -> Iterator[Message]:
    """Cut a large part of an answer into smaller ones."""
    body = message.get("body", b"")
    if len(body) <= _ANSWER_PART:
        yield message
        return
    for start in range(0, len(body), _ANSWER_PART):
        is_last = start + _ANSWER_PART >= len(body)
        more = message.get("more_body", False) or not is_last
        yield {**message, "body": body[start : start + _ANSWER_PART], "more_body": more}


def _as_http_exception(error: Refused) -> HTTPException:
    """Wrap a refusal in the only exception that FastAPI lets through while it reads a body."""
    exception = HTTPException(error.status)
    exception.__cause__ = error
    return exception


class TimeLimits:
    """Middleware that answers 408 to a body that arrives too slowly, and 503 where an answer takes too long.

    A computation cannot be interrupted: after a 503 it still runs to its end, and keeps its turn until then.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _TimedRequest(self.app, self.settings, scope, receive, send).run()
        else:
            await self.app(scope, receive, send)


class _TimedRequest:
    def __init__(self, app: ASGIApp, settings: Settings, scope: Scope, receive: Receive, send: Send) -> None:
        self.app, self.settings = app, settings
        self.scope, self.receive, self.send = scope, receive, send
        self.loop = asyncio.get_running_loop()
        self.start = self.loop.time()
        self.received = 0
        self.body_ended = not {b"content-length", b"transfer-encoding"} & {name for name, _ in scope["headers"]}
        self.answer_started = False
        self.timeout_answer: asyncio.Task[None] | None = None
        seconds = settings.answer_seconds + (0 if self.body_ended else settings.body_seconds)
        self.timer = self.loop.call_later(seconds, self.time_out)

    async def run(self) -> None:
        try:
            await self.app(self.scope, self.receive_in_time, self.send_unless_timed_out)
        finally:
            self.timer.cancel()
            if self.timeout_answer is not None:
                await self.timeout_answer

    def time_out(self) -> None:
        if not self.answer_started:  # else what takes long is the client's reading
            refusal = refuse(Overloaded("answer too late"), self.scope, self.receive, self.send)
            self.timeout_answer = self.loop.create_task(refusal)

    async def send_unless_timed_out(self, message: Message) -> None:
        if self.timeout_answer is None:
            self.answer_started = True
            await self.send(message)

    async def receive_in_time(self) -> Message:
        if self.body_ended:
            return await self.receive()
        try:
            async with asyncio.timeout_at(self.start + self.allowed_seconds()):
                message = await self.receive()
        except TimeoutError:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, self.too_slow(), {"Connection": "close"}) from None
        self.received += len(message.get("body", b""))
        if not message.get("more_body", False):
            self.body_ended = True
            if self.timeout_answer is None:  # now the answer has its whole time
                self.timer.cancel()
                self.timer = self.loop.call_later(self.settings.answer_seconds, self.time_out)
        return message

    def allowed_seconds(self) -> float:
        """Return how long after the request's start the next part of the body may arrive."""
        return min(self.settings.body_seconds, GRACE_SECONDS + self.received / self.settings.body_rate)

    def too_slow(self) -> str:
        return (
            f"The request came too slowly: {self.received:,} bytes of it in {self.allowed_seconds():.0f} seconds. "
            f"A body is read for at most {self.settings.body_seconds:g} seconds. Try again on a better connection."
        )


class TooManyRequests(Refused):
    """More requests from one address than the limit."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    reason = "rate limit"

    def __init__(self, per_minute: int, retry_seconds: int) -> None:
        super().__init__(
            f"More than {per_minute:,} requests in a minute came from your address. "
            f"Try again in {retry_seconds} seconds.",
            {"Retry-After": str(retry_seconds)},
        )


class RateLimit:
    """Middleware that refuses an address's requests beyond so many in any sixty seconds."""

    def __init__(self, app: ASGIApp, per_minute: int, counter: RequestCounter) -> None:
        """counter: lets per_minute requests through."""
        self.app, self.per_minute, self.counter = app, per_minute, counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_UNLIMITED_PATHS):
            return await self.app(scope, receive, send)
        address = scope["client"][0] if scope.get("client") else "unknown"
        if retry_seconds := await self.counter.hit(address):
            return await refuse(TooManyRequests(self.per_minute, retry_seconds), scope, receive, send)
        return await self.app(scope, receive, send)
