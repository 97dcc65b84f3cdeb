"""Two machines whose models are in one store: what a person is answered does not depend on which of them is asked."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.library import stored_state
from app.library.store import ObjectStore, StoreUnavailable
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def machines(
    opened: list[str], models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[TestClient]]:
    monkeypatch.setattr(stored_state, "POLL_SECONDS", 0.02)
    with ExitStack() as stack:
        yield [
            stack.enter_context(TestClient(create_app(settings), base_url="http://localhost"))
            for settings in (
                Settings(built_in_models=models, state=tmp_path / name, store=f"file://{tmp_path}/store")
                for name in ("one", "other")
            )
        ]


def upload(client: TestClient, file: Path) -> str:
    answer = client.post("/api/models", files={"model": (file.name, file.read_bytes())})
    assert answer.status_code == 201, answer.text
    where: str = answer.headers["location"]
    return where


def test_a_model_from_its_opening_to_its_end(machines: list[TestClient], mine: Path) -> None:
    one, other = machines
    where = upload(one, mine)
    assert other.get(where).status_code == 200  # at once, since a model that is not known is asked for
    assert other.get("/", params={"model": where.rpartition("/")[2]}).status_code == 200
    assert other.put(f"{where}/card", json={"title": "Of the other"}).status_code == 200
    while one.get(where).json()["title"] != "Of the other":
        time.sleep(0.01)
    assert one.delete(where).status_code == 204
    while other.get(where).status_code != 404:
        time.sleep(0.01)
    assert other.delete(where).status_code == 404


def test_a_model_that_was_just_taken_can_be_changed_and_deleted_elsewhere(
    machines: list[TestClient], mine: Path
) -> None:
    one, other = machines
    assert other.put(f"{upload(one, mine)}/card", json={"title": "At once"}).status_code == 200
    assert one.delete(upload(other, mine)).status_code == 204


def test_a_store_that_is_away(machines: list[TestClient], mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there answers, and all else says that it cannot be known or done for now."""
    one, _ = machines
    where = upload(one, mine)

    def fail(*_: object) -> None:
        raise StoreUnavailable("The store does not answer.")

    with monkeypatch.context() as context:
        context.setattr(ObjectStore, "_call", fail)
        assert one.get(where).status_code == 200
        answers = [
            one.post("/api/models", files={"model": ("mine.keras", mine.read_bytes())}),
            one.put(f"{where}/card", json={"title": "No"}),
            one.delete(where),
            one.get("/api/models/unknown"),
            one.get("/", params={"model": "unknown"}),
        ]
    for answer in answers:
        assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
        assert "The store does not answer." in answer.text
    while one.put(f"{where}/card", json={"title": "Yes"}).status_code == 503:
        time.sleep(0.01)  # until the store has been asked once more
    assert one.get(where).json()["title"] == "Yes"
