import logging
import re
from contextlib import nullcontext
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.hosting.logs import RequestLog
from tests.coroutines import run
from tests.pictures import four_png

PREDICTION = "/api/models/digits/prediction"


@pytest.fixture(autouse=True)
def info_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "layerglass.request")


def fields(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = [record for record in caplog.records if hasattr(record, "fields")]
    told: dict[str, Any] = record.fields
    return told


def test_a_request_is_one_line(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    response = client.post(f"{PREDICTION}?secret=1", files={"drawing": ("my name.png", four_png())})
    told = fields(caplog)
    assert told.pop("ms") > 0
    assert told == {
        "method": "POST",
        "route": "/api/models/{model}/prediction",
        "status": 200,
        "bytes": len(response.content),
        "request_id": response.headers["x-request-id"],
    }
    assert "secret" not in caplog.text and "my name" not in caplog.text


@pytest.mark.parametrize("path", ["/nothing/of/yours", "/static/nothing-of-yours.js", "/?model=of-yours"])
def test_what_a_person_wrote_into_an_address_is_not_logged(
    client: TestClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    assert client.get(path).status_code == 404
    assert "yours" not in caplog.text + str(fields(caplog))


@pytest.mark.parametrize("given", ["0123abcd", "a" * 64, "2f1c-4.b_x"])
def test_a_valid_id_is_kept(client: TestClient, given: str) -> None:
    assert client.get("/health", headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["short", "a" * 65, "with space", 'quote"quote', "<script>1234"])
def test_another_id_is_replaced(client: TestClient, given: str) -> None:
    made = client.get("/health", headers={"x-request-id": given}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_each_request_has_an_id_of_its_own(client: TestClient) -> None:
    assert client.get("/health").headers["x-request-id"] != client.get("/health").headers["x-request-id"]


async def send_two_pieces(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ab", "more_body": True})
    await send({"type": "http.response.body", "body": b"c"})


@pytest.mark.parametrize("client_stays", [True, False])
def test_the_line_is_written_when_the_answer_is_out(caplog: pytest.LogCaptureFixture, client_stays: bool) -> None:
    """And where nobody takes the answer any more."""
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        assert not caplog.records
        sent.append(message.get("body", b""))
        if sent[-1] == b"c" and not client_stays:
            raise OSError("The client is gone.")

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def answer() -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        with nullcontext() if client_stays else pytest.raises(OSError):
            await RequestLog(send_two_pieces)(scope, receive, send)

    run(answer())
    assert sent == [b"", b"ab", b"c"]
    (line,) = [record for record in caplog.records if hasattr(record, "fields")]
    assert line.fields["bytes"] == 3
