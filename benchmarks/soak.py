"""`make soak`: a real server under many visitors for ten minutes, then a verdict.

Every answer must have the bytes that it has when nobody else asks; a full server may say 503 or 429 with Retry-After,
and nothing else may go wrong. Memory must stay flat while they are there, and no thread, file, socket or process may be
left when they are gone. Exit status 0: it was so.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

import keras
from keras import layers

from benchmarks.connection import Connection
from benchmarks.http_client import request
from benchmarks.serving import Holding, Server, held_by
from benchmarks.truth import Truth, find_truth
from benchmarks.visitors import Visitor, Visits

SECONDS, CLIENTS = 600.0, 64
WARM_UP_SHARE = 0.25  # of the time, and before it: caches fill, threads start
RETURN_SHARE = 0.2  # of the time, until as much is in use again as before they rested
SAMPLE_SECONDS = 2.0
QUIET_SECONDS = 25.0  # longer than idle connections and threads are kept
GROWTH = 0.02
REMEMBERED = 32  # megabytes of forward passes, instead of the usual 256: full after a minute of warming up


def main() -> None:
    """Run it, print what happened, and judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with Server(workers=options.workers, remembered_megabytes=REMEMBERED) as server:
        truth = find_truth(server.port)
        wrong = [answer for answer in truth.values() if answer.status >= 500]
        print(f"{len(truth)} requests have been answered alone.", flush=True)
        asyncio.run(visit(server, truth, options.clients, options.seconds * WARM_UP_SHARE))
        before = rest(server)
        visits, memory = asyncio.run(visit(server, truth, options.clients, options.seconds))
        after = rest(server)
        log = server.log
    faults = [*visits.faults, *(f"alone, {answer.status}: {answer.body[:200]!r}" for answer in wrong)]
    faults += judge(before, after, memory)
    if "Traceback" in log:
        faults.append(f"The server's log has a traceback:\n{log[log.index('Traceback') - 200 :][:3000]}")
    print(", ".join(f"{what}: {count:,}" for what, count in sorted(visits.counts.items())))
    print(f"before: {before}\nafter:  {after}\nmemory in MB: {[round(each / 1e6) for each in memory]}")
    print("\n".join(["FAILED", *faults]) if faults else "PASSED")
    raise SystemExit(bool(faults))


async def visit(server: Server, truth: Truth, clients: int, seconds: float) -> tuple[Visits, list[int]]:
    """What the visitors met with, and the memory of the server, in bytes, every few seconds."""
    visits, memory = Visits(time.monotonic() + seconds), list[int]()

    async def watch() -> None:
        await asyncio.sleep(seconds * RETURN_SHARE)
        while time.monotonic() < visits.until:
            memory.append((await asyncio.to_thread(held_by, server)).memory)
            await asyncio.sleep(SAMPLE_SECONDS)

    model_file = make_model_file()
    visitors = (Visitor(server.port, truth, model_file, visits, number) for number in range(clients))
    await asyncio.gather(watch(), *(visitor.stay() for visitor in visitors))
    return visits, memory


def rest(server: Server) -> Holding:
    """What the server holds when nobody has been there for a while but someone who looks in now and then."""
    until = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < until:
        asyncio.run(_look_in(server.port))
        time.sleep(1)
    return held_by(server)


async def _look_in(port: int) -> None:
    connection = Connection(port)
    await connection.send(request("GET", "/api/models"))  # by a thread: the others that are idle end
    connection.close()


def judge(before: Holding, after: Holding, memory: list[int]) -> list[str]:
    """What is not as it should be.

    Of memory the least in a fifth of the time counts. What malloc has free goes up and down by some percent around what
    is in use, by chance; what is never given back lifts the least as well.
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
    """A small model with weights of its own, as a visitor would bring it."""
    keras.utils.set_random_seed(random.randrange(10**6))
    convolution, pooling = layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(2)
    last = (layers.Flatten(), layers.Dense(10, activation="softmax"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "visitor.keras"
        keras.Sequential([keras.Input((28, 28, 1)), convolution, pooling, *last]).save(path)
        return path.read_bytes()


if __name__ == "__main__":
    main()
