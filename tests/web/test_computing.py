"""Quick computations run in the event loop, all others in threads, and the number of both is bounded."""

import asyncio
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.cnn.network import Network
from app.explore.forward_passes import ForwardPasses
from app.main import create_app
from app.settings import Settings
from app.web.computing import is_small_png
from tests.coroutines import run
from tests.pictures import draw_four, encode, four_png, png_claiming

MAPS = "/api/models/{}/feature-maps"


def text_chunk(size: int, zip: bool = False) -> PngInfo:
    info = PngInfo()
    info.add_text("note", "-" * size, zip=zip)
    return info


def with_chunks(png: bytes, count: int, kind: bytes = b"abCd") -> bytes:
    """The same PNG with this many empty chunks before its pixels."""
    at = png.index(b"IDAT") - 4
    return png[:at] + (bytes(4) + kind + bytes(4)) * count + png[at:]


SMALL = four_png()
LARGE = encode(draw_four(1000))


@pytest.mark.parametrize(
    ("path", "fields", "drawing", "seconds", "place"),
    [
        pytest.param(MAPS.format("digits"), {}, SMALL, 0.0002, "loop", id="API"),
        pytest.param("/exploration", {"model": "digits"}, SMALL, 0.0002, "loop", id="page"),
        pytest.param("/live?model=digits", {}, SMALL, 0.0002, "loop", id="move of the pen"),
        pytest.param("/api/models/digits/prediction", {}, SMALL, 0.0002, "loop", id="prediction"),
        pytest.param("/api/models/digits/layers/conv1/feature-maps.png", {}, SMALL, 0.0002, "loop", id="grid"),
        pytest.param("/api/models/digits/layers/conv1/feature-maps/0.png", {}, SMALL, 0.0002, "loop", id="map"),
        pytest.param(MAPS.format("digits"), {}, SMALL, None, "thread", id="first pass"),
        pytest.param(MAPS.format("digits"), {}, SMALL, 0.002, "thread", id="slow network"),
        pytest.param(MAPS.format("picture"), {}, SMALL, 0.0002, "thread", id="network of any input size"),
        pytest.param(MAPS.format("digits"), {}, LARGE, 0.0002, "thread", id="large drawing"),
        pytest.param(MAPS.format("digits"), {}, encode(draw_four(), "JPEG"), 0.0002, "thread", id="another format"),
        pytest.param("/exploration", {"model": "digits", "layer": "conv1"}, SMALL, 0.0002, "thread", id="microscope"),
        pytest.param("/exploration", {"model": "digits"}, LARGE, 0.0002, "thread", id="page, large drawing"),
        pytest.param("/comparison", {"model": "digits"}, SMALL, 0.0002, "thread", id="comparison"),
    ],
)
def test_only_quick_computations_run_in_the_event_loop(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    fields: dict[str, str],
    drawing: bytes,
    seconds: float | None,
    place: str,
) -> None:
    places: list[str] = []

    def watch(function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                asyncio.get_running_loop()
                places.append("loop")
            except RuntimeError:
                places.append("thread")
            return function(*args, **kwargs)

        return watched

    monkeypatch.setattr(ForwardPasses, "run", watch(ForwardPasses.run))
    monkeypatch.setattr(Network, "run", watch(Network.run))
    monkeypatch.setattr(ForwardPasses, "last_seconds", lambda *_: seconds)
    sent = {"content": drawing} if path.startswith("/live") else {"data": fields, "files": {"drawing": drawing}}
    assert client.post(path, **sent).status_code == 200
    assert set(places) == {place}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(SMALL, True, id="the page's"),
        pytest.param(encode(draw_four(281)), False, id="many pixels"),
        pytest.param(encode(draw_four(), pnginfo=text_chunk(9_000)), False, id="many bytes"),
        pytest.param(encode(draw_four(), "JPEG"), False, id="no PNG"),
        pytest.param(png_claiming(4096, 4096), False, id="many pixels in few bytes"),
        pytest.param(encode(draw_four(), pnginfo=text_chunk(1_000_000, zip=True)), True, id="text, which is left out"),
        pytest.param(encode(draw_four(), icc_profile=b"colours"), True, id="a colour profile, which is left out"),
        pytest.param(encode(draw_four(), exif=b"MM\0*\0\0\0\x08\0\0"), False, id="Exif"),
        pytest.param(with_chunks(SMALL, 50), True, id="some chunks"),
        pytest.param(with_chunks(SMALL, 1000), False, id="many empty chunks"),
        pytest.param(with_chunks(SMALL, 1000, b"IDAT"), False, id="many chunks without pixels"),
        pytest.param(b"", False, id="empty"),
        pytest.param(SMALL[:20], True, id="a cut header, which is seen at once"),
    ],
)
def test_small_is_what_can_be_decoded_quickly(data: bytes, expected: bool) -> None:
    assert is_small_png(data) is expected


def test_a_png_with_two_sizes_is_not_small() -> None:
    small, large = png_claiming(1, 1), png_claiming(4000, 4000)
    twice = large[:8] + small[8:33] + large[8:]
    assert Image.open(io.BytesIO(twice)).size == (4000, 4000)
    assert not is_small_png(twice)


