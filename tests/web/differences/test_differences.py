"""Two networks side by side, as a page and by REST."""

from typing import Any

import pytest
from fastapi.testclient import TestClient


def ask(client: TestClient, four: bytes, model: str = "digits", status: int = 200, **fields: str) -> Any:
    response = client.post(f"/api/models/{model}/differences", files={"drawing": four}, data=fields)
    assert response.status_code == status, response.text
    return response.json()


def test_without_a_second_one_they_do_not_part(client: TestClient, four: bytes) -> None:
    answer = ask(client, four)
    assert answer["parting"] is None and answer["changed"] == 0


def test_a_pooling_mode_parts_them_at_the_first_pooling_layer(client: TestClient, four: bytes) -> None:
    answer = ask(client, four, other_pooling="min")
    assert answer["parting"]["first"] == "pool1"
    assert answer["layers"][0]["largest"] == 0
    assert answer["second"] == {"model": "digits", "pooling": "min"}


def test_another_drawing_parts_them_at_the_first_layer(client: TestClient, four: bytes) -> None:
    files = {"drawing": four, "other_drawing": client.get("/samples/7.png").content}
    answer = client.post("/api/models/digits/differences", files=files).json()
    assert not answer["sees_the_same"]
    assert answer["parting"]["first"] == answer["layers"][0]["first"]


def test_an_unknown_second_model_is_refused(client: TestClient, four: bytes) -> None:
    assert "nobody" in ask(client, four, status=404, other="nobody")["detail"]


@pytest.mark.parametrize("query", ["", "?other=digits-min", "?other=logistic", "?model=picture", "?model=a-plain"])
def test_the_page_says_where_they_part(client: TestClient, query: str) -> None:
    response = client.get(f"/differences{query}")
    assert response.status_code == 200
    assert "They part at" in response.text or "They do not part" in response.text


def test_the_fragment_says_the_same_as_the_api(client: TestClient, four: bytes) -> None:
    fields = {"model": "digits", "other": "digits-min"}
    html = client.post("/differences", files={"drawing": four}, data=fields).text
    answer = ask(client, four, other="digits-min")
    assert f"They part at {answer['parting']['first']}" in html
    assert f"<strong>{answer['changed']:,}</strong>" in html
