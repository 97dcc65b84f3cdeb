import asyncio
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from app.hosting.limits import BodyLimit, LimitBodies
from app.hosting.refusals import Overloaded
from app.main import create_app
from app.settings import Settings
from tests.coroutines import run
from tests.web.test_errors import PREDICTION, assert_problem

MAX_BODY_SIZE = Settings().max_body
TOO_LARGE = "The request is larger than 4,259,840 bytes, the most that is read. Send a smaller picture."
MODEL_TOO_LARGE = (
    "The request is larger than 1,114,112 bytes, the most that is read. "
    "Send a smaller model, or serve its folder with --models."
)
FORM = {"content-type": "multipart/form-data; boundary=x"}


@pytest.fixture(scope="module")
def small(app: FastAPI, client: TestClient) -> TestClient:
    """The app that takes models of 1 MB, less than a drawing may have."""
    taking = create_app(Settings(upload_megabytes=1))
    taking.state.library = app.state.library
    return TestClient(taking, base_url="http://127.0.0.1")


def endless_form(name: str = "drawing", size: int = MAX_BODY_SIZE) -> Iterator[bytes]:
    """A form in pieces, so that it has no Content-Length, with a file over the limit."""
    yield f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="file"\r\n\r\n'.encode()
    for _ in range(size // 65_536 + 1):
        yield bytes(65_536)
    yield b"\r\n--x--\r\n"


def test_a_request_whose_length_is_over_the_limit(client: TestClient) -> None:
    response = client.post(PREDICTION, files={"drawing": bytes(MAX_BODY_SIZE)})
    assert_problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)


def test_a_request_of_unknown_length_that_grows_over_the_limit(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = client.post(PREDICTION, content=endless_form(), headers=headers)
    assert "content-length" not in response.request.headers
    assert_problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)


@pytest.mark.parametrize("chunked", [True, False], ids=["of unknown length", "of known length"])
def test_a_form_over_the_limit_is_answered_with_a_sentence(client: TestClient, chunked: bool) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    content = endless_form() if chunked else b"".join(endless_form())
    response = client.post("/exploration", content=content, headers=headers)
    assert response.status_code == 413
    assert response.text.strip() == f"<p>{TOO_LARGE}</p>"


@pytest.mark.parametrize("chunked", [True, False], ids=["of unknown length", "of known length"])
def test_a_model_over_its_own_limit(small: TestClient, chunked: bool) -> None:
    form = endless_form("model", Settings(upload_megabytes=1).max_upload)
    response = small.post("/api/models", content=form if chunked else b"".join(form), headers=FORM)
    assert_problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, MODEL_TOO_LARGE)


def test_all_bodies_together_are_bounded() -> None:
    """Who comes when others hold all there is gets a quick no, and is let in when one of them has gone."""

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass

    async def ask(limited: LimitBodies, pieces: list[int], path: str = PREDICTION, wait: float = 0) -> None:
        messages = [{"type": "http.request", "body": bytes(size), "more_body": True} for size in pieces]

        async def receive() -> Message:
            if messages:
                return messages.pop(0)
            await asyncio.sleep(wait)
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            pass

        await limited({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send)

    async def meet() -> None:
        limited = LimitBodies(read, lambda scope: BodyLimit(1000, "", scope["path"] == PREDICTION), max_in_memory=10)
        slow = asyncio.create_task(ask(limited, [3, 4], wait=0.2))
        await asyncio.sleep(0)
        await ask(limited, [3])
        await ask(limited, [50], path="/api/models")  # not in memory
        for pieces in ([4], [3, 1], [11]):
            with pytest.raises(HTTPException) as refused:
                await ask(limited, pieces)
            assert isinstance(refused.value.__cause__, Overloaded)
        await slow
        await ask(limited, [10])

    run(meet())


def test_a_body_for_which_there_is_no_room_is_answered_like_any_other_that_is_too_much(
    app: FastAPI, client: TestClient
) -> None:
    full = create_app(Settings())
    full.state.library = app.state.library
    held = LimitBodies(full, lambda _: BodyLimit(1000, ""), max_in_memory=10)
    response = TestClient(held, base_url="http://127.0.0.1").post(PREDICTION, files={"drawing": bytes(100)})
    detail = "The server is busy. Try again in 2 seconds."
    assert_problem(response, HTTPStatus.SERVICE_UNAVAILABLE, detail)
    assert (response.headers["retry-after"], response.headers["connection"]) == ("2", "close")
