"""A model without a card is tried on labelled drawings when it is first used, over the API and on the page."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.cnn.errors import RunInterrupted
from app.cnn.network import Network
from app.explore import trials as trials_module
from app.explore.trials import Trials
from app.imaging.labelled import labelled_drawings
from app.library import library as library_module
from app.library.readings import Reading, Readings, ReadingStore, TriedReading
from app.main import create_app
from app.settings import Settings
from tests.disguised import build_disguised
from tests.small_models import build_small

Serve = Callable[..., TestClient]
AS_TOLD = {"value_range": [0, 1], "fit": "digit", "ink": "bright", "transposed": False}
FOUND = {"value_range": [0, 255], "fit": "digit", "ink": "dark", "transposed": True, "mean": None, "std": None}


@pytest.fixture(scope="module")
def disguised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads digits if they are dark, transposed, and from 0 to 255."""
    path = tmp_path_factory.mktemp("disguised") / "mine.keras"
    build_disguised(0, 255, dark=True, transposed=True).save(path)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of ten classes with random weights."""
    path = tmp_path_factory.mktemp("small") / "mine.keras"
    build_small((28, 28, 1), 10, "softmax").save(path)
    return path


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that were tried, in order. Nothing is run for it: what is found is known here."""
    names: list[str] = []

    def try_readings(network: Network) -> Readings:
        names.append(network.name)
        told = Reading.of_card(network.card)
        best = TriedReading(right=47, reading=Reading.model_validate(told.model_dump() | FOUND))
        as_told = TriedReading(right=5, reading=told)
        return Readings(tried=41, drawings=50, what="digits", as_told=as_told, best=[best])

    monkeypatch.setattr(trials_module, "try_readings", try_readings)
    return names


@pytest.fixture
def serve(built_in: Path, opened: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts the app with a folder that has this model's file, and a card of these fields beside it."""
    monkeypatch.setattr(library_module, "_REFRESH_SECONDS", -1)
    with ExitStack() as running:

        def serve(model: Path, card: str | None = None, **settings: Any) -> TestClient:
            shutil.copy(model, tmp_path / "mine.keras")
            if card:
                (tmp_path / "mine.json").write_text(card)
            app = create_app(Settings(built_in_models=built_in, models=(tmp_path,), **settings))
            return running.enter_context(TestClient(app, base_url="http://127.0.0.1:8000"))

        yield serve


def read(client: TestClient) -> int:
    """Return how many of ten drawings the model reads."""
    answers = [
        client.post("/api/models/mine/prediction", files={"drawing": drawing.png}).json()["label"] == drawing.label
        for drawing in labelled_drawings("0123456789")[10:20]
    ]
    return sum(answers)


def card_of(client: TestClient) -> dict[str, Any]:
    card: dict[str, Any] = client.get("/api/models/mine/card").json()
    return card


def test_a_far_better_reading_is_used_at_once_and_there_is_a_way_back(serve: Serve, disguised: Path) -> None:
    client = serve(disguised)
    assert read(client) >= 9
    assert card_of(client).items() >= FOUND.items()
    answer = client.get("/api/models/mine/readings").json()
    assert (answer["model"], answer["drawings"], answer["is_used"], answer["reason"]) == ("mine", 50, True, None)
    assert answer["best"][0]["right"] >= 45 and answer["best"][0]["in_use"]
    assert answer["best"][0]["reading"].items() >= FOUND.items()
    assert answer["as_told"]["right"] < 25 and not answer["as_told"]["in_use"]
    assert answer["as_told"]["reading"].items() >= AS_TOLD.items()
    assert client.put("/api/models/mine/card", json=answer["as_told"]["reading"]).status_code == 200
    assert card_of(client).items() >= AS_TOLD.items()
    assert read(client) < 5
    after = client.get("/api/models/mine/readings").json()
    assert after["as_told"]["in_use"] and not after["best"][0]["in_use"]


def test_many_first_visitors_have_it_tried_once(serve: Serve, small: Path, tried: list[str]) -> None:
    client = serve(small)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: client.get("/api/models/mine/readings").json(), range(4)))
    assert [answer["is_used"] for answer in answers] == [True] * 4
    assert tried == ["mine"]


@pytest.mark.parametrize("field", ['"value_range": [0, 1]', '"ink": "bright"', '"transposed": false', '"std": [1]'])
def test_what_a_person_has_said_of_it_stays(field: str, serve: Serve, small: Path, tried: list[str]) -> None:
    client = serve(small, f"{{{field}}}")
    answer = client.get("/api/models/mine/readings").json()
    assert (answer["best"], answer["reason"]) == ([], "Its card says how a drawing becomes its input.")
    assert tried == []


def test_beside_a_card_of_a_person_s_it_is_offered_and_not_used(serve: Serve, small: Path, tried: list[str]) -> None:
    client = serve(small, '{"title": "Mine"}')
    answer = client.get("/api/models/mine/readings").json()
    assert answer["best"][0]["right"] == 47 and not answer["is_used"]
    assert card_of(client).items() >= (AS_TOLD | {"title": "Mine"}).items()
    client.put("/api/models/mine/card", json=answer["best"][0]["reading"])
    assert card_of(client).items() >= (FOUND | {"title": "Mine"}).items()


