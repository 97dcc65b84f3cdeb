"""Long computations, shown on a small app whose work goes on until the test lets it end."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import Request

from app.hosting.admission import Admission, AdmissionControl, Lane
from app.hosting.long_computations import Cancelled, Computation, LongComputations, Report, Slices, TookTooLong
from app.hosting.refusals import Overloaded
from app.settings import Settings
from tests.coroutines import run


class Work:
    """Computations that report until they are let go, and what became of them."""

    def __init__(self, **limits: Any) -> None:
        settings = Settings(**limits)
        self.admission = Admission(settings)
        self.long = LongComputations(settings)
        self.let_go = threading.Event()
        self.started: list[str] = []
        self.ended: list[str] = []

    def compute(self, name: str) -> Callable[[Report], str]:
        def work(report: Report) -> str:
            self.started.append(name)
            try:
                for done in range(100_000):
                    report(done)
                    if self.let_go.wait(0.001):
                        return f"{name}'s result"
            finally:
                self.ended.append(name)
            raise AssertionError("nobody let it go")

        return work

    @asynccontextmanager
    async def join(self, name: str, address: str = "someone", work: Any = None) -> AsyncIterator[Computation[str]]:
        """Join as a request would that came through the middleware."""
        scope: dict[str, Any] = {"type": "http", "method": "GET", "client": (address, 1), "headers": [], "path": "/"}

        async def take(scope: Any, receive: Any, send: Any) -> None:
            return None

        await AdmissionControl(take, self.admission)(scope, never, nowhere)
        async with self.long.join(Request(scope, never), name, work or self.compute(name)) as computation:
            yield computation

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.005)


async def never() -> Any:
    await asyncio.Event().wait()


async def nowhere(message: Any) -> None:
    return None


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work(computations=2, long_computations=2, waiting=1, wait_seconds=0.3)
    yield work
    work.let_go.set()
    work.long.close()


def test_it_tells_how_much_is_done_and_gives_its_result(work: Work) -> None:
    async def ask() -> tuple[list[int], str]:
        told = []
        async with work.join("a") as computation:
            async for done in computation.progress():
                told.append(done)
                if done > 0:
                    work.let_go.set()
            return told, await computation.result()

    told, result = run(ask())
    assert result == "a's result"
    assert told == sorted(told) and told[-1] > 0
    assert work.admission.running == 0 and len(work.long) == 0


def test_who_asks_for_the_same_joins_and_it_runs_until_the_last_one_leaves(work: Work) -> None:
    async def ask() -> str:
        async with work.join("a", "first"):
            async with work.join("a", "second") as again:
                assert work.admission.lanes[Lane.LONG].running == 1
                await work.until(lambda: again.done > 0)
            assert not again.is_cancelled
        await work.until(lambda: work.ended == ["a"])
        assert again.is_cancelled
        with pytest.raises(Cancelled):
            await again.result()
        async with work.join("a") as anew:
            work.let_go.set()
            return await anew.result()

    assert run(ask()) == "a's result"
    assert work.started == ["a", "a"] and work.admission.running == 0


def test_it_takes_no_turn_from_drawings_and_gives_a_drawing_s_turn_back(work: Work) -> None:
    async def ask() -> None:
        async with work.join("a"), work.join("b", "another"):
            await work.until(lambda: sorted(work.started) == ["a", "b"])
            lanes = work.admission.lanes
            assert lanes[Lane.HERE].running == lanes[Lane.APART].running == 0
            assert lanes[Lane.LONG].running == 2

    run(ask())


def test_a_short_one_does_not_wait_for_a_long_one(work: Work) -> None:
    def short(report: Report) -> str:
        for done in range(50):
            report(done)
            time.sleep(0.001)
        return "short"

    async def ask() -> str:
        async with work.join("long") as long:
            await work.until(lambda: long.done > 0)
            async with work.join("short", "another", short) as computation, asyncio.timeout(10):
                result = await computation.result()
            assert not long.task.done()
            return result

    assert run(ask()) == "short"


def test_too_many_are_refused(work: Work) -> None:
    async def ask() -> None:
        async with work.join("a"), work.join("b", "another"):
            with pytest.raises(Overloaded, match="busy"):
                async with work.join("c", "a third"):
                    raise AssertionError

    run(ask())
    assert work.admission.waiting == 0


def test_one_visitor_leaves_room_for_others() -> None:
    work = Work(computations=2, long_computations=2, waiting=1, wait_seconds=0.2)

    async def ask() -> None:
        async with work.join("a"):
            with pytest.raises(Overloaded):
                async with work.join("b"):
                    raise AssertionError
            async with work.join("c", "another"):
                pass

    run(ask())


def test_what_computes_for_too_long_is_ended() -> None:
    work = Work(computations=1, long_computations=1, long_seconds=0.05)

    async def ask() -> None:
        async with work.join("a") as computation:
            with pytest.raises(TookTooLong, match=r"more than 0\.05 seconds of computing"):
                await computation.result()

    run(ask())
    assert work.ended == ["a"]


def test_its_error_reaches_all_who_wait(work: Work) -> None:
    def fail(report: Report) -> str:
        report(1)
        raise LookupError("no such thing")

    async def ask() -> None:
        async with work.join("a", work=fail) as one, work.join("a", work=fail) as other:
            for each in (one, other):
                with pytest.raises(LookupError, match="no such thing"):
                    await each.result()

    run(ask())
    assert work.admission.running == 0


def test_the_server_s_end_ends_it(work: Work) -> None:
    async def ask() -> None:
        async with work.join("a") as computation:
            await work.until(lambda: computation.done > 0)
            work.long.close()
            with pytest.raises(Cancelled):
                await computation.result()
        with pytest.raises(Overloaded):
            async with work.join("b") as computation:
                await computation.result()

    run(ask())
    assert work.admission.running == 0


def test_slices_go_round_in_the_order_of_asking() -> None:
    slices, order = Slices(1), []
    slices.acquire()

    def take(name: str) -> None:
        slices.acquire()
        order.append(name)
        slices.hand_over()
        order.append(name)
        slices.release()

    threads = [threading.Thread(target=take, args=(name,)) for name in "abc"]
    for waiting, thread in enumerate(threads, 1):
        thread.start()
        while len(slices._waiting) < waiting:
            time.sleep(0.001)
    slices.release()
    for thread in threads:
        thread.join()
    assert "".join(order) == "abcabc"
    slices.acquire()  # and it is free again


def test_it_pauses_while_a_drawing_is_computed_but_is_at_most_twice_as_slow() -> None:
    drawing = True

    def work(report: Report) -> str:
        for done in range(60):
            time.sleep(0.001)
            report(done)
        return "done"

    def measure() -> float:
        start = time.perf_counter()
        assert Computation(work, Slices(1), 10, lambda: drawing).compute() == "done"
        return time.perf_counter() - start

    paused = measure()
    drawing = False
    freely = measure()
    assert freely < paused < 4 * freely  # twice, on an idle machine
