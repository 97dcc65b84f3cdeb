"""Clients that know the right answers, and send a request that fails once more, after the page's first pause."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from itertools import cycle, islice

from benchmarks.expected import ExpectedAnswers, is_same
from benchmarks.http_client import AsyncClient

PAUSE_SECONDS = 1.0  # the least that the page waits, FIRST_PAUSE_MS in static/exchange.js
LOST = {502, 503, 504}  # a proxy's words for a replica that is gone; 503 is also a full one's


async def ask_during(event: Awaitable[None], port: int, expected: ExpectedAnswers, clients: int) -> Counter[str]:
    """Let clients ask, each without a break, until the event is over.

    Returns: how many answers were right; how many wrong, and how many of these had each status; how many requests were
    lost, without an answer or with 502 to 504, and how many of these got the right answer when sent once more, or not.
    """
    counts, is_over = Counter[str](), asyncio.Event()

    async def send(client: AsyncClient, data: bytes) -> str:
        """Send a request. Returns: lost, right or wrong; the last two are counted."""
        try:
            answer = await client.send(data)
        except (OSError, asyncio.IncompleteReadError):
            return "lost"
        if answer.status in LOST:
            return "lost"
        if is_same(answer, expected[data]):
            counts["right"] += 1
            return "right"
        counts.update(["wrong", f"wrong: {answer.status}"])
        return "wrong"

    async def ask(first: int) -> None:
        client = AsyncClient(port)
        for data in islice(cycle(expected), first, None):
            if is_over.is_set():
                break
            if await send(client, data) == "lost":
                counts["lost"] += 1
                await asyncio.sleep(PAUSE_SECONDS)
                counts["mended" if await send(client, data) == "right" else "not mended"] += 1
        client.close()

    async def watch() -> None:
        try:
            await event
        finally:
            is_over.set()

    await asyncio.gather(watch(), *(ask(number) for number in range(clients)))
    return counts
