"""The answer to a move of the pen: what it puts on the page is what a whole answer would have shown there."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.pictures import dot_png, draw_four, draw_row, encode

Place = dict[str, str]  # of an element: its attributes, and its text as "text"

VOID = {"img", "br", "input"}


class Places(HTMLParser):
    """The elements of a page that are marked with data-live, by what they are marked with."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, Place] = {}
        self.open: list[tuple[str, Place | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        place: Place | None = None
        if "data-live" in attributes:
            place = self.found[attributes["data-live"]] = {**attributes, "text": ""}
        if tag not in VOID:
            self.open.append((tag, place))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, place in self.open:
            if place is not None:
                place["text"] += data


def whole(client: TestClient, drawing: bytes, **fields: str) -> str:
    response = client.post("/exploration", files={"drawing": drawing}, data=fields)
    assert response.status_code == 200
    return response.text


def kind_in(html: str) -> str:
    found = re.search(r'data-answer="([^"]+)"', html)
    return found.group(1) if found else ""


def listed_in(html: str) -> str:
    listed = re.search(r'data-listed="([^"]+)"', html)
    assert listed
    return listed.group(1)


def live(client: TestClient, drawing: bytes, html: str, **fields: str) -> Response:
    """The answer to a page that shows this."""
    query = {"listed": listed_in(html), "live": kind_in(html), **fields}
    response = client.post("/live", params=query, content=drawing, headers={"Content-Type": "image/png"})
    assert response.status_code == 200
    return response


def is_whole(response: Response) -> bool:
    return response.headers["content-type"].startswith("text/html") and "hx-partial" in response.text


@pytest.mark.parametrize("model", ["digits", "digits-min", "branches"])
@pytest.mark.parametrize("fields", [{}, {"scale": "map"}, {"pooling": "average", "colormap": "cividis"}])
def test_what_it_puts_in_place_is_what_the_whole_answer_shows(
    client: TestClient, four: bytes, model: str, fields: dict[str, str]
) -> None:
    before = whole(client, encode(draw_four(200)), model=model, **fields)
    html = whole(client, four, model=model, **fields)
    answer = live(client, four, before, model=model, **fields)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["kind"] == kind_in(html) != ""
    places: dict[str, Any] = answer.json()["places"]
    shown = Places(html).found
    assert shown.keys() == places.keys()
    for name, place in places.items():
        expected = place if isinstance(place, dict) else {"src" if "src" in shown[name] else "text": place}
        for attribute, value in expected.items():
            assert shown[name].get(attribute, "").strip() == value, name


def test_a_whole_answer_leaves_all_places_where_they_are(client: TestClient, four: bytes) -> None:
    html = whole(client, four, model="digits")
    again = whole(client, four, model="digits", listed=listed_in(html))
    places = live(client, four, html, model="digits").json()["places"]
    assert "hx-partial" in again and "overview input" in places
    assert Places(again).found.keys() == places.keys()


def test_only_the_layers_that_are_asked_for_are_drawn(client: TestClient, four: bytes) -> None:
    html = whole(client, four, model="digits")
    places = live(client, four, html, model="digits", shown='{"conv1": 0}').json()["places"]
    assert [name for name in places if name.startswith("maps ")] == ["maps conv1"]


def test_numbers_and_the_network_at_a_glance_are_left_out_of_a_lean_one(client: TestClient, four: bytes) -> None:
    html = whole(client, four, model="digits")
    places, lean = (live(client, four, html, model="digits", lean=each).json()["places"] for each in ("false", "true"))
    left_out = places.keys() - lean.keys()
    assert {"overview", "probability", "second probability", "percent 3", "low conv1", "high pool2"} <= left_out
    # Whatever names a class comes each time, or the page would name two runners-up at once.
    assert {"guess", "second", "why", "bar 3", "overview label"} <= lean.keys()
    assert {"seen", "length 3", "maps conv1", "maps pool2"} <= lean.keys()
    assert lean.items() <= places.items()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"listed": "another"}, id="another list of layers"),
        pytest.param({"layer": "conv1"}, id="the microscope is open"),
        pytest.param({"differences": "true", "pooling": "average"}, id="differences"),
    ],
)
def test_where_more_changes_the_whole_answer_comes(client: TestClient, four: bytes, fields: dict[str, str]) -> None:
    html = whole(client, four, model="digits", **{name: fields[name] for name in fields if name == "pooling"})
    assert is_whole(live(client, four, html, model="digits", **fields))


def expect_an_answer(client: TestClient, drawing: bytes, before: str, **fields: str) -> dict[str, Any]:
    """Expect the answer beside the pad as the whole answer has it, and all other places. Returns: what was sent."""
    sent: dict[str, Any] = live(client, drawing, before, **fields).json()
    html = whole(client, drawing, **fields)
    partial = re.search(r'<hx-partial hx-target="#answer" hx-swap="innerMorph">(.*?)</hx-partial>', html, re.DOTALL)
    assert partial and sent["answer"] == partial.group(1)
    assert sent["kind"] == kind_in(html)
    assert {*sent["places"], *Places(sent["answer"]).found} == Places(html).found.keys()
    return sent


@pytest.mark.parametrize("kind", ["another", ""])
def test_an_answer_of_another_kind_than_the_page_s_comes_with_it(client: TestClient, four: bytes, kind: str) -> None:
    html = whole(client, four, model="digits")
    before = html.replace(f'data-answer="{kind_in(html)}"', f'data-answer="{kind}"' if kind else "")
    assert "maps conv1" in expect_an_answer(client, four, before, model="digits")["places"]


@pytest.mark.parametrize(
    "drawing", [dot_png(), encode(draw_row("47"))], ids=["a dot that is no digit", "several digits"]
)
def test_an_answer_with_sentences_comes_with_the_places(client: TestClient, four: bytes, drawing: bytes) -> None:
    sent = expect_an_answer(client, drawing, whole(client, four, model="digits"), model="digits")
    assert sent["kind"] == ""
    assert not {"guess", "bar 0"} & sent["places"].keys()


@pytest.mark.parametrize("model", ["picture", "logistic"])
def test_an_answer_that_is_no_class_always_comes_with_the_places(client: TestClient, four: bytes, model: str) -> None:
    html = whole(client, four, model=model)
    assert kind_in(html) == ""
    expect_an_answer(client, four, html, model=model)


def test_what_is_no_picture_is_refused_with_a_sentence(client: TestClient) -> None:
    response = client.post("/live", params={"model": "digits"}, content=b"no picture")
    assert response.status_code == 422
    assert "picture" in response.text
    assert client.post("/live", params={"model": "missing"}, content=b"").status_code == 404
    assert client.post("/live", params={"columns": "many"}, content=b"").status_code == 422
