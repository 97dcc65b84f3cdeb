"""Replicas answer as the plain app does, and go on answering while they are killed and replaced."""

import asyncio
from collections.abc import Iterator

import pytest

from benchmarks.expected import ExpectedAnswers
from benchmarks.http_client import Client, post
from benchmarks.http_client import request as http
from benchmarks.retrying_clients import ask_during
from tests.scale.cluster import Cluster
from tests.scale.conftest import CLIENTS, PATHS, check


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(replicas=2) as cluster:
        yield cluster


def test_replicas_are_ready_and_refuse_what_the_app_refuses(cluster: Cluster) -> None:
    with Client(cluster.port) as client:
        assert client.send(http("GET", "/ready")).status == 200
        assert client.send(http("GET", "/nothing")).status == 404
        assert client.send(post(PATHS[0], b"no picture")).status == 422
        elsewhere = http("GET", "/ready").replace(b"Host: 127.0.0.1", b"Host: elsewhere.example")
        assert client.send(elsewhere).status == 400


def test_replicas_answer_as_the_plain_app_does(cluster: Cluster, expected: ExpectedAnswers) -> None:
    with Client(cluster.port) as client:
        for data, answer in expected.items():
            assert client.send(data).body == answer.body


async def kill(cluster: Cluster) -> None:
    """Kill a replica, and wait until Ray has started another one."""
    await asyncio.sleep(1)
    killed = await asyncio.to_thread(cluster.kill_replica)
    while killed in (running := await asyncio.to_thread(cluster.replicas)) or len(running) < 2:
        await asyncio.sleep(0.5)


@pytest.mark.parametrize("size", ["expected", "large"])
def test_what_a_killed_replica_loses_is_mended_by_one_retry(
    cluster: Cluster, size: str, request: pytest.FixtureRequest
) -> None:
    """HAProxy itself sends most of it to another replica, but no request that is larger than its buffer."""
    answers = request.getfixturevalue(size)
    check(asyncio.run(ask_during(kill(cluster), cluster.port, answers, CLIENTS)))


def test_a_rolling_update_answers_throughout(cluster: Cluster, expected: ExpectedAnswers) -> None:
    before = cluster.replicas()

    async def update() -> None:
        await asyncio.to_thread(cluster.deploy, waiting=31)
        while (running := await asyncio.to_thread(cluster.replicas)) & before or len(running) < 2:
            await asyncio.sleep(0.5)

    outcomes = asyncio.run(ask_during(update(), cluster.port, expected, CLIENTS))
    assert outcomes.counts.keys() == {"right"}, outcomes