def test_the_answer_is_the_same_in_the_event_loop_and_in_a_thread(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    for seconds in (None, 0.0):
        monkeypatch.setattr(ForwardPasses, "last_seconds", lambda *_, seconds=seconds: seconds)
        answers.append(client.post(MAPS.format("digits"), files={"drawing": SMALL}).content)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("computations", [2, 8])
def test_between_two_quick_computations_the_event_loop_turns(
    models: Path, monkeypatch: pytest.MonkeyPatch, computations: int
) -> None:
    """A request waits for one computation at most before the server looks at it."""
    app = create_app(Settings(built_in_models=models, allowed_hosts="testserver", computations=computations))
    monkeypatch.setattr(ForwardPasses, "last_seconds", lambda *_: 0.0)
    turned: list[bool] = []
    network_run = Network.run

    def count_turns(network: Network, *args: Any) -> Any:
        if turned:
            assert turned[-1], "two were computed in one turn of the loop"
        turned.append(False)
        asyncio.get_running_loop().call_soon(turned.__setitem__, -1, True)
        return network_run(network, *args)

    async def scenario() -> list[int]:
        async with app.router.lifespan_context(app), client_of(app) as client:
            monkeypatch.setattr(Network, "run", count_turns)
            drawings = [encode(draw_four(), pnginfo=text_chunk(number)) for number in range(1, 9)]
            return await asyncio.gather(*(post_drawing(client, "digits", drawing) for drawing in drawings))

    assert run(scenario()) == [200] * 8
    assert turned == [True] * 8


def test_a_full_queue_refuses_quick_computations_too(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(Settings(built_in_models=models, allowed_hosts="testserver", computations=2, waiting=3))
    monkeypatch.setattr(ForwardPasses, "last_seconds", lambda *_: 0.0)

    async def scenario() -> list[int]:
        async with app.router.lifespan_context(app), client_of(app) as client:
            return await asyncio.gather(*(post_drawing(client, "digits") for _ in range(50)))

    statuses = run(scenario())
    assert (statuses.count(200), statuses.count(503)) == (5, 45)


class Gate:
    """Makes the forward passes of one network wait until the test opens it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        network_run = Network.run

        def wait_and_run(network: Network, *args: Any) -> Any:
            if network.name == name:
                self.entered.set()
                assert self.opened.wait(20)
            return network_run(network, *args)

        # The lifespan runs the default network once, so it must not wait: patch after it.
        self.close: Callable[[], None] = lambda: monkeypatch.setattr(Network, "run", wait_and_run)


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver", timeout=30)


async def post_drawing(client: httpx2.AsyncClient, model: str, drawing: bytes = SMALL) -> int:
    return (await client.post(MAPS.format(model), files={"drawing": drawing})).status_code


def test_of_many_requests_few_compute_and_few_wait(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(Settings(built_in_models=models, allowed_hosts="testserver", computations=2, waiting=3))
    gate = Gate(monkeypatch, "digits")

    async def scenario() -> list[int]:
        async with app.router.lifespan_context(app), client_of(app) as client:
            gate.close()
            posts = [asyncio.create_task(post_drawing(client, "digits")) for _ in range(50)]
            async with asyncio.timeout(20):
                while sum(post.done() for post in posts) < 45:
                    await asyncio.sleep(0.01)
            gate.opened.set()
            return await asyncio.gather(*posts)

    statuses = run(scenario())
    assert (statuses.count(200), statuses.count(503)) == (5, 45)


def test_moves_of_many_pens_that_wait_for_their_turn_are_answered(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their drawings are the bodies of their requests, and must have been read when they begin to wait."""
    app = create_app(Settings(built_in_models=models, allowed_hosts="testserver", computations=1))
    monkeypatch.setattr(ForwardPasses, "last_seconds", lambda *_: 0.0)
    drawings = [encode(draw_four(), pnginfo=text_chunk(number)) for number in range(1, 17)]
    picture = {"content-type": "image/png"}

    async def scenario() -> list[int]:
        async with app.router.lifespan_context(app), client_of(app) as client, asyncio.timeout(30):
            moves = (client.post("/live?model=digits", content=drawing, headers=picture) for drawing in drawings)
            return [answer.status_code for answer in await asyncio.gather(*moves)]

    assert run(scenario()) == [200] * 16


def test_during_a_computation_the_server_answers(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(Settings(built_in_models=models, allowed_hosts="testserver", computations=2))
    gate = Gate(monkeypatch, "branches")

    async def scenario() -> None:
        async with app.router.lifespan_context(app), client_of(app) as client:
            gate.close()
            slow = asyncio.create_task(post_drawing(client, "branches"))
            assert await asyncio.to_thread(gate.entered.wait, 20)
            assert (await client.get("/health")).status_code == 200
            assert await post_drawing(client, "digits") == 200
            assert not slow.done()
            gate.opened.set()
            assert await slow == 200

    run(scenario())
