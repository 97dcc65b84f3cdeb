"""The app with the models that come with Layerglass, since the lessons speak of them."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.lessons.folder import Lessons
from app.lessons.lesson import Lesson
from app.lessons.vocabulary import Vocabulary
from app.main import create_app
from app.settings import Settings


@pytest.fixture(scope="session")
def shipped() -> Iterator[TestClient]:
    app = create_app(Settings(allowed_hosts="testserver"))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="session")
def vocabulary(shipped: TestClient) -> Vocabulary:
    made: Vocabulary = shipped.app.state.vocabulary  # type: ignore[attr-defined]
    return made


@pytest.fixture(scope="session")
def lessons(shipped: TestClient) -> dict[str, Lesson]:
    read: Lessons = shipped.app.state.lessons  # type: ignore[attr-defined]
    return read.shelf.lessons
