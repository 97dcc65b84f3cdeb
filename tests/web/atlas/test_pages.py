"""The page of what maps look for."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.explore.results import Results


@pytest.fixture(autouse=True)
def _few_digits(monkeypatch: pytest.MonkeyPatch, app: FastAPI) -> Iterator[None]:
    """A hundred digits instead of ten thousand, for the sake of time alone."""
    monkeypatch.setattr("app.web.atlas.pages.DIGITS", 100)
    app.state.results = Results()
    yield
    app.state.results = Results()


def run(client: TestClient, query: str) -> str:
    """Run what the page waits for, and return the last fragment of the stream."""
    answer = client.get(f"/atlas/run?{query}")
    assert answer.headers["content-type"].startswith("text/event-stream")
    first, *_, last = answer.text.strip().split("\n\n")
    assert "hx-partial" in first and "runs</span>" in first
    return "\n".join(line.removeprefix("data: ") for line in last.splitlines())


def names(page: str) -> list[str]:
    return re.findall(r"<h2>((?:Map|Unit) \d+)</h2>", page)


def test_it_asks_runs_and_shows_each_map_with_the_digits_that_excite_it(client: TestClient) -> None:
    asking = client.get("/atlas?model=digits&layer=conv1").text
    assert 'hx-get="/atlas/run?model=digits&amp;layer=conv1"' in asking and names(asking) == []
    page = run(client, "model=digits&layer=conv1")
    assert "1 of them dead, with one value everywhere for every digit: 0." in " ".join(page.split())
    assert names(page) == ["Map 1", "Map 2", "Map 3"]
    assert client.get("/atlas?model=digits&layer=conv1").text.count('class="atlas-patch"') == 27
    answer = client.get("/api/models/digits/layers/conv1/top-activations?digits=100&channel=1").json()
    first = answer["maps"][0]["strongest"][0]
    link = "&amp;".join(
        [f"digit={first['digit']}", "layer=conv1", "channel=1", f"row={first['row']}", f"column={first['column']}"]
    )
    assert link in page and page.index(link) == page.index("digit=test-")


def test_the_microscope_leads_to_its_map_which_comes_first(client: TestClient) -> None:
    page = client.get("/?model=digits&layer=conv1&channel=2&pooling=min").text
    link = re.search(r'href="/atlas\?([^"]*)">What this map looks for', page)
    assert link and link[1].replace("&amp;", "&") == "model=digits&layer=conv1&channel=2&pooling=min"
    assert names(run(client, link[1].replace("&amp;", "&"))) == ["Map 2", "Map 1", "Map 3"]
    nothing = client.get("/?model=digits&layer=flatten&row=0&column=2").text
    assert 'id="microscope"' in nothing and "looks for</a>" not in nothing


def test_another_model_is_shown_without_the_layer_of_the_last(client: TestClient) -> None:
    answer = client.get("/atlas/shown?model=digits&layer=dense_9")
    assert answer.status_code == 200 and answer.headers["HX-Push-Url"] == "/atlas?model=digits"


def test_units_of_a_vector_have_cards_too_and_no_kernels(client: TestClient) -> None:
    page = run(client, "model=digits&layer=answer")
    assert names(page) == [f"Unit {number}" for number in range(10)]
    assert "atlas-kernels" not in page and "Order by what muting costs" not in page
    link = re.search(r'href="(/\?[^"]*layer=answer[^"]*)"', page)
    assert link and client.get(link[1].replace("&amp;", "&")).text.count('id="microscope"') == 1


def test_the_order_by_cost_waits_for_a_second_run(client: TestClient) -> None:
    query = "model=digits&layer=conv1&order=cost"
    waiting = run(client, query)
    assert "Order by number" in waiting and "of 2,500 runs" in waiting and "muting it costs" not in waiting
    page = run(client, query)
    costs = client.get("/api/models/digits/layers/conv1/map-costs").json()["maps"]
    assert names(page) == [f"Map {each['channel']}" for each in costs if each["channel"] != 0]  # which is dead
    assert "muting it costs" in page


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("layer=flatten", 422, "look at the layer before it"),
        ("layer=pool1&order=cost", 422, "has no weights"),
        ("layer=none", 404, "has no layer “none”"),
        ("order=size", 422, "order"),
    ],
)
def test_what_cannot_be_shown_says_why(client: TestClient, query: str, status: int, sentence: str) -> None:
    answer = client.get(f"/atlas?model=digits&{query}")
    assert answer.status_code == status and sentence in answer.text


def test_a_page_that_is_not_there_says_so(client: TestClient) -> None:
    run(client, "model=digits&layer=conv1")
    answer = client.get("/atlas?model=digits&layer=conv1&page=2")
    assert answer.status_code == 404 and "There are pages 1 to 1" in answer.text


def test_an_image_is_made_in_its_card_and_shown_at_once_when_it_is_known(client: TestClient) -> None:
    run(client, "model=digits&layer=conv2")
    query = "model=digits&layer=conv2&channel=3"
    assert f'hx-get="/atlas/made?{query.replace("&", "&amp;")}"' in client.get("/atlas?model=digits&layer=conv2").text
    asking = client.get(f"/atlas/made?{query}").text
    assert f'hx-get="/atlas/made/run?{query.replace("&", "&amp;")}&amp;part=cell&amp;seed=0"' in asking
    stream = client.get(f"/atlas/made/run?{query}&part=cell&seed=0").text
    first, *_, last = stream.strip().split("\n\n")
    assert "made-progress-3" in first and "of 256 steps" in first
    assert last.count("<figure") == 3 and "the best real one" in last and "made without penalties" in last
    known = client.get(f"/atlas/made?{query}").text
    assert known.count("<figure") == 3 and "For the mean of the map" in known
    made = client.get("/api/models/digits/layers/conv2/maximisation?digits=100&channel=3").json()
    assert all(f"<strong>{made[name]['value']:.3g}</strong>" in known for name in ("made", "example"))
    assert "Make an image that excites it" in client.get(f"/atlas/made/none?{query}").text


def test_an_image_that_cannot_be_made_says_why_in_its_card(client: TestClient) -> None:
    run(client, "model=digits&layer=conv1")
    for address in ("/atlas/made", "/atlas/made/run"):
        answer = client.get(f"{address}?model=digits&layer=conv1&channel=0")
        assert answer.status_code == 422 and "is dead" in answer.text and "<html" not in answer.text
