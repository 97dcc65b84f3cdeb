"""Thirty pages on which fingers draw at once: `python -m benchmarks.classroom --pages 30 --seconds 20`.

A finger draws in a real Chromium first, and what the real page sends is recorded. Then so many pages send the same,
each as a page of its own: fifty-seven moves a second, one request at a time, and when the answer is there the newest
drawing, as static/exchange.js does. Every drawing is new to the server, byte for byte. The pages share one process, on
the server's cores.

Printed are the updates a second of the page that gets fewest and of the one that gets most, and the times from a move
of the finger to the answer that shows it, the wait for the answer before it included. The aims are five updates a
second for each page, and 250 ms for 95 of 100 moves.
"""

import argparse
import asyncio
import base64
import random
import re
import secrets
import statistics
import struct
import time
import zlib
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import quote_plus

import psutil

from benchmarks.devtools import Browser
from benchmarks.figures import Figure, describe_machine, print_table
from benchmarks.http_client import Answer, AsyncClient
from benchmarks.pen_to_picture import FINGER, HEIGHT, READY, WIDTH, draw_digits
from benchmarks.serving import Server

PAGES, SECONDS, SETTLE_SECONDS = 30, 20.0, 2.0
DIGITS = 4  # that are recorded
GLANCE_SECONDS = 0.066  # between two pictures of the network at a glance, as in static/exchange.js
LEAST_PAUSE = 1.0  # after a refusal, in seconds
RECORDER = """
window.sent = [];
const send = window.fetch;
window.fetch = (address, request = {}) => {
  if (request.body instanceof Uint8Array && new URL(address, location).pathname === "/live")
    window.sent.push([performance.now() / 1000, address, request.headers, btoa(String.fromCharCode(...request.body))]);
  return send(address, request);
};
"""
BROWSER_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9",
    "Connection": "keep-alive",
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
}
PNG_HEAD = 33  # bytes of a PNG's signature and its first chunk


