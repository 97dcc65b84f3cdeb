import logging
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.pictures import four_png

PREDICTION = "/api/models/digits/prediction"


@pytest.fixture(autouse=True)
def info_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "layerglass.request")


def facts(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = [record for record in caplog.records if hasattr(record, "facts")]
    told: dict[str, Any] = record.facts
    return told


def test_a_request_is_one_line(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    response = client.post(f"{PREDICTION}?secret=1", files={"drawing": ("my name.png", four_png())})
    told = facts(caplog)
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
    assert "yours" not in caplog.text + str(facts(caplog))


@pytest.mark.parametrize("given", ["0123abcd", "a" * 64, "2f1c-4.b_x"])
def test_a_valid_id_is_kept(client: TestClient, given: str) -> None:
    assert client.get("/health", headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["short", "a" * 65, "with space", 'quote"quote', "<script>1234"])
def test_another_id_is_replaced(client: TestClient, given: str) -> None:
    made = client.get("/health", headers={"x-request-id": given}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_each_request_has_an_id_of_its_own(client: TestClient) -> None:
    assert client.get("/health").headers["x-request-id"] != client.get("/health").headers["x-request-id"]
