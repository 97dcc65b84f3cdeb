"""Answers that are held in memory while their clients read them."""

import asyncio
import json
from collections.abc import Callable, Coroutine

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from starlette.types import Message, Scope

from app.hosting import limits
from app.hosting.limits import LimitAnswers
from app.web.errors import add_error_handlers
from tests.coroutines import run

MEGABYTE = 2**20


def make_app(megabytes: int = 10) -> FastAPI:
    app = FastAPI()
    add_error_handlers(app)
    app.add_middleware(LimitAnswers, max_in_memory=megabytes * MEGABYTE)

    @app.get("/api/large")
    async def large(megabytes: int) -> Response:
        return Response(bytes(range(256)) * (megabytes * 4096))

    @app.get("/api/parts")
    async def parts() -> Response:
        return StreamingResponse(bytes(MEGABYTE) for _ in range(20))

    return app


class Reader:
    """A client that reads an answer only when it is told to."""

    def __init__(self, app: FastAPI, path: str, query: str = "", address: str = "1.2.3.4") -> None:
        self.messages: list[Message] = []
        self.may_read = asyncio.Event()
        scope: Scope = {
            **{"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []},
            **{"client": (address, 1), "http_version": "1.1", "scheme": "http", "root_path": "", "raw_path": b""},
        }
        self.task = asyncio.ensure_future(app(scope, self.receive, self.send))

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        if message.get("body"):
            await self.may_read.wait()

    async def status(self) -> int:
        while not self.messages and not self.task.done():
            await asyncio.sleep(0)
        if not self.messages:
            await self.task  # which raises its error
        return int(self.messages[0]["status"])

    async def read(self) -> bytes:
        self.may_read.set()
        await self.task
        return b"".join(each.get("body", b"") for each in self.messages)


def check(scenario: Callable[[FastAPI], Coroutine[None, None, None]], megabytes: int = 10) -> None:
    run(scenario(make_app(megabytes)))


def test_answers_that_are_not_read_are_counted_until_they_are() -> None:
    async def scenario(app: FastAPI) -> None:
        first = Reader(app, "/api/large", "megabytes=5")
        assert await first.status() == 200
        second = Reader(app, "/api/large", "megabytes=5", address="5.6.7.8")
        assert await second.status() == 200
        third = Reader(app, "/api/large", "megabytes=2", address="9.9.9.9")
        assert await third.status() == 503
        assert "busy" in json.loads(await third.read())["detail"]
        small = Reader(app, "/api/large", "megabytes=1")
        assert await small.status() == 200
        assert len(await first.read()) == 5 * MEGABYTE
        again = Reader(app, "/api/large", "megabytes=2", address="9.9.9.9")
        assert await again.status() == 200
        for each in (second, small, again):
            await each.read()

    check(scenario)


def test_one_address_holds_half_of_the_memory() -> None:
    async def scenario(app: FastAPI) -> None:
        first = Reader(app, "/api/large", "megabytes=4")
        assert await first.status() == 200
        assert await Reader(app, "/api/large", "megabytes=2").status() == 503
        assert await Reader(app, "/api/large", "megabytes=2", address="5.6.7.8").status() == 200
        await first.read()

    check(scenario)


def test_an_answer_of_any_size_is_let_through_alone() -> None:
    async def scenario(app: FastAPI) -> None:
        for _ in range(2):
            assert len(await Reader(app, "/api/large", "megabytes=30").read()) == 30 * MEGABYTE

    check(scenario)


def test_a_client_that_leaves_gives_its_share_back() -> None:
    async def scenario(app: FastAPI) -> None:
        first = Reader(app, "/api/large", "megabytes=9")
        assert await first.status() == 200
        first.task.cancel()
        await asyncio.wait([first.task])
        assert await Reader(app, "/api/large", "megabytes=9").status() == 200

    check(scenario)


def test_a_large_answer_is_given_to_the_connection_in_parts() -> None:
    async def scenario(app: FastAPI) -> None:
        reader = Reader(app, "/api/large", "megabytes=3")
        body = await reader.read()
        assert body == bytes(range(256)) * (3 * 4096)
        sizes = [len(each["body"]) for each in reader.messages[1:]]
        assert max(sizes) == limits._ANSWER_PART and sum(sizes) == 3 * MEGABYTE
        assert [each.get("more_body", False) for each in reader.messages[1:]] == [True] * (len(sizes) - 1) + [False]

    check(scenario)


@pytest.mark.parametrize("path", ["/api/large?megabytes=0", "/api/large?megabytes=2", "/api/parts"])
def test_what_arrives_is_the_answer(path: str) -> None:
    response = TestClient(make_app()).get(path)
    assert response.status_code == 200
    assert response.headers.get("content-length", str(len(response.content))) == str(len(response.content))
