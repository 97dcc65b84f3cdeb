"""A log line, metrics and an id for every request, and an answer to unhandled exceptions."""

import logging
import re
from time import perf_counter
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.hosting import metrics
from app.hosting.logs import request_id
from app.hosting.refusals import answer_error

_logger = logging.getLogger("layerglass.request")
_VALID_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestLog:
    """Middleware that logs and measures each request, and answers unhandled exceptions.

    A line holds the route's template, never the path: that is what a person typed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _LoggedRequest(scope, send).run(self.app, receive)
        else:
            await self.app(scope, receive, send)


class _LoggedRequest:
    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self.send = scope, send
        self.id = _request_id(scope)
        self.start = perf_counter()
        self.status = 0  # of the answer; 0 before it has started
        self.size = 0  # of the answer's body in bytes

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        token = request_id.set(self.id)
        try:
            await app(self.scope, receive, self.send_and_log)
        except Exception as error:
            _logger.exception("A bug: %s %s", self.scope["method"], metrics.route_of(self.scope))
            if self.status:
                raise  # part of the answer was sent: the server can only close the connection
            await answer_error(Exception, error, self.scope, receive, self.send_and_log)
        finally:
            request_id.reset(token)

    async def send_and_log(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        try:
            await self.send(message)
        finally:  # log after sending, so that nobody waits for it, even if the client has left
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self.log()

    def log(self) -> None:
        seconds = perf_counter() - self.start
        method = self.scope["method"] if self.scope["method"] in _METHODS else "other"
        route = metrics.route_of(self.scope)
        metrics.REQUESTS.labels(method, route, self.status).inc()
        metrics.DURATION.labels(route).observe(seconds)
        result = {"status": self.status, "ms": round(1000 * seconds, 1), "bytes": self.size, "request_id": self.id}
        _logger.info("%s %s", method, route, extra={"fields": {"method": method, "route": route, **result}})


def _request_id(scope: Scope) -> str:
    """Return the client's X-Request-ID if it is safe to log, else a new one."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _VALID_ID.fullmatch(given) else uuid4().hex
