"""The app with small real models, made once for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import settings

from app.library.library import Library
from app.main import create_app
from app.settings import Settings
from tests.in_process_sandbox import use_in_process_sandbox
from tests.model_files.files import small_file
from tests.pictures import four_png
from tests.small_models import build_logistic, card, save, save_small_models

# The same examples every time, so that a failure is the code's and can be seen again; fuzzing looks for new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small models: digits, digits-min, a-plain, branches, logistic, picture."""
    folder = tmp_path_factory.mktemp("models")
    save_small_models(folder)
    return folder


@pytest.fixture(scope="session")
def app(models: Path) -> FastAPI:
    return create_app(Settings(built_in_models=models, allowed_hosts="testserver"))


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """The app after its start. Its networks are there; what it raises is answered as a server would answer."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def library(client: TestClient, app: FastAPI) -> Library:
    loaded: Library = app.state.library
    return loaded


@pytest.fixture(scope="session")
def four() -> bytes:
    """A drawing of a four."""
    return four_png()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files are opened in this process; the names of those that were."""
    return use_in_process_sandbox(monkeypatch)


@pytest.fixture(scope="session")
def built_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small model that came with Layerglass."""
    folder = tmp_path_factory.mktemp("built-in")
    model = build_logistic()
    save(model, card(model, classes=["no", "yes"]), folder / "digits.keras")
    return folder


@pytest.fixture(scope="session")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's file that came without a card: 8×8 pixels, three classes."""
    return small_file(tmp_path_factory.mktemp("mine"))
