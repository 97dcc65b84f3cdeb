"""Admission control: a bounded number of computations and of requests that wait for one, in fair turns.

There are lanes. Those who wait for a computation in this process never wait for one in another process, which may take
many seconds, nor for one of the long computations.
"""

import asyncio
import re
from collections import Counter
from enum import Enum
from http import HTTPStatus
from time import perf_counter
from typing import Any, NamedTuple

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..settings import Settings
from . import metrics
from .refusals import Overloaded, Refused, refuse

PAGE_HEADER = "X-Layerglass-Page"  # a number of its own that each page sends
_PAGE = re.compile(r"[A-Za-z0-9-]{8,64}")


class ClientDisconnected(Refused):
    """The client left while it waited, so that nobody will read an answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = "client gone"
    message = "The client disconnected."


class Lane(Enum):
    """Where a request's computation runs."""

    HERE = "here"
    APART = "apart"  # in a process of its own
    LONG = "long"  # in slices, beside the drawings: see long_computations.py


class Visitor(NamedTuple):
    """Whoever takes turns: a page at an address, or a script, which sends no page."""

    address: str
    page: str = ""


def visitor_of(scope: Scope) -> Visitor:
    """Return the visitor that sent a request."""
    page = Headers(scope=scope).get(PAGE_HEADER, "")
    return Visitor(scope["client"][0] if scope.get("client") else "", page if _PAGE.fullmatch(page) else "")


class _Waiter(NamedTuple):
    visitor: Visitor
    number: int  # in the order in which they came
    admitted: asyncio.Future[bool]  # False: sent away for the sake of others


