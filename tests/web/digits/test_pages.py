"""The page of real digits."""

import re
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.cnn.types import PoolingMode
from app.datasets.digits import load_test_digits
from app.explore.digit_runs import DigitRun
from app.explore.evaluation import evaluate
from app.explore.gallery import PAGE_TILES
from app.explore.results import Results
from app.library.library import Library
from app.main import create_app
from app.settings import Settings
from tests.small_models import build_digits
from tests.web.test_pages import Tags

SOME = 40  # digits: enough for a page, and quick


def run(client: TestClient, query: str) -> str:
    """Run the model, and return the last fragment of the stream."""
    answer = client.get(f"/digits/run?{query}")
    assert answer.status_code == 200
    if answer.headers["content-type"].startswith("text/html"):  # it is remembered
        return answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    *_, last = answer.text.strip().split("\n\n")
    return "\n".join(line.removeprefix("data: ") for line in last.splitlines())


def numbers(page: str) -> list[int]:
    """The digits on a page, by their number."""
    return [int(number) for number in re.findall(r'title="T\w+ digit (\d+)', page)]


def test_the_digits_are_there_at_once_and_the_run_follows(client: TestClient, app: FastAPI) -> None:
    app.state.results = Results()  # of no run yet
    page = client.get("/digits")
    assert page.status_code == 200 and numbers(page.text) == list(range(PAGE_TILES))
    assert f"1 to {PAGE_TILES} of 10,000 digits" in page.text
    assert 'hx-get="/digits/run"' in page.text and 'hx-trigger="load"' in page.text
    assert "digits-charts" not in page.text


def test_progress_comes_first_and_then_all_of_the_page(client: TestClient, library: Library) -> None:
    answer = client.get("/digits/run?count=41&pooling=average")
    first, *_, last = answer.text.strip().split("\n\n")
    assert "hx-partial" in first and "of 41 digits" in first
    assert all(line.startswith("data: ") for line in last.splitlines())
    found = evaluate(library.network("digits"), load_test_digits().take(slice(41)), PoolingMode.AVERAGE)
    shown = " ".join(re.sub(r"<[^>]*>|data: ", "", last).split())
    wrong = int((~found.is_right).sum())
    assert f"of 41 digits read right, {wrong} wrong" in shown


