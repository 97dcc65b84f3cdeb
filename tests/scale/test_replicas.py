"""Replicas answer as the plain app does, and go on answering while they are killed and replaced."""

import asyncio
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from benchmarks.drawings import make_drawings
from benchmarks.expected import ExpectedAnswers
from benchmarks.http_client import Answer, Client, post, request
from benchmarks.retrying_clients import ask_during
from tests.scale.cluster import Cluster

CLIENTS = 8
PATHS = ("/api/models/digits/feature-maps", "/api/models/digits/prediction")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(replicas=2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def expected() -> ExpectedAnswers:
    """The plain app's answers, by the bytes of the request."""
    with TestClient(create_app(Settings()), base_url="http://127.0.0.1") as client:
        answers = {}
        for path in PATHS:
            for drawing in make_drawings(8):
                answer = client.post(path, files={"drawing": ("drawing.png", drawing)})
                answers[post(path, drawing)] = Answer(answer.status_code, {}, answer.content)
        return answers


def test_replicas_are_ready_and_refuse_what_the_app_refuses(cluster: Cluster) -> None:
    with Client(cluster.port) as client:
        assert client.send(request("GET", "/ready")).status == 200
        assert client.send(request("GET", "/nothing")).status == 404
        assert client.send(post(PATHS[0], b"no picture")).status == 422
        elsewhere = request("GET", "/ready").replace(b"Host: 127.0.0.1", b"Host: elsewhere.example")
        assert client.send(elsewhere).status == 400


def test_replicas_answer_as_the_plain_app_does(cluster: Cluster, expected: ExpectedAnswers) -> None:
    with Client(cluster.port) as client:
        for data, answer in expected.items():
            assert client.send(data).body == answer.body


def test_a_killed_replica_is_mended_by_one_retry(cluster: Cluster, expected: ExpectedAnswers) -> None:
    async def kill() -> None:
        await asyncio.sleep(1)
        killed = await asyncio.to_thread(cluster.kill_replica)
        while killed in (running := await asyncio.to_thread(cluster.replicas)) or len(running) < 2:
            await asyncio.sleep(0.5)

    counts = asyncio.run(ask_during(kill(), cluster.port, expected, CLIENTS))
    assert counts["right"] > 0
    assert not counts["wrong"] and not counts["not mended"], counts
    assert counts["lost"] == counts["mended"] <= CLIENTS


def test_a_rolling_update_answers_throughout(cluster: Cluster, expected: ExpectedAnswers) -> None:
    before = cluster.replicas()

    async def update() -> None:
        await asyncio.to_thread(cluster.deploy, waiting=31)
        while (running := await asyncio.to_thread(cluster.replicas)) & before or len(running) < 2:
            await asyncio.sleep(0.5)

    counts = asyncio.run(ask_during(update(), cluster.port, expected, CLIENTS))
    assert counts["right"] > 0
    assert not counts["wrong"] and not counts["lost"], counts
