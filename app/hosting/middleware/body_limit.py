"""Limits on the size of request bodies, of each and of all in memory together."""

from collections.abc import Callable
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.hosting.refusals import BodyTooLarge, Overloaded, Refused, refuse


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


def _as_http_exception(error: Refused) -> HTTPException:
    """Wrap a refusal in the only exception that FastAPI lets through while it reads a body."""
    exception = HTTPException(error.status)
    exception.__cause__ = error
    return exception