def test_a_page_is_well_formed_with_its_charts(client: TestClient) -> None:
    run(client, f"count={SOME}")
    page = client.get(f"/digits?count={SOME}&found=wrong").text
    assert "digits-charts" in page
    tags = Tags(page)
    assert (tags.misplaced, tags.open) == (0, [])
    ids = [attributes["id"] for _, attributes in tags.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all("alt" in image for image in tags.all("img"))
    assert not [name for _, attributes in tags.found for name in attributes if name == "style" or name.startswith("on")]


def test_filters_show_what_the_model_makes_of_the_digits(client: TestClient, library: Library) -> None:
    run(client, f"count={SOME}")
    found = DigitRun(library.network("digits"), count=SOME).compute().evaluation
    labels = load_test_digits().labels[:SOME]

    def shown(query: str) -> list[int]:
        return numbers(client.get(f"/digits?count={SOME}&{query}").text)

    assert shown("found=right") == np.flatnonzero(found.is_right).tolist()
    assert shown("found=wrong") == np.flatnonzero(~found.is_right).tolist()
    assert shown("found=unsure&below=50") == np.flatnonzero(found.confidences < 0.5).tolist()
    assert shown("digit=7") == np.flatnonzero(labels == 7).tolist()
    read = found.classes[found.answers[0]]
    assert shown(f"read={read}") == np.flatnonzero(found.answers == found.answers[0]).tolist()
    assert shown("order=confidence") == np.argsort(found.confidences, kind="stable").tolist()


def test_the_matrix_and_the_table_of_bins_tell_the_numbers(client: TestClient, library: Library) -> None:
    page = run(client, f"count={SOME}")
    found = DigitRun(library.network("digits"), count=SOME).compute().evaluation
    for row, column in np.argwhere(found.confusion):
        words = f"{found.confusion[row, column]} of {found.classes[row]} read as {found.classes[column]}"
        assert f'aria-label="{words}"' in page
    answers = re.findall(r'%</th><td class="number">([\d,]+)</td>', page)
    assert sum(map(int, answers)) == SOME
    assert page.count("<circle") == len(answers)


def test_a_tile_leads_to_the_pad_with_model_and_pooling(client: TestClient) -> None:
    page = client.get("/digits?model=digits-min&pooling=max&set=training&run=false").text
    assert 'href="/?model=digits-min&amp;pooling=max&amp;digit=training-0"' in page
    swapped = client.get("/digits?invert=true&run=false").text
    assert 'href="/compare?model=digits&amp;invert=true&amp;digit=test-0"' in swapped


def test_the_explorer_begins_with_the_digit(client: TestClient, library: Library) -> None:
    found = evaluate(library.network("digits"), load_test_digits().take(slice(6)))
    page = client.get("/?digit=test-5").text
    answer = re.search(r'class="answer-guess[^>]*>\s*([^<]+?)\s*<', page)
    assert answer is not None and answer[1] == found.classes[found.answers[5]]
    assert client.get("/compare?digit=training-5999").status_code == 200


def test_a_choice_puts_its_address_into_the_address_bar(client: TestClient) -> None:
    asked = "/digits/shown?model=digits&pooling=&set=&count=&found=&below=&digit=3&read=&order="
    answer = client.get(asked)
    assert answer.headers["HX-Push-Url"] == "/digits?model=digits&digit=3"
    assert not answer.text.startswith("<!doctype html>")
    again = client.get("/digits/shown?digit=1&page=3&below=90&invert=true")
    assert again.headers["HX-Push-Url"] == "/digits?invert=true&digit=1&below=90&page=3"


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("model=nix", 404, "There is no model “nix”."),
        ("page=57", 404, "There are pages 1 to 56 of these digits. Received: 57."),
        ("page=0", 404, "There are pages 1 to 56 of these digits. Received: 0."),
        ("digit=12&page=2", 404, "There are pages 1 to 1 of these digits. Received: 2."),
        ("set=mnist", 422, "“set”: Input should be &#39;test&#39; or &#39;training&#39;."),
        ("count=0", 422, "“count”: Input should be greater than or equal to 1."),
        ("count=1000000000", 422, "Ask for 1 to 10,000 digits: the test set has so many. Received: 1,000,000,000."),
        ("count=6001&set=training", 422, "Ask for 1 to 6,000 digits"),
        ("page=x", 422, "“page”: Input should be a valid integer"),
        ("found=odd", 422, "“found”: Input should be"),
        ("below=101", 422, "“below”: Input should be less than or equal to 100."),
    ],
)
def test_an_address_that_leads_nowhere_says_why(client: TestClient, query: str, status: int, sentence: str) -> None:
    for path in ("/digits", "/digits/shown"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == status and sentence in answer.text
        assert answer.text.startswith("<!doctype html>") is (path == "/digits")


@pytest.mark.parametrize("digit", ["test-10000", "training-6000"])
def test_a_digit_that_is_not_there_is_said_on_the_pad_s_page(client: TestClient, digit: str) -> None:
    answer = client.get(f"/?digit={digit}")
    assert answer.status_code == 404 and "set has the digits 0 to" in answer.text
    assert client.get("/?digit=nine").status_code == 422


def test_a_model_that_cannot_be_run_over_digits_says_why_and_shows_them_all_the_same(client: TestClient) -> None:
    answer = client.get("/digits?model=picture")
    assert answer.status_code == 422
    assert "cannot be tried on digits: its answer is not one of several classes." in answer.text
    assert numbers(answer.text) == list(range(PAGE_TILES))
    assert 'hx-trigger="load"' not in answer.text
    refused = client.get("/digits/run?model=logistic")
    assert refused.status_code == 422 and "its classes are not the digits 0 to 9" in refused.text


def test_what_is_wrong_is_not_known_before_the_run(client: TestClient) -> None:
    page = client.get("/digits?found=wrong&count=43").text
    assert numbers(page) == [] and "which are not there yet" in page
    cancelled = client.get("/digits?found=wrong&count=43&run=false").text
    assert 'hx-trigger="load"' not in cancelled and "Run digits over 43 digits" in cancelled
    assert "/digits?count=43&amp;found=wrong&amp;run=" not in cancelled


def test_a_run_that_fails_says_so_and_can_be_tried_again(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("app.explore.digit_runs.run_side_by_side", fail)
    last = run(client, "count=44")
    assert "it is our fault" in last and "Try again" in last and "ZeroDivision" not in last


def test_a_model_of_one_s_own_is_run_when_it_is_asked_to(models: Path, tmp_path: Path) -> None:
    build_digits().save(tmp_path / "mine.keras")
    app = create_app(Settings(built_in_models=models, model=(tmp_path / "mine.keras",), allowed_hosts="testserver"))
    with TestClient(app) as client:
        page = client.get("/digits?model=mine&count=30").text
        assert "Run mine over 30 digits" in page and 'hx-trigger="load"' not in page
        assert 'hx-trigger="load"' in client.get("/digits?model=mine&count=30&found=wrong").text
        found = evaluate(client.app.state.library.network("mine"), load_test_digits().take(slice(30)))  # type: ignore[attr-defined]
        wrong = np.flatnonzero(~found.is_right).tolist()
        assert numbers(run(client, "model=mine&count=30&found=wrong")) == wrong
        assert numbers(client.get("/digits?model=mine&count=30&found=wrong").text) == wrong