def test_of_a_built_in_model_nothing_is_tried(serve: Serve, small: Path, tried: list[str]) -> None:
    answer = serve(small).get("/api/models/digits/readings")
    assert answer.status_code == HTTPStatus.OK
    assert answer.json()["reason"] == "Its card says how a drawing becomes its input."
    assert tried == []


def test_of_a_model_that_is_not_there_there_are_none(serve: Serve, small: Path, tried: list[str]) -> None:
    assert serve(small).get("/api/models/nobody/readings").status_code == HTTPStatus.NOT_FOUND


def test_what_cannot_be_tried_says_why_and_is_not_tried_again(
    serve: Serve, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serve(mine)
    reason = "Its classes are neither digits nor letters, of which there are labelled drawings."
    assert client.get("/api/models/mine/readings").json()["reason"] == reason
    monkeypatch.setattr(trials_module, "try_readings", None)
    assert client.get("/api/models/mine/readings").json()["reason"] == reason


def test_where_nothing_can_be_written_it_is_tried_once(
    serve: Serve, small: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(ReadingStore, "write", fail)
    client = serve(small)
    answers = [client.get("/api/models/mine/readings").json() for _ in range(2)]
    assert all(answer["best"][0]["right"] == 47 and not answer["is_used"] for answer in answers)
    assert tried == ["mine"]


def test_a_trial_that_the_server_broke_off_is_made_again(
    serve: Serve, small: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RunInterrupted("Try again later.")

    client = serve(small)
    with monkeypatch.context() as broken:
        broken.setattr(trials_module, "try_readings", fail)
        assert client.get("/api/models/mine/readings").json()["reason"] == "Try again later."
    assert client.get("/api/models/mine/readings").json()["is_used"]


def test_what_was_tried_outlives_the_server_and_not_the_file(
    serve: Serve, small: Path, mine: Path, tried: list[str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    assert serve(small, state=state).get("/api/models/mine/readings").json()["is_used"]
    (tmp_path / "mine.keras").unlink()
    client = serve(small, state=state)
    client.get("/api/models/mine/readings")
    assert tried == ["mine"] * 2  # another file, if with the same bytes
    assert serve(small, state=state).get("/api/models").status_code == 200


def test_a_reading_that_was_stored_broken_is_as_if_it_was_none(
    serve: Serve, small: Path, tried: list[str], tmp_path: Path
) -> None:
    client = serve(small, state=tmp_path / "state")
    client.get("/api/models/mine/readings")
    (stored,) = (tmp_path / "state").glob("*.readings.json")
    stored.write_text('{"tried": -1}')
    assert client.get("/api/models/mine/readings").json()["reason"] is not None


def test_a_turn_is_taken_for_it(serve: Serve, small: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve(small)
    admission = []
    find = Trials.find

    def watched(self: Trials, name: str) -> object:
        admission.append(client.get("/metrics").text.count("\nlayerglass_running 1.0"))
        return find(self, name)

    monkeypatch.setattr(Trials, "find", watched)
    client.get("/api/models/mine/readings")
    assert set(admission) == {1}


def test_the_page_says_what_was_found_and_offers_the_way_back(serve: Serve, small: Path, tried: list[str]) -> None:
    page = serve(small).get("/?model=mine").text
    assert "of 50</strong> drawn digits" in page
    assert "values from 0 to 255, dark ink on bright, ink scaled and centred as MNIST" in page
    assert "with values from 0 to 1, bright ink on dark, rows and columns as they are, it reads 5" in " ".join(
        page.split()
    )
    assert ">As it was</button>" in page and "Layerglass found this out" in page


def test_the_page_offers_what_would_be_better(serve: Serve, small: Path, tried: list[str]) -> None:
    page = serve(small, '{"title": "Mine"}').get("/?model=mine").text
    assert ">Use it</button>" in page and "rows and columns swapped" in page
    shown = serve(small, '{"title": "Mine"}', host="0.0.0.0").get("/?model=mine").text
    assert "rows and columns swapped" in shown and "Use it" not in shown  # where nobody may change a card


def test_the_page_says_what_nobody_has_said(serve: Serve, mine: Path) -> None:
    client = serve(mine)
    page = client.get("/?model=mine").text
    assert "Nobody has said what its classes are called: they are only counted; what black and white become" in page
    client.put("/api/models/mine/card", json={"classes": ["a", "b", "c"], "fit": "fill"})
    assert "Nobody has said what black and white become: 0 and 1 are assumed." in client.get("/?model=mine").text
    client.put("/api/models/mine/card", json={"value_range": [0, 1]})
    assert "Nobody has said" not in client.get("/?model=mine").text


def test_the_row_is_sent_when_it_changes(serve: Serve, mine: Path) -> None:
    client, drawing = serve(mine), {"drawing": labelled_drawings("7")[0].png}

    def send(**form: str) -> str:
        return client.post("/exploration", files=drawing, data={"model": "mine", **form}).text

    first = send()
    assert 'hx-target="#reading"' in first
    identity = first.split('name="row_of" value="')[1].split('"')[0]
    assert 'hx-target="#reading"' not in send(row_of=identity)
    client.put("/api/models/mine/card", json={"fit": "fill"})
    assert 'hx-target="#reading"' in send(row_of=identity)
    assert 'hx-target="#reading"' in send(row_of=identity, model="digits")  # whose row is empty
    assert 'hx-target="#reading"' not in send(model="digits")
