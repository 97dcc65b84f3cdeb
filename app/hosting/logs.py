"""Logs as text or JSON, one line a request."""

import json
import logging
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..settings import LogFormat
from . import metrics
from .refusals import answer_error

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_logger = logging.getLogger("layerglass.request")
_VALID_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class JSONFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the call's extra={"fields": {...}}."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        if current_id := request_id.get():
            line["request_id"] = current_id
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0]:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """Time, level, message, and the call's fields after it."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        fields = " ".join(f"{name}={value}" for name, value in getattr(record, "fields", {}).items())
        line = f"{time} {record.levelname:<7} {record.getMessage().strip()} {fields}".rstrip()
        if record.exc_info and record.exc_info[0]:
            line += f" [{request_id.get()}]\n" + "".join(traceback.format_exception(*record.exc_info))
        return line


def log_config(log_format: LogFormat) -> dict[str, Any]:
    """Return a configuration for logging.config.dictConfig: all loggers, uvicorn's too, to standard error."""
    text = log_format is LogFormat.TEXT or (log_format is LogFormat.AUTO and sys.stderr.isatty())
    formatter = TextFormatter if text else JSONFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{formatter.__module__}.{formatter.__qualname__}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"layerglass": {"level": "INFO"}, "uvicorn": {"level": "INFO"}},
    }


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
