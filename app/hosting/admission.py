"""Admission control: a bounded number of computations and of requests that wait for one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from time import perf_counter
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.hosting import metrics
from app.hosting.refusals import Overloaded, Refused, refuse
from app.settings import Settings


class ClientDisconnected(Refused):
    """The client left while it waited, so that nobody will read an answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = "client gone"

    def __init__(self) -> None:
        super().__init__("The client disconnected.")


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
        """Whether another request would be refused: no turn is free, and no place in the queue."""
        return self._turns.locked() and self.waiting >= self.max_waiting

    @asynccontextmanager
    async def turn(self, request: Request) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises: Overloaded, ClientDisconnected."""
        if self._turns.locked():
            await self._wait(request)
        else:
            await self._turns.acquire()
        self.running += 1
        metrics.RUNNING.inc()
        try:
            yield
        finally:
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


async def admit(request: Request) -> AsyncIterator[None]:
    """Hold a turn while the route's function runs, but not while its answer is sent."""
    admission: Admission = request.app.state.admission
    async with admission.turn(request):
        start = perf_counter()
        try:
            yield
        finally:
            metrics.COMPUTATION.labels(metrics.route_of(request.scope)).observe(perf_counter() - start)


ADMITTED = Depends(admit, scope="function")
AdmittedDep = Annotated[None, ADMITTED]


class RefuseWhenFull:
    """Middleware that refuses a POST before its body is read while the queue is full."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app = app
        self.admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and self.admission.is_full:
            await refuse(Overloaded("queue full"), scope, receive, send)
        else:
            await self.app(scope, receive, send)
