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


def test_edits_part_them_where_they_are_made(client: TestClient, four: bytes) -> None:
    answer = ask(client, four, edits="mute:conv2.1")
    assert answer["parting"]["first"] == "conv2" and answer["changed"] > 0
    assert ask(client, four, edits="mute:conv2.1", other_edits="mute:conv2.1")["parting"] is None
    assert ask(client, four, other_edits="mute:conv1.1")["parting"]["first"] == "conv1"
    refused = ask(client, four, status=422, other="logistic", other_edits="mute:conv1.1")
    assert "conv1" in refused["detail"]


def test_the_page_takes_edits_and_a_sample_for_the_second(client: TestClient, four: bytes) -> None:
    page = client.get("/differences?model=digits&edits=mute:conv2.1").text
    assert "They part at conv2" in page and "The second is as trained" in page
    fields = {"model": "digits", "other_sample": "7"}
    html = client.post("/differences", files={"drawing": four}, data=fields).text
    assert "They part at conv1" in html and "though they do not see the same image" not in html
    other = client.post(
        "/differences", files={"drawing": four}, data={"model": "digits", "other_edits": "mute:conv1.1"}
    )
    assert "The second is edited: <code>mute:conv1.1</code>" in other.text


def test_weights_are_compared_once_and_not_at_each_move(
    client: TestClient, four: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(client, four, other="digits-min")

    def refuse(*_: object) -> None:
        raise AssertionError("compared again")

    monkeypatch.setattr("app.web.differences.remembered.compare_weights", refuse)
    assert ask(client, client.get("/samples/3.png").content, other="digits-min")["changed"] == first["changed"]


def test_models_and_the_three_poolings_lead_to_it(client: TestClient) -> None:
    for page in ("/models", "/compare?model=digits"):
        assert 'href="/differences?model=digits"' in client.get(page).text
