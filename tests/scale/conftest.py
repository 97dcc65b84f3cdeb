"""What the plain app answers, to compare replicas with."""

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from benchmarks.drawings import make_drawings
from benchmarks.expected import ExpectedAnswers
from benchmarks.http_client import Answer, post
from benchmarks.retrying_clients import Outcomes

CLIENTS = 8
PATHS = ("/api/models/digits/feature-maps", "/api/models/digits/prediction")
_BUFFER = 16_384  # bytes that HAProxy holds of a request


@pytest.fixture(scope="session")
def expected() -> ExpectedAnswers:
    """The plain app's answers, by the bytes of the request."""
    return _ask([(path, drawing) for path in PATHS for drawing in make_drawings(8)])


@pytest.fixture(scope="session")
def large() -> ExpectedAnswers:
    """The same for drawings that are larger than HAProxy's buffer."""
    return _ask([(PATHS[1], drawing + bytes(2 * _BUFFER)) for drawing in make_drawings(8)])


def _ask(requests: list[tuple[str, bytes]]) -> ExpectedAnswers:
    with TestClient(create_app(Settings()), base_url="http://127.0.0.1") as client:
        answers = {}
        for path, drawing in requests:
            answer = client.post(path, files={"drawing": ("drawing.png", drawing)})
            assert answer.status_code == 200, answer.text
            answers[post(path, drawing)] = Answer(answer.status_code, {}, answer.content)
        return answers


def check(outcomes: Outcomes) -> None:
    """Check that each client lost its request in flight at most, and that one retry mended it."""
    counts = outcomes.counts
    assert counts["right"] > 0
    assert not counts["wrong"] and not counts["not mended"], outcomes
    assert counts["lost"] == counts["mended"] <= CLIENTS, outcomes
