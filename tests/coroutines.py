"""Coroutines in tests that may come after those with a browser."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


Loop = Callable[[], asyncio.AbstractEventLoop]


class _OwnTime(asyncio.SelectorEventLoop):
    """Its seconds pass only while every coroutine sleeps, and at once. For what waits for no thread."""

    def __init__(self) -> None:
        selector = selectors.DefaultSelector()
        super().__init__(selector)
        self._now = 0.0
        self._look = selector.select
        selector.select = self._pass  # type: ignore[method-assign, assignment]

    def time(self) -> float:
        return self._now

    def _pass(self, seconds: float | None) -> Any:
        self._now += seconds or 0
        return self._look(seconds and 0)


def run(coroutine: Coroutine[Any, Any, Result], loop: Loop | None = None) -> Result:
    """What the coroutine gives, run in a thread: Playwright leaves an event loop running in the main one."""

    def run_here() -> Result:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(coroutine)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run_here).result()


def run_in_own_time(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The same, however long it sleeps and however busy the machine is."""
    return run(coroutine, _OwnTime)