class Turns:
    """Turns of one lane.

    The next turn is for the address that has the fewest running, then for its page that has; among equals, for who came
    first. Where the queue is full, the address with the most waiting makes room for another one.
    """

    def __init__(self, turns: int, share: int, max_waiting: int) -> None:
        """share: of the turns, for one visitor at most. max_waiting: places in the queue."""
        self.turns = turns
        self.share = share
        self.max_waiting = max_waiting
        self._addresses: Counter[str] = Counter()  # of those that run
        self._visitors: Counter[Visitor] = Counter()
        self._waiters: list[_Waiter] = []
        self._count = 0

    @property
    def running(self) -> int:
        return self._visitors.total()

    @property
    def waiting(self) -> int:
        return len(self._waiters)

    def refuses(self, visitor: Visitor) -> bool:
        """Return whether a request of this visitor would be refused: it can neither run nor wait."""
        return not self._may_run(visitor) and self.waiting >= self.max_waiting and self._crowd(visitor) is None

    def try_acquire(self, visitor: Visitor) -> bool:
        """Take a turn, if there is one for this visitor."""
        if not self._may_run(visitor):
            return False
        self._take(visitor)
        return True

    def enqueue(self, visitor: Visitor) -> _Waiter:
        """Take a place in the queue. Raises: Overloaded."""
        if self.waiting >= self.max_waiting:
            crowd = self._crowd(visitor)
            if crowd is None:
                raise Overloaded("queue full")
            self._waiters.remove(crowd)
            crowd.admitted.set_result(False)
        self._count += 1
        waiter = _Waiter(visitor, self._count, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        return waiter

    def leave(self, waiter: _Waiter) -> None:
        """Leave the queue, or give the turn back that came at the last moment."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif waiter.admitted.done() and not waiter.admitted.cancelled() and waiter.admitted.result():
            self.release(waiter.visitor)

    def release(self, visitor: Visitor) -> None:
        """Give a turn back."""
        self._addresses -= Counter([visitor.address])  # which drops what falls to zero
        self._visitors -= Counter([visitor])
        while (waiter := self._next()) is not None:
            self._waiters.remove(waiter)
            self._take(waiter.visitor)
            waiter.admitted.set_result(True)

    def _take(self, visitor: Visitor) -> None:
        self._addresses[visitor.address] += 1
        self._visitors[visitor] += 1

    def _may_run(self, visitor: Visitor) -> bool:
        return self.running < self.turns and self._visitors[visitor] < self.share

    def _next(self) -> _Waiter | None:
        able = [waiter for waiter in self._waiters if self._may_run(waiter.visitor)]
        return min(able, key=self._rank, default=None)

    def _rank(self, waiter: _Waiter) -> tuple[int, int, int]:
        visitor = waiter.visitor
        return self._addresses[visitor.address], self._visitors[visitor], waiter.number

    def _crowd(self, visitor: Visitor) -> _Waiter | None:
        """Return the newest waiter of the address that has most, and more than this visitor's would have then."""
        waiting = Counter(waiter.visitor.address for waiter in self._waiters)
        address, count = max(waiting.items(), key=lambda each: each[1], default=("", 0))
        if count <= waiting[visitor.address] + 1:
            return None
        return max((each for each in self._waiters if each.visitor.address == address), key=lambda each: each.number)


class Admission:
    """The turns of all lanes.

    FastAPI's Depends(max_concurrency=...) bounds what runs at once, but neither the queue nor the time in it.
    """

    def __init__(self, settings: Settings) -> None:
        self.wait_seconds = settings.wait_seconds
        here, waiting = settings.computations, settings.waiting
        # What runs apart may run for long: one turn more than a visitor may have is there for the next one.
        long = settings.long_computations
        self.lanes = {
            Lane.HERE: Turns(here, here, waiting),
            Lane.APART: Turns(here + 1, here, waiting),
            Lane.LONG: Turns(long, max(1, long // 2), waiting),
        }

    @property
    def running(self) -> int:
        return sum(turns.running for turns in self.lanes.values())

    @property
    def waiting(self) -> int:
        return sum(turns.waiting for turns in self.lanes.values())

    def refuses(self, visitor: Visitor) -> bool:
        """Return whether a request of this visitor with a drawing would be refused, whatever its lane."""
        return all(self.lanes[lane].refuses(visitor) for lane in (Lane.HERE, Lane.APART))

    async def acquire(self, lane: Lane, visitor: Visitor, request: Request) -> None:
        """Wait for a turn and take it. Raises: Overloaded, ClientDisconnected."""
        if not self.lanes[lane].try_acquire(visitor):
            await self._wait(self.lanes[lane], visitor, request)
        metrics.RUNNING.inc()

    def release(self, lane: Lane, visitor: Visitor) -> None:
        """Give a turn back."""
        metrics.RUNNING.dec()
        self.lanes[lane].release(visitor)

    async def _wait(self, turns: Turns, visitor: Visitor, request: Request) -> None:
        waiter = turns.enqueue(visitor)
        metrics.WAITING.inc()
        disconnect = asyncio.create_task(_wait_for_disconnect(request))
        admitted = False
        try:
            turn: asyncio.Future[bool] = waiter.admitted
            either: set[asyncio.Future[Any]] = {turn, disconnect}
            await asyncio.wait(either, timeout=self.wait_seconds, return_when=asyncio.FIRST_COMPLETED)
            if disconnect.done():
                raise ClientDisconnected
            if not turn.done():
                raise Overloaded("waited too long")
            if not turn.result():
                raise Overloaded("queue full")
            admitted = True
        finally:
            metrics.WAITING.dec()
            disconnect.cancel()
            if not admitted:
                turns.leave(waiter)


async def _wait_for_disconnect(request: Request) -> None:
    """Return once the client has left. The body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Turn:
    """One request's turn to compute. It begins in a route's dependency, and ends when the answer starts."""

    def __init__(self, admission: Admission, visitor: Visitor) -> None:
        self.admission = admission
        self.visitor = visitor
        self.lane = Lane.HERE
        self.start: float | None = None
        self.route = ""

    async def begin(self, request: Request, lane: Lane) -> None:
        """Wait for the turn, unless it has begun. Raises: Overloaded, ClientDisconnected."""
        if self.start is not None:
            return
        await self.admission.acquire(lane, self.visitor, request)
        self.start = perf_counter()
        self.lane = lane
        self.route = metrics.route_of(request.scope)

    def end(self) -> None:
        """Give the turn back, if it has begun and not ended."""
        if self.start is not None:
            self.admission.release(self.lane, self.visitor)
            metrics.COMPUTATION.labels(self.route).observe(perf_counter() - self.start)
            self.start = None


async def admit(request: Request, is_apart: bool = False) -> None:
    """Wait for a turn to compute. AdmissionControl ends it. Raises: Overloaded, ClientDisconnected."""
    turn: Turn = request.scope["turn"]
    await turn.begin(request, Lane.APART if is_apart else Lane.HERE)


async def _admit_here(request: Request) -> None:
    await admit(request)


ADMITTED = Depends(_admit_here)


class AdmissionControl:
    """Middleware that ends each request's turn, and refuses a POST before its body is read while the queues are full.

    A dependency with yield could end the turn too, but FastAPI takes twice as long for one. This belongs inside
    TimeLimits, so that a computation whose answer is given up keeps its turn.
    """

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app = app
        self.admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        visitor = visitor_of(scope)
        if scope["method"] == "POST" and self.admission.refuses(visitor):
            return await refuse(Overloaded("queue full"), scope, receive, send)
        turn = scope["turn"] = Turn(self.admission, visitor)

        async def send_without_turn(message: Message) -> None:
            turn.end()
            await send(message)

        try:
            await self.app(scope, receive, send_without_turn)
        finally:
            turn.end()
