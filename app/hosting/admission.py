"""Bounded work: so many computations at once, so many that wait, and a quick no to what is more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from time import perf_counter
from typing import Annotated

from fastapi import Depends, Request

from app.hosting import metrics
from app.hosting.refusals import Overloaded, Refused
from app.settings import Limits


class ClientGone(Refused):
    """Whoever asked has left: there is nobody to compute for, and nobody reads the answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = "client gone"

    def __init__(self) -> None:
        super().__init__("Whoever asked has left.")


class Admission:
    """Turns for computations, first come, first served.

    FastAPI's Depends(max_concurrency=...) bounds what runs at once as well, but not what waits, nor for how long.
    """

    def __init__(self, limits: Limits) -> None:
        self.most_waiting = limits.waiting
        self.wait_seconds = limits.wait_seconds
        self.running = 0
        self.waiting = 0
        self._turns = asyncio.Semaphore(limits.computations)

    @property
    def is_full(self) -> bool:
        """No turn is free, and no place to wait for one."""
        return self._turns.locked() and self.waiting >= self.most_waiting

    @asynccontextmanager
    async def turn(self, request: Request) -> AsyncIterator[None]:
        """Wait for a turn, and have it. Raises: Overloaded, ClientGone."""
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
        gone = asyncio.create_task(_disconnect(request))
        taken = False
        try:
            await asyncio.wait({turn, gone}, timeout=self.wait_seconds, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise ClientGone
            if not turn.done():
                raise Overloaded("waited too long")
            taken = True
        finally:
            self.waiting -= 1
            metrics.WAITING.dec()
            gone.cancel()
            if not taken and not turn.cancel():  # the turn came while its place was given up
                self._turns.release()


async def _disconnect(request: Request) -> None:
    """Ends when the client has left. The body must have been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def admit(request: Request) -> AsyncIterator[None]:
    """A turn from here to the end of the route's function: the answer is sent without it."""
    admission: Admission = request.app.state.admission
    async with admission.turn(request):
        start = perf_counter()
        try:
            yield
        finally:
            metrics.COMPUTATION.labels(metrics.route_of(request.scope)).observe(perf_counter() - start)


ADMITTED = Depends(admit, scope="function")
AdmittedDep = Annotated[None, ADMITTED]
