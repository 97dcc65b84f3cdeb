import json
import logging
import sys

import pytest

from app.hosting.logs import JSONFormatter, TextFormatter, log_config, request_id
from app.settings import LogFormat


def record(message: str = "hello %s", **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("layerglass.request", logging.INFO, __file__, 1, message, ("you",), None)
    made.__dict__ |= extra
    return made


def failure() -> logging.LogRecord:
    made = record("A bug: %s")
    try:
        raise RuntimeError("why")
    except RuntimeError:
        made.exc_info = sys.exc_info()
    return made


def test_a_line_is_one_json_object() -> None:
    line = JSONFormatter().format(record(fields={"status": 200, "route": "/models"}))
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "info",
        "logger": "layerglass.request",
        "message": "hello you",
        "status": 200,
        "route": "/models",
    }


def test_a_line_has_the_id_of_the_request_that_is_under_way() -> None:
    token = request_id.set("0123456789")
    try:
        assert json.loads(JSONFormatter().format(record()))["request_id"] == "0123456789"
    finally:
        request_id.reset(token)


def test_a_bug_has_its_traceback_in_the_same_line() -> None:
    line = JSONFormatter().format(failure())
    assert "\n" not in line
    assert "RuntimeError: why" in json.loads(line)["traceback"]
    assert "RuntimeError: why" in TextFormatter().format(failure())


def test_a_person_reads_text() -> None:
    assert TextFormatter().format(record(fields={"status": 200, "ms": 3.5})).endswith("hello you status=200 ms=3.5")


@pytest.mark.parametrize(
    ("wanted", "terminal", "formatter"),
    [
        (LogFormat.AUTO, True, "TextFormatter"),
        (LogFormat.AUTO, False, "JSONFormatter"),
        (LogFormat.TEXT, False, "TextFormatter"),
        (LogFormat.JSON, True, "JSONFormatter"),
    ],
)
def test_json_unless_a_person_looks_on(
    wanted: LogFormat, terminal: bool, formatter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    assert log_config(wanted)["formatters"]["line"]["()"] == f"app.hosting.logs.{formatter}"
