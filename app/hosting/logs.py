"""Log lines: one JSON object each for machines, readable text on a terminal."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from app.settings import LogFormat

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class JSONFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the call gave as extra={"facts": {...}}."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        if identity := request_id.get():
            line["request_id"] = identity
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[0]:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """Time, level, message, and the facts after it."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        facts = " ".join(f"{name}={value}" for name, value in getattr(record, "facts", {}).items())
        line = f"{time} {record.levelname:<7} {record.getMessage().strip()} {facts}".rstrip()
        if record.exc_info and record.exc_info[0]:
            line += f" [{request_id.get()}]\n" + "".join(traceback.format_exception(*record.exc_info))
        return line


def log_config(wanted: LogFormat) -> dict[str, Any]:
    """What logging.config.dictConfig takes: everything to standard error, uvicorn's own lines in the same shape."""
    text = wanted is LogFormat.TEXT or (wanted is LogFormat.AUTO and sys.stderr.isatty())
    formatter = TextFormatter if text else JSONFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{formatter.__module__}.{formatter.__qualname__}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"layerglass": {"level": "INFO"}, "uvicorn": {"level": "INFO"}},
    }
