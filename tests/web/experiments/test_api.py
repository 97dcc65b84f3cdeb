"""Experiments as pages and by REST."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.experiments.catalogue import EXPERIMENTS, find_experiment
from app.experiments.experiment import Subject, choose_digits
from app.experiments.output import to_csv, to_document
from app.library.library import Library
from app.main import create_app
from app.settings import Settings

PATH = "/api/experiments/ink"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The app with the models that came with it."""
    with TestClient(create_app(Settings(allowed_hosts="testserver")), raise_server_exceptions=False) as client:
        yield client


def post(client: TestClient, name: str = "ink", **form: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/api/experiments/{name}", data=form)
    return answer.status_code, answer.json()


def test_all_are_listed(client: TestClient) -> None:
    listed = client.get("/api/experiments").json()
    assert [each["name"] for each in listed] == list(EXPERIMENTS)
    assert all(each[field] for each in listed for field in ("question", "claim", "method", "criterion"))


def test_it_tells_what_the_experiment_finds(client: TestClient, library: Library) -> None:
    subject = Subject(library.network("digits"), library, choose_digits(150))
    expected = to_document(find_experiment("ink").run(subject))
    assert post(client, digits="150", model="digits") == (200, expected)
    answer = client.get(PATH, params={"digits": 150, "model": "digits"})
    assert answer.json() == expected
    table = client.get(PATH, params={"digits": 150, "model": "digits", "format": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.headers["content-disposition"] == 'attachment; filename="ink-150.csv"'
    assert table.text == to_csv(find_experiment("ink").run(subject))
    assert len(list(csv.DictReader(io.StringIO(table.text)))) == len(expected["rows"])


def test_another_look_costs_no_new_run(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = post(client, digits="101")

    def refuse(*_: Any) -> None:
        raise AssertionError("it runs again")

    monkeypatch.setattr("app.experiments.experiment.evaluate", refuse)
    assert post(client, digits="101") == first
    assert events(client, digits=101) == [("result", first[1])]


def events(client: TestClient, name: str = "ink", **form: Any) -> list[tuple[str, Any]]:
    answer = client.post(f"/api/experiments/{name}", data={**form, "progress": "true"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = [dict(line.split(": ", 1) for line in event.splitlines()) for event in answer.text.strip().split("\n\n")]
    return [(event["event"], json.loads(event["data"])) for event in found]


def test_progress_is_told_in_events(client: TestClient) -> None:
    *told, last = events(client, digits=102)
    assert {name for name, _ in told} == {"progress"} and {each["of"] for _, each in told} == {102 * 6}
    assert last == ("result", post(client, digits="102")[1])


@pytest.mark.parametrize(
    ("name", "form", "status", "sentence"),
    [
        ("foo", {}, 404, "There is no experiment “foo”."),
        ("ink", {"model": "nix"}, 404, "There is no model “nix”."),
        ("ink", {"digits": "5"}, 422, "Ask for 100 to 10,000 digits. Received: 5."),
        ("ink", {"digits": "-1"}, 422, "Ask for 100 to 10,000 digits. Received: -1."),
        ("ink", {"digits": "many"}, 422, "“digits”: Input should be a valid integer"),
        ("ink", {"model": "picture"}, 422, "The model “picture” cannot be tried on digits"),
        ("poolings", {"model": "a-plain"}, 422, "The model “a-plain” cannot be tried on digits: its classes are not"),
        ("start", {"model": "digits"}, 422, "“untrained” came with Layerglass, and is not there."),
    ],
)
def test_what_cannot_be_asked_is_said(
    client: TestClient, name: str, form: dict[str, str], status: int, sentence: str
) -> None:
    for progress in ("false", "true"):
        found, problem = post(client, name, **form, progress=progress)
        assert found == status and problem["detail"].startswith(sentence)
    answer = client.get(f"/api/experiments/{name}", params=form)
    assert answer.status_code == status and answer.json()["detail"].startswith(sentence)


def test_the_page_of_each_says_what_it_asks(client: TestClient) -> None:
    index = client.get("/experiments").text
    for name, experiment in EXPERIMENTS.items():
        assert f'href="/experiments/{name}' in index and experiment.question in index
        page = client.get(f"/experiments/{name}").text
        assert f"<h1>{experiment.question}</h1>" in page
    assert "Not yet measured with “digits”." in index


def test_a_page_runs_it_and_has_chart_table_and_sentence(client: TestClient) -> None:
    where: dict[str, Any] = {"model": "digits", "digits": 500}
    page = client.get("/experiments/darkness", params=where).text
    assert 'hx-get="/experiments/darkness/run?model=digits&amp;digits=500"' in page
    stream = client.get("/experiments/darkness/run", params=where)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert 'hx-target="#run-progress"' in stream.text
    page = client.get("/experiments/darkness", params=where).text
    result = client.get("/api/experiments/darkness", params=where).json()
    assert "/run?" not in page
    assert result["conclusion"].split(".")[0] in page
    assert len(re.findall("<tr>", page)) == 1 + len(result["rows"])
    assert page.count('<svg class="chart-picture"') == 1 and 'role="img"' in page
    assert "layerglass experiment darkness --model digits --digits 500" in page
    assert 'href="/api/experiments/darkness?model=digits&amp;digits=500&amp;format=csv"' in page
    index = client.get("/experiments").text
    assert "“digits”, 500 digits" in index and '<svg class="chart-picture"' in index


def test_a_part_of_the_page_tells_its_address(client: TestClient) -> None:
    answer = client.get("/experiments/noise/shown", params={"model": "branches", "digits": 100, "run": "false"})
    assert answer.headers["hx-push-url"] == "/experiments/noise?model=branches&digits=100"
    assert "<h1>" not in answer.text and "Run it with branches on 100 digits" in answer.text
    assert "/run?" not in answer.text


def test_who_cannot_be_asked_is_told_on_the_page(client: TestClient, real: TestClient) -> None:
    answer = real.get("/experiments/poolings", params={"model": "five-layer-dense"})
    assert answer.status_code == 422
    assert "has no pooling layer" in answer.text and "<select" in answer.text and "/run?" not in answer.text
    assert client.get("/experiments/foo").status_code == 404
    answer = client.get("/experiments/ink", params={"digits": 3})
    assert answer.status_code == 422 and "Ask for 100 to 10,000 digits." in answer.text
    for path in ("run", "shown"):
        assert client.get(f"/experiments/poolings/{path}", params={"model": "a-plain"}).status_code == 422


def test_a_name_of_a_model_stays_text(client: TestClient) -> None:
    answer = client.get("/experiments", params={"model": "<script>alert(1)</script>"})
    assert answer.status_code == 404 and "<script>alert" not in answer.text


@pytest.mark.parametrize("name", ["parameters", "start", "neighbours", "maps"])
def test_the_built_in_models_are_asked(real: TestClient, name: str) -> None:
    model = "digits" if name == "start" else "figure-6-3"
    where: dict[str, Any] = {"model": model, "digits": 100}
    result = real.get(f"/api/experiments/{name}", params=where).json()
    assert result["conclusion"].endswith(".")
    assert result["rows"]
    assert '<svg class="chart-picture"' in real.get(f"/experiments/{name}", params=where).text
