"""Requests that are refused before their route runs, and how a middleware answers them."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import Receive, Scope, Send


class Refused(Exception):
    """A request that is refused before its route runs. The message is for the person who sent it."""

    status: HTTPStatus
    reason: str  # a metric's label
    message: str = ""  # of a refusal that always says the same
    retry_seconds: int | None = None  # after which the client may try again

    def __init__(self, message: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message or self.message)
        retry = {} if self.retry_seconds is None else {"Retry-After": str(self.retry_seconds)}
        self.headers = {**retry, **(headers or {})}


class BodyTooLarge(Refused):
    """A body over the limit. The connection is closed instead of reading the rest of it."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    reason = "too large"

    def __init__(self, max_bytes: int, advice: str) -> None:
        message = f"The request is larger than {max_bytes:,} bytes, the most that is read. {advice}"
        super().__init__(message, {"Connection": "close"})


class Overloaded(Refused):
    """More work than the server can do in time."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_seconds = 2
    message = f"The server is busy. Try again in {retry_seconds} seconds."

    def __init__(self, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(headers=headers)
        self.reason = reason


async def refuse(error: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a refused request from a middleware, with the app's handler for Refused."""
    await answer_error(Refused, error, scope, receive, send)


async def answer_error(kind: type[Exception], error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer an error with the handler that the app has registered for this kind of exception."""
    handler = scope["app"].exception_handlers[kind]
    response = await handler(Request(scope), error)
    await response(scope, receive, send)
