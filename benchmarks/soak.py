"""`make soak`: a real server under many visitors for ten minutes, then a verdict.

Each answer must have the bytes that it has when nobody else asks. A full server may say 503 or 429 with Retry-After;
nothing else may go wrong. Memory must stay flat, and no thread, file, socket or process may be left over. Exits with 0
if all this holds, else with 1.

Memory is judged once it has come to rest. The caches are full after seconds, but what they drop and take in leaves gaps
in malloc's memory, which grow for minutes: with two workers, what malloc had given out stayed between 70 and 77 MB in
each from the first minute on, while what it held for that rose from 105 to 130 MB in four (docs/performance.md). So
visitors warm the server up in rounds until the least memory of one is hardly above that of the round before. If that
never happens, as with a leak of 80 kilobytes a second, it is a fault. A slower one shows in the time after.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

import keras
from keras import layers

from benchmarks.expected import ExpectedAnswers, record_answers
from benchmarks.http_client import AsyncClient, request
from benchmarks.serving import Resources, Server, resources_of
from benchmarks.visitors import Visitor, Visits

SECONDS, CLIENTS = 600.0, 64
WARM_UP_SECONDS, WARM_UP_ROUNDS = 60.0, 8  # a round, and how many at most: caches fill, threads start
AT_REST = 0.01  # growth of the least memory from one round of warming up to the next
RETURN_SHARE = 0.2  # of the time, until as much memory is in use again as before the pause
SAMPLE_SECONDS = 2.0
QUIET_SECONDS = 25.0  # longer than idle connections and threads are kept
GROWTH = 0.02
REMEMBERED = 64  # megabytes of networks and forward passes instead of the usual 512: full after a minute


def main() -> None:
    """Run the test and print what happened, with a verdict."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with Server(workers=options.workers, kept_megabytes=REMEMBERED) as server:
        expected = record_answers(server.port)
        wrong = [answer for answer in expected.values() if answer.status >= 500]
        print(f"{len(expected)} requests have been answered alone.", flush=True)
        warming_up = warm_up(server, expected, options.clients)
        before = rest(server)
        visits, memory = asyncio.run(visit(server, expected, options.clients, options.seconds))
        after = rest(server)
        log = server.log
    faults = [*visits.faults, *(f"alone, {answer.status}: {answer.body[:200]!r}" for answer in wrong)]
    faults += [*warming_up, *judge(before, after, memory)]
    if "Traceback" in log:
        faults.append(f"The server's log has a traceback:\n{log[log.index('Traceback') - 200 :][:3000]}")
    print(", ".join(f"{what}: {count:,}" for what, count in sorted(visits.counts.items())))
    print(f"before: {before}\nafter:  {after}\nmemory in MB: {[round(each / 1e6) for each in memory]}")
    print("\n".join(["FAILED", *faults]) if faults else "PASSED")
    raise SystemExit(bool(faults))


def warm_up(server: Server, expected: ExpectedAnswers, clients: int) -> list[str]:
    """Let visitors in until the server's memory has come to rest. Returns: what went wrong, or that it has not."""
    least, faults = list[int](), list[str]()
    while len(least) < WARM_UP_ROUNDS:
        visits, memory = asyncio.run(visit(server, expected, clients, WARM_UP_SECONDS))
        least.append(min(memory))
        faults += visits.faults
        print(f"{len(least)} x {WARM_UP_SECONDS:.0f} s of warming up: {least[-1] / 1e6:.0f} MB at least.", flush=True)
        if len(least) > 1 and least[-1] <= least[-2] * (1 + AT_REST):
            return faults
    return [*faults, f"Memory has not come to rest in {WARM_UP_ROUNDS * WARM_UP_SECONDS:.0f} seconds of warming up."]


async def visit(server: Server, expected: ExpectedAnswers, clients: int, seconds: float) -> tuple[Visits, list[int]]:
    """Let visitors in. Returns: what they met with, and the server's memory every few seconds, in bytes."""
    visits, memory = Visits(time.monotonic() + seconds), list[int]()

    async def watch() -> None:
        await asyncio.sleep(seconds * RETURN_SHARE)
        while time.monotonic() < visits.until:
            memory.append((await asyncio.to_thread(resources_of, server)).memory)
            await asyncio.sleep(SAMPLE_SECONDS)

    model_file = make_model_file()
    visitors = (Visitor(server.port, expected, model_file, visits, number) for number in range(clients))
    await asyncio.gather(watch(), *(visitor.stay() for visitor in visitors))
    return visits, memory


def rest(server: Server) -> Resources:
    """Return the server's resources after a while with hardly a request."""
    until = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < until:
        asyncio.run(_look_in(server.port))
        time.sleep(1)
    return resources_of(server)


async def _look_in(port: int) -> None:
    connection = AsyncClient(port)
    await connection.send(request("GET", "/api/models"))  # answered by a thread, so that the other idle threads end
    connection.close()


def judge(before: Resources, after: Resources, memory: list[int]) -> list[str]:
    """Return the faults.

    The least memory in a fifth of the time counts: malloc's free memory varies by some percent, but a leak lifts the
    least as well.
    """
    faults = []
    fifth = max(1, len(memory) // 5)
    early, late = min(memory[:fifth]), min(memory[-fifth:])
    if late > early * (1 + GROWTH):
        faults.append(f"Memory grew from {early / 1e6:.0f} to {late / 1e6:.0f} MB, by {late / early - 1:.1%}.")
    for what in ("threads", "handles", "processes"):
        was, now = getattr(before, what), getattr(after, what)
        if now > was:
            faults.append(f"There are {now} {what}, {was} before.")
    return faults


def make_model_file() -> bytes:
    """Return the file of a small model with random weights."""
    keras.utils.set_random_seed(random.randrange(10**6))
    convolution, pooling = layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(2)
    last = (layers.Flatten(), layers.Dense(10, activation="softmax"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "visitor.keras"
        keras.Sequential([keras.Input((28, 28, 1)), convolution, pooling, *last]).save(path)
        return path.read_bytes()


if __name__ == "__main__":
    main()
