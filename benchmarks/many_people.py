"""Many clients drawing at once, like pages: one request at a time, the next when the answer is there.

A busy server answers 503 with Retry-After: the client pauses that long, longer after each further refusal, and sends
its newest drawing. Such answers are counted as refused. The clients share one process, on the server's cores.
"""

import asyncio
import random
import statistics
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle

from benchmarks.drawings import make_drawings, make_unique
from benchmarks.figures import Figure, run_alone
from benchmarks.http_client import PAGE, Answer, AsyncClient, Client, page_fields, post
from benchmarks.serving import Server, resources_of

CLIENTS = (1, 4, 16, 64, 256)
WORKERS = (1, 2)
LONGEST_PAUSE = 8  # seconds
ROUNDS = 2  # in each, every number of clients has its turn, so that a slow minute slows all
SECONDS, QUICK_SECONDS, SETTLE_SECONDS = 8.0, 1.0, 1.0
DRAWINGS = 200


@dataclass
class Tally:
    """The answers to a group of clients."""

    since: float = 0
    until: float = 0
    duration: float = 0  # seconds of counting
    seconds: list[float] = field(default_factory=list)  # of each answer
    refused: int = 0  # 503 with Retry-After
    errors: Counter[str] = field(default_factory=Counter)

    def begin(self, seconds: float) -> None:
        """Count for this many seconds, once all clients have come and the first refusals are over."""
        self.since = time.perf_counter() + SETTLE_SECONDS
        self.until = self.since + seconds
        self.duration += seconds

    def count(self, answer: Answer, seconds: float) -> None:
        counts = self.since <= time.perf_counter() <= self.until
        if answer.status == 200:
            self.seconds += [seconds] * counts
        elif answer.status == 503 and "retry-after" in answer.headers:
            self.refused += counts
        else:
            self.errors[str(answer.status)] += 1


async def draw(port: int, requests: list[bytes], tally: Tally) -> None:
    """Draw as one client until the tally ends."""
    connection, failures = AsyncClient(port), 0
    try:
        for data in cycle(requests):
            start = time.perf_counter()
            if start >= tally.until:
                return
            try:
                answer = await connection.send(make_unique(data))
            except (OSError, asyncio.IncompleteReadError) as error:
                tally.errors[type(error).__name__] += 1
                continue
            tally.count(answer, time.perf_counter() - start)
            failures = failures + 1 if answer.status == 503 else 0
            if failures:
                await asyncio.sleep(min(pause(answer, failures), max(0, tally.until - time.perf_counter())))
    finally:
        connection.close()


def pause(answer: Answer, failures: int) -> float:
    """Return the page's pause after a number of refusals in a row, in seconds, as in static/exchange.js."""
    least = float(answer.headers.get("retry-after", 0))
    return max(least, float(min(2 ** (failures - 1), LONGEST_PAUSE))) * (1 + random.random() / 2)


async def crowd(port: int, clients: int, seconds: float, requests: list[bytes], tally: Tally | None = None) -> None:
    """Let a number of clients draw at once, each beginning at another drawing."""
    tally = tally or Tally()
    tally.begin(seconds)
    starts = [index * len(requests) // clients for index in range(clients)]
    await asyncio.gather(*(draw(port, requests[start:] + requests[:start], tally) for start in starts))


def measure(quick: bool = False) -> list[Figure]:
    """Return answers a second, latencies, refusals, errors and memory for each number of workers and clients."""
    drawings = make_drawings(DRAWINGS)
    rounds, seconds = (1, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    tallies = {(workers, clients): Tally() for workers in WORKERS for clients in CLIENTS}
    with ExitStack() as stack:
        servers = {workers: stack.enter_context(Server(workers=workers)) for workers in WORKERS}
        with Client(servers[1].port) as client:
            fields = page_fields(client, drawings[0])
        requests = [post(PAGE, drawing, fields) for drawing in drawings]
        for workers, server in servers.items():
            asyncio.run(crowd(server.port, 4 * workers, seconds, requests))
        for _ in range(rounds):
            for (workers, clients), tally in tallies.items():
                asyncio.run(crowd(servers[workers].port, clients, seconds, requests, tally))
        figures = [figure for key, tally in tallies.items() for figure in _figures(_name(*key), tally)]
        memory = {workers: resources_of(server).memory / 1e6 for workers, server in servers.items()}
    return [*figures, *(Figure(f"{_workers(workers)}: memory", size, "MB") for workers, size in memory.items())]


def _workers(count: int) -> str:
    return f"{count} worker{'s' * (count > 1)}"


def _name(workers: int, clients: int) -> str:
    return f"{_workers(workers)}, {clients}"


def _figures(name: str, tally: Tally) -> list[Figure]:
    figures = [Figure(f"{name}: answers a second", len(tally.seconds) / tally.duration, "/s")]
    if len(tally.seconds) > 1:
        cuts = statistics.quantiles(tally.seconds, n=100, method="inclusive")
        figures += [Figure(f"{name}: p50", cuts[49] * 1000, "ms"), Figure(f"{name}: p99", cuts[98] * 1000, "ms")]
    figures.append(Figure(f"{name}: refused", tally.refused, ""))
    figures.append(Figure(f"{name}: errors", tally.errors.total(), "", note=str(dict(tally.errors) or "")))
    return figures


if __name__ == "__main__":
    run_alone("many_people", measure, __doc__)
