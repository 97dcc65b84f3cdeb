"""Computations run in threads beside the event loop, and their number is bounded."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from app.cnn.network import Network
from app.main import create_app
from app.settings import Settings
from tests.coroutines import run
from tests.pictures import four_png

MAPS = "/api/models/{}/feature-maps"


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
        self.close = lambda: monkeypatch.setattr(Network, "run", wait_and_run)


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver", timeout=30)


async def post_drawing(client: httpx2.AsyncClient, model: str) -> int:
    return (await client.post(MAPS.format(model), files={"drawing": four_png()})).status_code


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