@dataclass(frozen=True)
class Move:
    """What the page sends for one move of the finger, without what depends on earlier answers."""

    at: float  # seconds since the first one
    address: str
    headers: dict[str, str]
    png: bytes

    def to_request(self, page: str, kind: str, is_lean: bool) -> bytes:
        """Return the request of a page that shows an answer of this kind. Its picture has bytes of its own."""
        note = b"tEXtnote\0" + secrets.token_bytes(8).hex().encode()
        chunk = struct.pack(">I", len(note) - 4) + note + struct.pack(">I", zlib.crc32(note))
        body = self.png[:PNG_HEAD] + chunk + self.png[PNG_HEAD:]
        address = f"{self.address}&live={kind}{'&lean=true' * is_lean}"
        headers = BROWSER_HEADERS | self.headers | {"X-Layerglass-Page": page, "Content-Length": str(len(body))}
        lines = [f"POST {address} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {each}" for name, each in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Recording:
    """All moves of some digits, and the kind of answer that the page showed then."""

    moves: list[Move]
    kind: str


def record(port: int, digits: int = DIGITS) -> Recording:
    """Draw with a finger on the real page, and return what it sends."""
    with Browser(WIDTH, HEIGHT) as browser:
        browser.open(f"http://127.0.0.1:{port}/", RECORDER, until=READY)
        draw_digits(browser, digits, FINGER)
        sent = browser.evaluate("window.sent")
    kinds = [re.search("[?&]live=([^&]*)", address) for _, address, _, _ in sent]
    usual, _ = Counter(kind[1] for kind in kinds if kind).most_common(1)[0]
    moves = [
        Move(at - sent[0][0], re.sub("&(live|lean)=[^&]*", "", address), headers, base64.b64decode(body))
        for at, address, headers, body in sent
    ]
    return Recording(moves, usual)


@dataclass
class Page:
    """A page on which a finger draws without pause, from any of the recorded moves on."""

    port: int
    recording: Recording
    name: str = field(default_factory=lambda: "-".join(str(secrets.randbits(32)) for _ in range(4)))
    updates: int = 0
    from_request: list[float] = field(default_factory=list)  # to its answer, in seconds
    from_move: list[float] = field(default_factory=list)  # to the answer that shows it, in seconds
    others: Counter[str] = field(default_factory=Counter)  # refusals and errors
    whole: int = 0  # answers that were more than what a move changes

    async def draw(self, since: float, until: float) -> None:
        """Draw until then; what is answered from `since` on counts. Both are times of perf_counter."""
        moves, kind, glanced, shown = self.recording.moves, self.recording.kind, 0.0, -1
        times = [move.at for move in moves]
        length = times[-1] + 1 / FINGER
        begin = time.perf_counter() - random.random() * length
        connection = AsyncClient(self.port)
        while (now := time.perf_counter()) < until:
            rounds, place = divmod(now - begin, length)
            newest = int(rounds) * len(moves) + bisect_right(times, place) - 1
            if newest <= shown:
                following = shown + 1
                due = begin + following // len(moves) * length + times[following % len(moves)]
                await asyncio.sleep(max(0, due - now))
                continue
            is_lean = now - glanced < GLANCE_SECONDS
            glanced = glanced if is_lean else now
            request = moves[newest % len(moves)].to_request(self.name, kind, is_lean)
            try:
                answer = await connection.send(request)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.others[type(error).__name__] += 1
                continue
            answered = time.perf_counter()
            if answer.status != 200:
                self.others[str(answer.status)] += 1
                await asyncio.sleep(max(LEAST_PAUSE, float(answer.headers.get("retry-after", 0))))
                continue
            kind = self._kind_of(answer) or kind
            if answered >= since:
                self.updates += 1
                self.whole += answer.headers["content-type"] != "application/json"
                self.from_request.append(answered - now)
                drawn = range(max(shown + 1, newest - len(moves)), newest + 1)
                self.from_move += [answered - begin - i // len(moves) * length - times[i % len(moves)] for i in drawn]
            shown = newest
        connection.close()

    @staticmethod
    def _kind_of(answer: Answer) -> str | None:
        found = re.search(rb'data-answer="([^"]*)"', answer.body) if b"<" in answer.body[:100] else None
        return quote_plus(unescape(found[1].decode())) if found else None


async def draw_together(port: int, recording: Recording, pages: int, seconds: float) -> list[Page]:
    """Let so many pages draw at once, and return what each of them got."""
    drawing = [Page(port, recording) for _ in range(pages)]
    since = time.perf_counter() + SETTLE_SECONDS
    await asyncio.gather(*(page.draw(since, since + seconds) for page in drawing))
    return drawing


def figures_of(name: str, pages: list[Page], seconds: float) -> list[Figure]:
    rates = [page.updates / seconds for page in pages]
    others = sum((page.others for page in pages), Counter[str]())
    waits = [1000 * each for page in pages for each in page.from_move]
    trips = [1000 * each for page in pages for each in page.from_request]
    updates = sum(page.updates for page in pages)
    return [
        Figure(f"{name}: updates a second, all pages", updates / seconds, "/s"),
        Figure(f"{name}: of the page with fewest", min(rates), "/s"),
        Figure(f"{name}: of the page with most", max(rates), "/s"),
        *_quantiles(f"{name}: move to answer", waits),
        *_quantiles(f"{name}: request to answer", trips),
        Figure(f"{name}: whole answers", 100 * sum(page.whole for page in pages) / updates, "%"),
        Figure(f"{name}: refused or failed", others.total(), "", note=str(dict(others) or "")),
    ]


def _quantiles(name: str, times: list[float]) -> list[Figure]:
    cuts = statistics.quantiles(times, n=20, method="inclusive")
    return [Figure(f"{name}, p50", cuts[9], "ms"), Figure(f"{name}, p95", cuts[18], "ms")]


def processor_seconds(processes: list[psutil.Process]) -> float:
    """Return the processor time that these processes have taken so far."""
    times = [each.cpu_times() for each in processes if each.is_running()]
    return float(sum(each.user + each.system for each in times))


def measure(workers: int, recording: Recording, pages: int, seconds: float) -> list[Figure]:
    """Return the figures of so many pages at a server with so many workers."""
    with Server(workers=workers) as server:
        name = f"{workers} worker{'s' * (workers > 1)}, {pages} pages"
        asyncio.run(draw_together(server.port, recording, pages, SETTLE_SECONDS))
        processes = server.processes()
        before, own = processor_seconds(processes), time.process_time()
        drawn = asyncio.run(draw_together(server.port, recording, pages, seconds))
        spent, own = processor_seconds(processes) - before, time.process_time() - own
    sent = sum(page.updates for page in drawn) * (seconds + SETTLE_SECONDS) / seconds
    return [
        *figures_of(name, drawn, seconds),
        Figure(f"{name}: server's processor time an update", 1000 * spent / sent, "ms"),
        Figure(f"{name}: the pages' own", 1000 * own / sent, "ms"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classroom", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    print(describe_machine())
    with Server() as server:
        recording = record(server.port)
    print(f"{len(recording.moves)} moves in {recording.moves[-1].at:.0f} seconds.", flush=True)
    for workers in options.workers:
        print_table("classroom", measure(workers, recording, options.pages, options.seconds))


if __name__ == "__main__":
    main()
