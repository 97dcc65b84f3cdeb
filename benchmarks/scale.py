"""Replicas under Ray Serve against plain workers, and what is lost when replicas are killed.

It needs the extra: run `make test-scale` first, then `.venv/bin/python -m benchmarks.scale`. It prints

- answers a second and their median of two replicas and of two plain workers, which take turns under the same clients;
- what became of the requests of 32 clients while a replica was killed every 20 seconds: right and wrong answers,
  requests that were lost, and how many of these were mended by sending them once more.
"""

import asyncio
import statistics

from benchmarks.drawings import make_drawings
from benchmarks.expected import ExpectedAnswers
from benchmarks.figures import Figure, run_alone
from benchmarks.http_client import PAGE, Client, page_fields, post
from benchmarks.many_people import Tally, crowd
from benchmarks.retrying_clients import ask_during
from benchmarks.serving import Server
from tests.scale.cluster import Cluster

COUNT = 2  # replicas, and workers
CLIENTS, ROUNDS, SECONDS, QUICK_SECONDS = 16, 2, 6.0, 1.0
DRAWINGS = 60
KILL_CLIENTS, KILLS, QUICK_KILLS, KILL_EVERY_SECONDS = 32, 15, 1, 20.0


def measure(quick: bool = False) -> list[Figure]:
    """Return the figures of both parts, with one Ray cluster for both."""
    with Cluster(COUNT) as cluster:
        with Server(workers=COUNT) as workers:
            compared = compare({"replicas": cluster.port, "workers": workers.port}, quick)
        return [*compared, *kill(cluster, QUICK_KILLS if quick else KILLS)]


def compare(ports: dict[str, int], quick: bool) -> list[Figure]:
    """Let the same clients draw on each server in turn, as pages do."""
    drawings = make_drawings(DRAWINGS)
    with Client(ports["workers"]) as client:
        fields = page_fields(client, drawings[0])
    requests = [post(PAGE, drawing, fields) for drawing in drawings]
    tallies = {name: Tally() for name in ports}
    for _ in range(1 if quick else ROUNDS):
        for name, port in ports.items():
            asyncio.run(crowd(port, CLIENTS, QUICK_SECONDS if quick else SECONDS, requests, tallies[name]))
    rates = {name: len(tally.seconds) / tally.duration for name, tally in tallies.items()}
    figures = [figure for name, tally in tallies.items() for figure in _figures(name, tally, rates[name])]
    return [*figures, Figure("replicas / workers: answers a second", rates["replicas"] / rates["workers"], "×")]


def _figures(name: str, tally: Tally, rate: float) -> list[Figure]:
    return [
        Figure(f"{COUNT} {name}: answers a second", rate, "/s"),
        Figure(f"{COUNT} {name}: p50", statistics.median(tally.seconds) * 1000, "ms"),
        Figure(f"{COUNT} {name}: refused", tally.refused, ""),
        Figure(f"{COUNT} {name}: errors", tally.errors.total(), "", note=str(dict(tally.errors) or "")),
    ]


def kill(cluster: Cluster, times: int) -> list[Figure]:
    """Kill a replica every 20 seconds under clients that compare each answer with that of a quiet time."""
    requests = [post("/api/models/digits/feature-maps", drawing) for drawing in make_drawings(16)]
    with Client(cluster.port) as client:
        expected: ExpectedAnswers = {data: client.send(data) for data in requests}

    async def kill_replicas() -> None:
        for _ in range(times):
            await asyncio.sleep(KILL_EVERY_SECONDS / 2)
            await asyncio.to_thread(cluster.kill_replica)
            await asyncio.sleep(KILL_EVERY_SECONDS / 2)

    outcomes = asyncio.run(ask_during(kill_replicas(), cluster.port, expected, KILL_CLIENTS))
    print(*outcomes.unexpected, sep="\n")
    names = dict.fromkeys(("right", "wrong", "refused", "lost", "mended", "not mended", *sorted(outcomes.counts)))
    return [Figure(f"{times} killed: {name}", outcomes.counts[name], "") for name in names]


if __name__ == "__main__":
    run_alone("scale", measure, __doc__)
