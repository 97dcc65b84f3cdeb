"""Admission control: a bounded number of computations and of requests that wait for one."""

import asyncio
from http import HTTPStatus
from time import perf_counter

from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..settings import Settings
from . import metrics
from .refusals import Overloaded, Refused, refuse


class ClientDisconnected(Refused):
    """The client left while it waited, so that nobody will read an answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = "client gone"
    message = "The client disconnected."


class Admission:
    """Turns for computations, first come, first served.

    FastAPI's Depends(max_concurrency=...) bounds what runs at once, but neither the queue nor the time in it.
    """

    def __init__(self, settings: Settings) -> None:
        self.max_waiting = settings.waiting
        self.wait_seconds = settings.wait_seconds
        self.running = 0
        self.waiting = 0
        self._turns = asyncio.Semaphore(settings.computations)

    @property
    def is_full(self) -> bool:
        """Another request would be refused: no turn is free, and no place in the queue."""
        return self._turns.locked() and self.waiting >= self.max_waiting

    async def acquire(self, request: Request) -> None:
        """Wait for a turn and take it. Raises: Overloaded, ClientDisconnected."""
        if self._turns.locked():
            await self._wait(request)
        else:
            await self._turns.acquire()
        self.running += 1
        metrics.RUNNING.inc()

    def release(self) -> None:
        """Give a turn back."""
        self.running -= 1
        metrics.RUNNING.dec()
        self._turns.release()

    async def _wait(self, request: Request) -> None:
        if self.is_full:
            raise Overloaded("queue full")
        self.waiting += 1
        metrics.WAITING.inc()
        turn = asyncio.create_task(self._turns.acquire())
        disconnect = asyncio.create_task(_wait_for_disconnect(request))
        admitted = False
        try:
            await asyncio.wait({turn, disconnect}, timeout=self.wait_seconds, return_when=asyncio.FIRST_COMPLETED)
            if disconnect.done():
                raise ClientDisconnected
            if not turn.done():
                raise Overloaded("waited too long")
            admitted = True
        finally:
            self.waiting -= 1
            metrics.WAITING.dec()
            disconnect.cancel()
            if not admitted and not turn.cancel():  # the turn came at the last moment
                self._turns.release()


async def _wait_for_disconnect(request: Request) -> None:
    """Return once the client has left. The body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Turn:
    """One request's turn to compute. It begins in a route's dependency, and ends when the answer starts."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.start: float | None = None
        self.route = ""

    async def begin(self, request: Request) -> None:
        """Wait for the turn, unless it has begun. Raises: Overloaded, ClientDisconnected."""
        if self.start is not None:
            return
        await self.admission.acquire(request)
        self.start = perf_counter()
        self.route = metrics.route_of(request.scope)

    def end(self) -> None:
        """Give the turn back, if it has begun and not ended."""
        if self.start is not None:
            self.admission.release()
            metrics.COMPUTATION.labels(self.route).observe(perf_counter() - self.start)
            self.start = None


async def admit(request: Request) -> None:
    """Wait for a turn to compute. AdmissionControl ends it. Raises: Overloaded, ClientDisconnected."""
    turn: Turn = request.scope["turn"]
    await turn.begin(request)


ADMITTED = Depends(admit)


class AdmissionControl:
    """Middleware that ends each request's turn, and refuses a POST before its body is read while the queue is full.

    A dependency with yield could end the turn too, but FastAPI takes twice as long for one. This belongs inside
    TimeLimits, so that a computation whose answer is given up keeps its turn.
    """

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app = app
        self.admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["method"] == "POST" and self.admission.is_full:
            return await refuse(Overloaded("queue full"), scope, receive, send)
        turn = scope["turn"] = Turn(self.admission)

        async def send_without_turn(message: Message) -> None:
            turn.end()
            await send(message)

        try:
            await self.app(scope, receive, send_without_turn)
        finally:
            turn.end()
