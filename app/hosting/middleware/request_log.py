"""One log line and one measurement a request, an id for it, and an answer where we have a bug."""

import logging
import re
from time import perf_counter
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.hosting import metrics
from app.hosting.logs import request_id
from app.web.errors import say_bug

_logger = logging.getLogger("layerglass.request")
_VALID_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestLog:
    """The outermost piece of the app: whatever happens inside is answered, logged and measured here.

    A line holds the route's template, never the address: what a person put there is nobody's business.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Exchange(scope, send).run(self.app, receive)
        else:
            await self.app(scope, receive, send)


class _Exchange:
    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self.send = scope, send
        self.id = _identify(scope)
        self.start = perf_counter()
        self.status = 0
        self.size = 0

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        token = request_id.set(self.id)
        try:
            await app(self.scope, receive, self.observe)
        except Exception:
            _logger.exception("A bug: %s %s", self.scope["method"], metrics.route_of(self.scope))
            if self.status:
                raise  # half an answer is out: the connection is all that can still be ended
            await say_bug(Request(self.scope), self.id)(self.scope, receive, self.observe)
        finally:
            request_id.reset(token)

    async def observe(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-ID"] = self.id
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        try:
            await self.send(message)
        finally:  # nobody waits for the line, nor is it lost where nobody waits for the answer
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self.record()

    def record(self) -> None:
        seconds = perf_counter() - self.start
        method = self.scope["method"] if self.scope["method"] in _METHODS else "other"
        route = metrics.route_of(self.scope)
        metrics.REQUESTS.labels(method, route, self.status).inc()
        metrics.DURATION.labels(route).observe(seconds)
        facts = {"status": self.status, "ms": round(1000 * seconds, 1), "bytes": self.size, "request_id": self.id}
        _logger.info("%s %s", method, route, extra={"facts": {"method": method, "route": route, **facts}})


def _identify(scope: Scope) -> str:
    """The id that came with the request, if it is one that can stand in a log; a new one otherwise."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _VALID_ID.fullmatch(given) else uuid4().hex
