"""The soak test's visitors: they draw, switch models and pooling modes, send nonsense, leave early and open models."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.drawings import make_drawings, make_unique
from benchmarks.expected import ExpectedAnswers, is_same
from benchmarks.http_client import Answer, AsyncClient, post, request

LEAVES, RAW, UPLOADS = 0.04, 0.02, 0.003  # shares of a visitor's actions
UNIQUE = 0.7  # share of the drawings that are new to the server, byte for byte
NOT_HTTP = (
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET\r\n\r\n",
    b"POST / HTTP/9.9\r\n\r\n",
    bytes(5000),
    b"\xff" * 300 + b"\r\n\r\n",
)
MAX_PAUSE = 5.0  # seconds that Retry-After is obeyed


@dataclass
class Visits:
    """Counts and faults of all visitors so far."""

    until: float
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add_fault(self, what: str) -> None:
        """Count a fault, and keep the first ones for the verdict."""
        self.counts["FAULTS"] += 1
        if len(self.faults) < 20:
            self.faults.append(what)


class Visitor:
    """One person with one connection, who compares each answer with the expected one."""

    def __init__(self, port: int, expected: ExpectedAnswers, model_file: bytes, visits: Visits, number: int) -> None:
        self._port = port
        self._expected, self._requests = expected, list(expected)
        self._model_file = model_file
        self._visits = visits
        self._number = number
        self._random = random.Random(number)
        self._connection = AsyncClient(port)

    async def stay(self) -> None:
        """Act at random until the end of the visits."""
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
                self._visits.add_fault(f"the connection broke: {type(error).__name__}: {error}")
        self._connection.close()

    async def _ask(self) -> None:
        data = self._random.choice(self._requests)
        is_new = self._random.random() < UNIQUE
        answer = await self._send(make_unique(data) if is_new else data)
        if answer and not is_same(answer, self._expected[data]):
            expected = self._expected[data]
            self._visits.add_fault(
                f"{data.split(b' HTTP')[0].decode()} answered {answer.status} with {len(answer.body)} bytes, alone "
                f"{expected.status} with {len(expected.body)}: {answer.body[:200]!r}"
            )

    async def _send(self, data: bytes) -> Answer | None:
        """Return the answer, or None if the server was full, after the pause that it asked for."""
        answer = await self._connection.send(data)
        self._visits.counts[str(answer.status)] += 1
        if answer.status in {429, 503} and "retry-after" in answer.headers:
            await asyncio.sleep(min(float(answer.headers["retry-after"]), MAX_PAUSE))
            return None
        return answer

    async def _send_anew(self, data: bytes) -> Answer | None:
        """Send over a new connection, which any worker may accept."""
        self._connection.close()
        return await self._send(data)

    async def _leave(self) -> None:
        """Leave in the middle of a request, or before its answer has come."""
        data = self._random.choice(self._requests)
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(data[: self._random.choice([len(data) // 2, len(data)])])
        await asyncio.sleep(self._random.random() * 0.05)
        writer.transport.abort()
        self._visits.counts["left early"] += 1

    async def _send_raw(self) -> None:
        """Send bytes that are not HTTP: the server must refuse or hang up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(self._random.choice(NOT_HTTP))
        writer.write_eof()
        try:
            async with asyncio.timeout(30):
                start = await reader.read(12)
            if start and start[9:10] != b"4":
                self._visits.add_fault(f"not HTTP was answered with {start!r}")
        except ConnectionResetError:
            pass
        finally:
            writer.close()
        self._visits.counts["not HTTP"] += 1

    async def _bring_a_model(self) -> None:
        """Open a model, draw on it, and forget it. Any worker may do each of these, and must know of those before."""
        name = f"visitor-{self._number}-{self._random.randrange(10**6)}"
        data = post("/api/models", self._model_file, file_field="model", filename=f"{name}.keras")
        made = await self._send_anew(data)
        if made is None:
            return
        if made.status != 201:
            self._visits.add_fault(f"a model was answered with {made.status}: {made.body[:200]!r}")
            return
        where = made.headers["location"]
        answer = await self._send_anew(post(f"{where}/prediction", make_drawings(1)[0]))
        if answer and answer.status != 200:
            self._visits.add_fault(f"a drawing on {where} was answered with {answer.status}: {answer.body[:200]!r}")
        while (gone := await self._send_anew(request("DELETE", where))) is None:
            pass
        if gone.status != 204:
            self._visits.add_fault(f"forgetting {where} was answered with {gone.status}: {gone.body[:200]!r}")
        late = await self._send_anew(request("GET", where))
        if late and late.status != 404:
            self._visits.add_fault(f"{where}, forgotten, was answered with {late.status}: {late.body[:200]!r}")
        self._visits.counts["models opened and forgotten"] += 1
