import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI, Request

from app.hosting import limits as time_limits
from app.hosting.limits import TimeLimits
from app.settings import Settings
from app.web.errors import add_error_handlers
from tests.coroutines import run_in_simulated_time

FORM = [(b"content-type", b"text/plain"), (b"transfer-encoding", b"chunked")]


def build(**limits: Any) -> FastAPI:
    app = FastAPI()
    app.add_middleware(TimeLimits, settings=Settings(**limits))
    add_error_handlers(app)

    @app.post("/api/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    @app.get("/api/slow")
    async def slow() -> str:
        await asyncio.sleep(0.3)
        app.state.ended = True
        return "done"

    return app


async def ask(app: FastAPI, method: str, path: str, pieces: list[tuple[float, bytes]]) -> tuple[dict[str, Any], bytes]:
    """The head and the body of the answer to a body of which each piece comes after so many seconds."""
    left = list(pieces)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.sleep(60)
        seconds, piece = left.pop(0)
        await asyncio.sleep(seconds)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = FORM if method == "POST" else []
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
    async with asyncio.timeout(20):
        await app(scope, receive, send)
    return sent[0], b"".join(message.get("body", b"") for message in sent)


def test_a_body_in_pieces_is_read() -> None:
    head, body = run_in_simulated_time(ask(build(), "POST", "/api/size", [(0.01, b"ab")] * 3))
    assert (head["status"], body) == (200, b"6")


def test_a_body_that_takes_too_long() -> None:
    head, body = run_in_simulated_time(ask(build(body_seconds=0.1), "POST", "/api/size", [(0.02, b"a")] * 1000))
    assert head["status"] == 408
    assert dict(head["headers"])[b"connection"] == b"close"
    assert json.loads(body)["detail"].startswith("The request came too slowly: ")


def test_a_body_that_trickles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "GRACE_SECONDS", 0.1)
    head, _ = run_in_simulated_time(ask(build(body_rate=1000), "POST", "/api/size", [(0.04, b"a")] * 1000))
    assert head["status"] == 408


def test_a_slow_body_that_keeps_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "GRACE_SECONDS", 0.1)
    head, body = run_in_simulated_time(ask(build(body_rate=1000), "POST", "/api/size", [(0.04, bytes(2000))] * 8))
    assert (head["status"], body) == (200, b"16000")


def test_an_answer_that_takes_too_long_is_given_up_and_what_runs_ends() -> None:
    app = build(answer_seconds=0.05)
    head, body = run_in_simulated_time(ask(app, "GET", "/api/slow", [(0, b"")]))
    assert head["status"] == 503
    assert dict(head["headers"])[b"retry-after"] == b"2"
    assert json.loads(body)["status"] == 503
    assert app.state.ended


def test_the_time_for_the_answer_starts_when_the_body_is_there() -> None:
    head, body = run_in_simulated_time(ask(build(answer_seconds=0.2), "POST", "/api/size", [(0.1, b"ab")] * 4))
    assert (head["status"], body) == (200, b"8")
