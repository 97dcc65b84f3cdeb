"""Small work is computed in the event loop, and all else beside it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL.PngImagePlugin import PngInfo

from app.cnn.network import Network
from app.explore.forward_passes import ForwardPasses
from app.main import create_app
from app.settings import Settings
from tests.coroutines import run
from tests.large_model import save_large
from tests.pictures import draw_four, encode, four_png
from tests.small_models import save_small_models

MAPS = "/api/models/digits/feature-maps"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_small_models(folder)
    save_large(folder)
    return folder


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where each forward pass ran, or was remembered."""
    found: list[str] = []

    def watch(run: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            try:
                asyncio.get_running_loop()
                found.append("loop")
            except RuntimeError:
                found.append("thread")
            return run(*arguments, **options)

        return watched

    monkeypatch.setattr(ForwardPasses, "run", watch(ForwardPasses.run))
    monkeypatch.setattr(Network, "run", watch(Network.run))
    return found


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(built_in_models=folder, allowed_hosts="testserver"))) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "fields", "drawing", "place"),
    [
        pytest.param(MAPS, {}, four_png(), "loop", id="API"),
        pytest.param("/exploration", {"model": "digits"}, four_png(), "loop", id="page"),
        pytest.param("/api/models/digits/prediction", {}, four_png(), "loop", id="prediction"),
        pytest.param("/api/models/digits/layers/conv1/feature-maps.png", {}, four_png(), "loop", id="grid"),
        pytest.param("/api/models/digits/layers/conv1/feature-maps/0.png", {}, four_png(), "loop", id="map"),
        pytest.param(MAPS, {}, encode(draw_four(1000)), "thread", id="large drawing"),
        pytest.param(MAPS, {}, encode(draw_four(), "JPEG"), "thread", id="another kind of file"),
        pytest.param(MAPS.replace("digits", "large"), {}, four_png(), "thread", id="large network"),
        pytest.param(MAPS.replace("digits", "picture"), {}, four_png(), "thread", id="network of any size"),
        pytest.param("/exploration", {"model": "digits", "layer": "conv1"}, four_png(), "thread", id="microscope"),
        pytest.param("/exploration", {"model": "digits"}, encode(draw_four(1000)), "thread", id="page, large drawing"),
        pytest.param("/comparison", {"model": "digits"}, four_png(), "thread", id="comparison"),
    ],
)
def test_only_small_work_is_done_in_the_event_loop(
    client: TestClient, places: list[str], path: str, fields: dict[str, str], drawing: bytes, place: str
) -> None:
    response = client.post(path, data=fields, files={"drawing": drawing})
    assert response.status_code == 200
    assert set(places) == {place}


def test_where_it_is_computed_changes_nothing(client: TestClient, places: list[str]) -> None:
    small, large = four_png(), encode(draw_four(), pnginfo=note_of("-" * 40_000))
    answers = [client.post(MAPS, files={"drawing": each}).content for each in (small, large)]
    assert set(places[:1] + places[-1:]) == {"loop", "thread"}
    assert answers[0] == answers[1]


def test_of_many_small_ones_few_are_computed_and_few_wait(folder: Path) -> None:
    """As if they were computed in threads: a full queue refuses, whoever computes."""
    app = create_app(Settings(built_in_models=folder, allowed_hosts="testserver", computations=2, waiting=3))
    statuses = run(ask_at_once(app, [four_png()] * 50))
    assert (statuses.count(200), statuses.count(503)) == (5, 45)


def test_between_two_of_them_the_event_loop_turns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many cores there are, nobody waits for more than one of them."""
    app = create_app(Settings(built_in_models=folder, allowed_hosts="testserver", computations=8))
    turned: list[bool] = []
    network_run = Network.run

    def count_turns(network: Network, *arguments: Any) -> Any:
        if turned:
            assert turned[-1], "two were computed in one turn of the loop"
        turned.append(False)
        asyncio.get_running_loop().call_soon(turned.__setitem__, -1, True)
        return network_run(network, *arguments)

    monkeypatch.setattr(Network, "run", count_turns)
    drawings = [encode(draw_four(), pnginfo=note_of(str(number))) for number in range(8)]
    assert run(ask_at_once(app, drawings)) == [200] * 8
    assert turned == [True] * 8


def note_of(text: str) -> PngInfo:
    note = PngInfo()
    note.add_text("note", text)
    return note


def test_while_something_large_is_computed_the_server_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(Settings(built_in_models=folder, allowed_hosts="testserver", computations=2))
    has_begun, may_end = threading.Event(), threading.Event()
    network_run = Network.run

    def wait_in_large(network: Network, *arguments: Any) -> Any:
        if network.name == "large":
            has_begun.set()
            assert may_end.wait(20)
        return network_run(network, *arguments)

    monkeypatch.setattr(Network, "run", wait_in_large)

    async def scenario() -> None:
        async with app.router.lifespan_context(app), client_of(app) as client:
            large = asyncio.create_task(client.post(MAPS.replace("digits", "large"), files={"drawing": four_png()}))
            assert await asyncio.to_thread(has_begun.wait, 20)
            assert (await client.get("/health")).status_code == 200
            assert (await client.post(MAPS, files={"drawing": four_png()})).status_code == 200
            assert not large.done()
            may_end.set()
            assert (await large).status_code == 200

    run(scenario())


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver", timeout=30)


async def ask_at_once(app: FastAPI, drawings: list[bytes]) -> list[int]:
    async with app.router.lifespan_context(app), client_of(app) as client:
        asked = (client.post(MAPS, files={"drawing": each}) for each in drawings)
        return [response.status_code for response in await asyncio.gather(*asked)]
