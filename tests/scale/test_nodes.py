"""Replicas on several nodes, all on this machine, go on answering when a node goes."""

import asyncio

from benchmarks.expected import ExpectedAnswers
from benchmarks.retrying_clients import ask_during
from tests.scale.cluster import Cluster
from tests.scale.conftest import CLIENTS, check


def test_a_node_that_goes_loses_requests_in_flight_at_most(expected: ExpectedAnswers) -> None:
    """The head has the proxy and no replica; each of two other nodes has one, and one of the nodes is killed."""
    with Cluster(replicas=2, nodes=2) as cluster:

        async def kill() -> None:
            await asyncio.sleep(1)
            killed = await asyncio.to_thread(cluster.kill_node)
            assert len(killed) == 1
            while killed & (running := await asyncio.to_thread(cluster.replicas)) or len(running) < 2:
                await asyncio.sleep(0.5)

        outcomes = asyncio.run(ask_during(kill(), cluster.port, expected, CLIENTS))
    check(outcomes)
