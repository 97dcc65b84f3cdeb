"""Many clients that draw at once, as pages do: one request at a time, the next when the answer is there.

A server that is full says 503 with Retry-After: the client waits that long and sends its newest drawing. These are
counted apart, as refused. The clients are one process beside the server, on the same cores.
"""

import asyncio
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle

from benchmarks.connection import Connection
from benchmarks.drawings import make_drawings
from benchmarks.figures import Figure, run_alone
from benchmarks.http_client import PAGE, Answer, Client, page_fields, post
from benchmarks.serving import Server, held_by

CLIENTS = (1, 4, 16, 64, 256)
WORKERS = (1, 2)
SECONDS, QUICK_SECONDS, WARM_UP_SECONDS = 8.0, 1.0, 1.0
DRAWINGS = 200


@dataclass
class Tally:
    """What a group of clients met with."""

    until: float  # answers that come later are no part of the rate
    in_time: int = 0
    seconds: list[float] = field(default_factory=list)  # of each answer
    refused: int = 0  # 503 with Retry-After
    errors: Counter[str] = field(default_factory=Counter)

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


async def crowd(port: int, clients: int, seconds: float, requests: list[bytes]) -> Tally:
    """So many people at once, each beginning at another drawing."""
    tally = Tally(time.perf_counter() + seconds)
    starts = [index * len(requests) // clients for index in range(clients)]
    await asyncio.gather(*(draw(port, requests[start:] + requests[:start], tally) for start in starts))
    return tally


def measure(quick: bool = False) -> list[Figure]:
    """For one worker and two, and each number of clients: answers a second, waiting, refusals, errors, memory."""
    drawings = make_drawings(DRAWINGS)
    seconds = QUICK_SECONDS if quick else SECONDS
    figures = []
    for workers in WORKERS:
        with Server(workers=workers) as server:
            with Client(server.port) as client:
                fields = page_fields(client, drawings[0])
            requests = [post(PAGE, drawing, fields) for drawing in drawings]
            asyncio.run(crowd(server.port, 4 * workers, WARM_UP_SECONDS, requests))
            for clients in CLIENTS:
                tally = asyncio.run(crowd(server.port, clients, seconds, requests))
                figures += _figures(f"{workers} worker{'s' * (workers > 1)}, {clients}", tally, seconds)
            figures.append(Figure(f"{workers} worker{'s' * (workers > 1)}: memory", held_by(server).memory / 1e6, "MB"))
    return figures


def _figures(name: str, tally: Tally, seconds: float) -> list[Figure]:
    figures = [Figure(f"{name}: answers a second", tally.in_time / seconds, "/s")]
    if len(tally.seconds) > 1:
        cuts = statistics.quantiles(tally.seconds, n=100, method="inclusive")
        figures += [Figure(f"{name}: p50", cuts[49] * 1000, "ms"), Figure(f"{name}: p99", cuts[98] * 1000, "ms")]
    figures.append(Figure(f"{name}: refused", tally.refused, ""))
    figures.append(Figure(f"{name}: errors", tally.errors.total(), "", note=str(dict(tally.errors) or "")))
    return figures


if __name__ == "__main__":
    run_alone("many_people", measure, __doc__)
