"""Run coroutines in tests, with real time or simulated time."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


Loop = Callable[[], asyncio.AbstractEventLoop]


class _SimulatedTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps ahead when every coroutine sleeps. Not for coroutines that wait for threads."""

    def __init__(self) -> None:
        selector = selectors.DefaultSelector()
        super().__init__(selector)
        self._now = 0.0
        self._real_select = selector.select
        selector.select = self._advance  # type: ignore[method-assign, assignment]

    def time(self) -> float:
        return self._now

    def _advance(self, seconds: float | None) -> Any:
        self._now += seconds or 0
        return self._real_select(seconds and 0)


def run(coroutine: Coroutine[Any, Any, Result], loop: Loop | None = None) -> Result:
    """Return a coroutine's result. It runs in a thread: Playwright leaves an event loop running in the main one."""

    def run_here() -> Result:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(coroutine)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run_here).result()


def run_in_simulated_time(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Return a coroutine's result without waiting for its sleeps, however busy the machine is."""
    return run(coroutine, _SimulatedTimeLoop)
