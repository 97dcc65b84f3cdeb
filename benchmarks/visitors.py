"""Visitors of a soak test: they draw, switch models and poolings, send nonsense, leave early, open models of theirs."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.connection import Connection
from benchmarks.drawings import disguise, make_drawings
from benchmarks.http_client import Answer, post
from benchmarks.truth import Truth, is_as_before

LEAVES, RAW, UPLOADS = 0.04, 0.02, 0.003  # how often, of all that a visitor does
DISGUISED = 0.7  # how often the server cannot know that it has seen a drawing before
NOT_HTTP = (
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET\r\n\r\n",
    b"POST / HTTP/9.9\r\n\r\n",
    bytes(5000),
    b"\xff" * 300 + b"\r\n\r\n",
)
MAX_REST = 5.0  # seconds that Retry-After is believed


@dataclass
class Visits:
    """What has happened so far, in all."""

    until: float
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def blame(self, what: str) -> None:
        """Count what must not happen, and keep the first of it for the verdict."""
        self.counts["FAULTS"] += 1
        if len(self.faults) < 20:
            self.faults.append(what)


class Visitor:
    """One person with one connection. Whatever it asks, the answer must be the one that was found alone."""

    def __init__(self, port: int, truth: Truth, model_file: bytes, visits: Visits, number: int) -> None:
        self._port = port
        self._truth, self._requests = truth, list(truth)
        self._model_file = model_file
        self._visits = visits
        self._number = number
        self._random = random.Random(number)
        self._connection = Connection(port)

    async def stay(self) -> None:
        """Until the end of the visits."""
        while time.monotonic() < self._visits.until:
            dice = self._random.random()
            try:
                if dice < UPLOADS:
                    await self._bring_a_model()
                elif dice < UPLOADS + RAW:
                    await self._send_raw()
                elif dice < UPLOADS + RAW + LEAVES:
                    await self._leave()
                else:
                    await self._ask()
            except (OSError, asyncio.IncompleteReadError) as error:
                self._visits.blame(f"the connection broke: {type(error).__name__}: {error}")
        self._connection.close()

    async def _ask(self) -> None:
        data = self._random.choice(self._requests)
        is_new = self._random.random() < DISGUISED
        answer = await self._send(disguise(data) if is_new else data)
        if answer and not is_as_before(answer, self._truth[data]):
            expected = self._truth[data]
            self._visits.blame(
                f"{data.split(b' HTTP')[0].decode()} answered {answer.status} with {len(answer.body)} bytes, alone "
                f"{expected.status} with {len(expected.body)}: {answer.body[:200]!r}"
            )

    async def _send(self, data: bytes) -> Answer | None:
        """The answer; None where the server was full, after the rest that it asked for."""
        answer = await self._connection.send(data)
        self._visits.counts[str(answer.status)] += 1
        if answer.status in {429, 503} and "retry-after" in answer.headers:
            await asyncio.sleep(min(float(answer.headers["retry-after"]), MAX_REST))
            return None
        return answer

    async def _leave(self) -> None:
        """Leave in the middle of a request, or before its answer has come."""
        data = self._random.choice(self._requests)
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(data[: self._random.choice([len(data) // 2, len(data)])])
        await asyncio.sleep(self._random.random() * 0.05)
        writer.transport.abort()
        self._visits.counts["left early"] += 1

    async def _send_raw(self) -> None:
        """What is no HTTP: refused or hung up on."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(self._random.choice(NOT_HTTP))
        writer.write_eof()
        try:
            async with asyncio.timeout(30):
                start = await reader.read(12)
            if start and start[9:10] != b"4":
                self._visits.blame(f"no HTTP was answered with {start!r}")
        except ConnectionResetError:
            pass
        finally:
            writer.close()
        self._visits.counts["no HTTP"] += 1

    async def _bring_a_model(self) -> None:
        """Open a model, draw on it, forget it."""
        name = f"visitor-{self._number}-{self._random.randrange(10**6)}"
        data = post("/api/models", self._model_file, file_field="model", filename=f"{name}.keras")
        made = await self._send(data)
        if made is None:
            return
        if made.status != 201:
            self._visits.blame(f"a model was answered with {made.status}: {made.body[:200]!r}")
            return
        where = made.headers["location"]
        answer = await self._send(post(f"{where}/prediction", make_drawings(1)[0]))
        if answer and answer.status != 200:
            self._visits.blame(f"a drawing on {where} was answered with {answer.status}: {answer.body[:200]!r}")
        while (gone := await self._send(f"DELETE {where} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())) is None:
            pass
        if gone.status != 204:
            self._visits.blame(f"forgetting {where} was answered with {gone.status}: {gone.body[:200]!r}")
        self._visits.counts["models opened and forgotten"] += 1
