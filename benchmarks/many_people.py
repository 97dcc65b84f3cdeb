"""Many clients that draw at once, as pages do: one request at a time, the next when the answer is there.

A server that is full says 503 with Retry-After: the client waits that long and sends its newest drawing. These are
counted apart, as refused. The clients are one process beside the server, on the same cores.
"""

import asyncio
import statistics
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle

from benchmarks.connection import Connection
from benchmarks.drawings import make_drawings
from benchmarks.figures import Figure, run_alone
from benchmarks.http_client import PAGE, Answer, Client, page_fields, post
from benchmarks.serving import Server, held_by

CLIENTS = (1, 4, 16, 64, 256)
WORKERS = (1, 2)
ROUNDS = 4  # in each, every number of clients has its turn, so that all meet with the same load of the machine
SECONDS, QUICK_SECONDS, WARM_UP_SECONDS = 2.5, 1.0, 1.0
DRAWINGS = 200


@dataclass
class Tally:
    """What a group of clients met with."""

    until: float = 0  # answers that come later are no part of the rate
    duration: float = 0  # in seconds, of all times that it was counted
    in_time: int = 0
    seconds: list[float] = field(default_factory=list)  # of each answer
    refused: int = 0  # 503 with Retry-After
    errors: Counter[str] = field(default_factory=Counter)

    def begin(self, seconds: float) -> None:
        """Count for so many seconds from now."""
        self.until = time.perf_counter() + seconds
        self.duration += seconds

    def count(self, answer: Answer, seconds: float) -> None:
        if answer.status == 200:
            self.seconds.append(seconds)
            self.in_time += time.perf_counter() <= self.until
        elif answer.status == 503 and "retry-after" in answer.headers:
            self.refused += 1
        else:
            self.errors[str(answer.status)] += 1


async def draw(port: int, requests: list[bytes], tally: Tally) -> None:
    """One person who draws for as long as the tally says."""
    connection = Connection(port)
    try:
        for data in cycle(requests):
            start = time.perf_counter()
            if start >= tally.until:
                return
            try:
                answer = await connection.send(data)
            except (OSError, asyncio.IncompleteReadError) as error:
                tally.errors[type(error).__name__] += 1
                continue
            tally.count(answer, time.perf_counter() - start)
            if answer.status == 503:
                rest = max(0, tally.until - time.perf_counter())
                await asyncio.sleep(min(float(answer.headers.get("retry-after", 1)), rest))
    finally:
        connection.close()


async def crowd(port: int, clients: int, seconds: float, requests: list[bytes], tally: Tally | None = None) -> None:
    """So many people at once, each beginning at another drawing."""
    tally = tally or Tally()
    tally.begin(seconds)
    starts = [index * len(requests) // clients for index in range(clients)]
    await asyncio.gather(*(draw(port, requests[start:] + requests[:start], tally) for start in starts))


def measure(quick: bool = False) -> list[Figure]:
    """For one worker and two, and each number of clients: answers a second, waiting, refusals, errors, memory."""
    drawings = make_drawings(DRAWINGS)
    rounds, seconds = (1, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    tallies = {(workers, clients): Tally() for workers in WORKERS for clients in CLIENTS}
    with ExitStack() as stack:
        servers = {workers: stack.enter_context(Server(workers=workers)) for workers in WORKERS}
        with Client(servers[1].port) as client:
            fields = page_fields(client, drawings[0])
        requests = [post(PAGE, drawing, fields) for drawing in drawings]
        for workers, server in servers.items():
            asyncio.run(crowd(server.port, 4 * workers, WARM_UP_SECONDS, requests))
        for _ in range(rounds):
            for (workers, clients), tally in tallies.items():
                asyncio.run(crowd(servers[workers].port, clients, seconds, requests, tally))
        figures = [figure for key, tally in tallies.items() for figure in _figures(_name(*key), tally)]
        memory = {workers: held_by(server).memory / 1e6 for workers, server in servers.items()}
    return [*figures, *(Figure(f"{_workers(workers)}: memory", size, "MB") for workers, size in memory.items())]


def _workers(count: int) -> str:
    return f"{count} worker{'s' * (count > 1)}"


def _name(workers: int, clients: int) -> str:
    return f"{_workers(workers)}, {clients}"


def _figures(name: str, tally: Tally) -> list[Figure]:
    figures = [Figure(f"{name}: answers a second", tally.in_time / tally.duration, "/s")]
    if len(tally.seconds) > 1:
        cuts = statistics.quantiles(tally.seconds, n=100, method="inclusive")
        figures += [Figure(f"{name}: p50", cuts[49] * 1000, "ms"), Figure(f"{name}: p99", cuts[98] * 1000, "ms")]
    figures.append(Figure(f"{name}: refused", tally.refused, ""))
    figures.append(Figure(f"{name}: errors", tally.errors.total(), "", note=str(dict(tally.errors) or "")))
    return figures


if __name__ == "__main__":
    run_alone("many_people", measure, __doc__)
