"""Clients that know the right answers, and send a request that fails once more, after the page's first pause."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from itertools import cycle, islice

from benchmarks.expected import ExpectedAnswers, is_same
from benchmarks.http_client import Answer, AsyncClient

PAUSE_SECONDS = 1.0  # the least that the page waits before it says anything, FIRST_PAUSE_MS in static/exchange.js
_REFUSALS = {429, 503}  # of a server that is full, with Retry-After
_KEPT = 50  # of answers that were not right
_HEAD = 160  # bytes of such an answer


@dataclass(frozen=True)
class Unexpected:
    """A request that did not get the right answer."""

    seconds: float  # since the clients began
    kind: str  # lost, refused or wrong
    is_retry: bool
    what: str  # the status and the start of the body, or the name of the error
    expected: str

    def __str__(self) -> str:
        tried = "retry" if self.is_retry else "first try"
        return f"{self.seconds:6.1f} s  {self.kind}, {tried}: {self.what}\n{'':10}expected: {self.expected}"


@dataclass
class Outcomes:
    """What became of the requests.

    counts: right; lost, without an answer or with a proxy's error, and refused, by a full server; each once for the
    first try; how many of these two were mended when sent once more, and how many not; wrong, any other answer.
    """

    counts: Counter[str] = field(default_factory=Counter)
    unexpected: list[Unexpected] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def add(self, kind: str, is_retry: bool, what: str, expected: Answer) -> None:
        """Keep a request that did not get the right answer, with what came instead."""
        self.counts[f"{kind}: {what.partition(' ')[0]}"] += 1
        if len(self.unexpected) < _KEPT or kind == "wrong":
            seconds = time.monotonic() - self.since
            self.unexpected.append(Unexpected(seconds, kind, is_retry, what, describe(expected)))


def describe(answer: Answer) -> str:
    """Return an answer's status, its length and the start of its body."""
    kind = answer.headers.get("content-type", "")
    return f"{answer.status} {kind} {len(answer.body):,} bytes {answer.body[:_HEAD]!r}"


def judge(answer: Answer, expected: Answer) -> str:
    """Return right, refused, lost or wrong.

    A proxy's error is a lost request: HAProxy under Ray Serve says 500 where others say 502, 503 or 504. The app's own
    answers all carry X-Content-Type-Options, so that a 500 of the app is wrong, and so is any other status than a proxy
    gives for a server that is gone.
    """
    if is_same(answer, expected):
        return "right"
    if answer.status in _REFUSALS and "retry-after" in answer.headers:
        return "refused"
    is_of_proxy = "x-content-type-options" not in answer.headers
    return "lost" if is_of_proxy and answer.status >= 500 else "wrong"


async def ask_during(event: Awaitable[None], port: int, expected: ExpectedAnswers, clients: int) -> Outcomes:
    """Let clients ask, each without a break, until the event is over. What is lost or refused is sent once more."""
    outcomes, is_over = Outcomes(), asyncio.Event()

    async def send(client: AsyncClient, data: bytes, is_retry: bool = False) -> str:
        try:
            answer = await client.send(data)
        except (OSError, asyncio.IncompleteReadError) as error:
            outcomes.add("lost", is_retry, f"{type(error).__name__} {error}", expected[data])
            return "lost"
        kind = judge(answer, expected[data])
        if kind != "right":
            outcomes.add(kind, is_retry, describe(answer), expected[data])
        return kind

    async def ask(first: int) -> None:
        client = AsyncClient(port)
        for data in islice(cycle(expected), first, None):
            if is_over.is_set():
                break
            kind = await send(client, data)
            outcomes.counts[kind] += 1
            if kind in ("lost", "refused"):
                await asyncio.sleep(PAUSE_SECONDS)
                again = await send(client, data, is_retry=True)
                outcomes.counts["mended" if again == "right" else "not mended"] += 1
                outcomes.counts.update(["wrong"] * (again == "wrong"))
        client.close()

    async def watch() -> None:
        try:
            await event
        finally:
            is_over.set()

    await asyncio.gather(watch(), *(ask(number) for number in range(clients)))
    return outcomes
