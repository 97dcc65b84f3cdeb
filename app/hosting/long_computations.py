"""Computations that take seconds, such as a run over ten thousand digits: beside the drawings, and in small slices.

Each runs in a thread of its own and never takes a drawing's turn; while a drawing is computed in this process, it
pauses. Few of them compute at once; they take slices of it in turn, so that a short one does not wait for a long one to
end. Whoever asks for the same joins the one that runs. It ends when nobody waits for it any more.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http import HTTPStatus
from time import perf_counter, sleep
from typing import Generic, TypeVar

from fastapi import Request

from ..settings import Settings
from .admission import Admission, Lane, Turn, Visitor
from .refusals import Overloaded, Refused

T = TypeVar("T")

SLICE_SECONDS = 0.02
_PAUSE_SECONDS = 0.001  # between two looks at whether a drawing is computed
_GRACE_SECONDS = 0.5  # for somebody else to join, such as the same page after another choice
_SHOWN_SECONDS = 0.2  # between two looks at how much is done

Report = Callable[[int], None]  # told how much is done, as often as possible; it may raise Cancelled or TookTooLong


class Cancelled(Exception):
    """Nobody waits for the computation any more."""


class TookTooLong(Refused):
    """The computation used up its time."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    reason = "took too long"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This took more than {seconds:g} seconds of computing, and was ended. Ask for fewer digits or a smaller "
            "model, or have the limit raised with LAYERGLASS_LONG_SECONDS."
        )


class Slices:
    """Permits for threads, handed over in the order in which they were asked for. Thread-safe."""

    def __init__(self, permits: int) -> None:
        self._free = permits
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def acquire(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            ticket = self._queue()
        ticket.acquire()

    def release(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def hand_over(self) -> None:
        """Let the next one go first, if there is one, and wait to be next again."""
        with self._lock:
            if not self._waiting:
                return
            ticket = self._queue()
            self._waiting.popleft().release()
        ticket.acquire()

    def _queue(self) -> threading.Lock:
        ticket = threading.Lock()
        ticket.acquire()
        self._waiting.append(ticket)
        return ticket


class Computation(Generic[T]):
    """A long computation that runs, for all who wait for its result."""

    def __init__(
        self, work: Callable[[Report], T], slices: Slices, seconds: float, gives_way: Callable[[], bool] = bool
    ) -> None:
        """Start nothing yet.

        work: computes the result, and reports how much is done. seconds: that it may compute. gives_way: whether
        something is computed that comes first.
        """
        self.done = 0
        self.listeners = 0
        self._work, self._slices, self._seconds, self._gives_way = work, slices, seconds, gives_way
        self._cancelled = False
        self._used = self._paused = self._begun = 0.0
        self.task: asyncio.Task[T]

    def cancel(self) -> None:
        """End it at its next report."""
        self._cancelled = True

    def cancel_unless_heard(self) -> None:
        """End it if nobody waits for it."""
        if not self.listeners:
            self.cancel()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled

    def compute(self) -> T:
        """Do the work, slice by slice, in the calling thread. Raises: Cancelled, TookTooLong, and the work's."""
        self._slices.acquire()
        self._begun = perf_counter()
        try:
            self.report(0)
            return self._work(self.report)
        finally:
            self._slices.release()

    def report(self, done: int) -> None:
        """Say how much is done, and wait for the next slice when this one is over. Raises: Cancelled, TookTooLong."""
        self.done = done
        if self._cancelled:
            raise Cancelled
        # Gives the GIL up: whoever asks for it, as the event loop after each read, else waits for 5 ms again and again.
        sleep(0)
        if self._gives_way():
            self._pause()
        now = perf_counter()
        if now - self._begun < SLICE_SECONDS:
            return
        self._used += now - self._begun
        if self._used > self._seconds:
            raise TookTooLong(self._seconds)
        self._slices.hand_over()
        self._begun = perf_counter()

    def _pause(self) -> None:
        """Wait while something comes first, but never for longer than was computed: it is at most twice as slow."""
        start = now = perf_counter()
        allowed = self._used + start - self._begun - self._paused
        while now - start < allowed and self._gives_way():
            sleep(_PAUSE_SECONDS)
            now = perf_counter()
        self._paused += now - start
        self._begun += now - start

    async def progress(self) -> AsyncIterator[int]:
        """Yield how much is done, several times a second, until it has ended."""
        while not self.task.done():
            yield self.done
            await asyncio.wait({self.task}, timeout=_SHOWN_SECONDS)

    async def result(self) -> T:
        """Wait for the result. Raises: Cancelled, TookTooLong, and the work's."""
        return await asyncio.shield(self.task)  # others may wait for it too


class LongComputations:
    """All long computations of this process. For its event loop alone."""

    def __init__(self, settings: Settings) -> None:
        self.seconds = settings.long_seconds
        # One core is left to the drawings. What runs in other processes is waited for here.
        here, apart = max(1, settings.computations - 1), settings.computations
        self._slices = {Lane.HERE: Slices(here), Lane.APART: Slices(apart)}
        self._running: dict[Hashable, Computation[object]] = {}
        self._threads = ThreadPoolExecutor(settings.long_computations, "long computation")

    def __len__(self) -> int:
        return len(self._running)

    @asynccontextmanager
    async def join(
        self, request: Request, key: Hashable, work: Callable[[Report], T], is_apart: bool = False
    ) -> AsyncIterator[Computation[T]]:
        """Start a computation in its turn, or join the one that has the same key; leave it at the end of the context.

        A request that has a turn of a drawing gives it back first.
        is_apart: it waits for another process. Raises: Overloaded, ClientDisconnected.
        """
        turn: Turn = request.scope["turn"]
        turn.end()
        computation = self._find(key)
        if computation is None:
            await turn.admission.acquire(Lane.LONG, turn.visitor, request)
            computation = self._find(key)  # someone may have been faster
            if computation is None:
                computation = self._start(
                    key, work, Lane.APART if is_apart else Lane.HERE, turn.admission, turn.visitor
                )
            else:
                turn.admission.release(Lane.LONG, turn.visitor)
        computation.listeners += 1
        try:
            yield computation  # type: ignore[misc]  # the same key has a result of the same type
        finally:
            computation.listeners -= 1
            asyncio.get_running_loop().call_later(_GRACE_SECONDS, computation.cancel_unless_heard)

    def close(self) -> None:
        """End all of them."""
        for computation in self._running.values():
            computation.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _find(self, key: Hashable) -> Computation[object] | None:
        found = self._running.get(key)
        return None if found is None or found.is_cancelled else found

    def _start(
        self, key: Hashable, work: Callable[[Report], object], lane: Lane, admission: Admission, visitor: Visitor
    ) -> Computation[object]:
        drawings = admission.lanes[Lane.HERE]
        gives_way = (lambda: drawings.running > 0) if lane is Lane.HERE else bool
        computation = Computation(work, self._slices[lane], self.seconds, gives_way)

        async def run() -> object:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, computation.compute)
            except RuntimeError as error:
                if "shutdown" not in str(error):  # which the pool of threads says once it is closed
                    raise
                raise Overloaded("shutting down") from error
            finally:
                admission.release(Lane.LONG, visitor)
                if self._running.get(key) is computation:
                    del self._running[key]

        self._running[key] = computation
        computation.task = asyncio.create_task(run())
        computation.task.add_done_callback(_look)
        return computation


def _look(task: asyncio.Task[object]) -> None:
    """Look at a task's error, so that asyncio does not log one that nobody waits for."""
    if not task.cancelled():
        task.exception()
