"""Bounded work, shown on a small app whose computation is a wait that the test ends."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from app.hosting.admission import ADMITTED, Admission, AdmissionControl, Lane, Turns, Visitor, visitor_of
from app.hosting.limits import TimeLimits
from app.hosting.refusals import Overloaded
from app.settings import Settings
from app.web.errors import add_error_handlers
from tests.coroutines import run


class Work:
    """A route that computes until it is let go, and counts."""

    def __init__(self, **limits: Any) -> None:
        self.app = FastAPI()
        self.admission = Admission(Settings(**limits))
        self.app.add_middleware(AdmissionControl, admission=self.admission)
        add_error_handlers(self.app)
        self.app.post("/api/work", dependencies=[ADMITTED])(self.compute)
        self.let_go = threading.Event()
        self.lock = threading.Lock()
        self.begun = self.at_once = self.most_at_once = 0

    def compute(self) -> str:
        with self.lock:
            self.begun += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.let_go.wait(20)
        with self.lock:
            self.at_once -= 1
        return "done"

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url="http://testserver")

    async def until(self, running: int, waiting: int) -> None:
        async with asyncio.timeout(20):
            while (self.admission.running, self.admission.waiting) != (running, waiting):
                await asyncio.sleep(0.005)


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work(computations=2, waiting=3)
    yield work
    work.let_go.set()


async def flood(work: Work, count: int) -> list[httpx2.Response]:
    async with work.client() as client:
        asked = [asyncio.create_task(client.post("/api/work")) for _ in range(count)]
        await work.until(running=2, waiting=3)
        async with asyncio.timeout(20):  # what is refused is refused while all that was admitted still computes
            while sum(each.done() for each in asked) < count - 5 or work.begun < 2:
                await asyncio.sleep(0.005)
        work.let_go.set()
        return await asyncio.gather(*asked)


def test_two_hundred_requests_are_all_answered_and_few_computed(work: Work) -> None:
    responses = run(flood(work, 200))
    statuses = [response.status_code for response in responses]
    assert (statuses.count(200), statuses.count(503)) == (5, 195)
    assert work.most_at_once == 2
    assert (work.admission.running, work.admission.waiting) == (0, 0)
    refused = next(response for response in responses if response.status_code == 503)
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"] == "The server is busy. Try again in 2 seconds."


def test_a_full_queue_refuses_before_the_body_is_read(work: Work) -> None:
    async def scenario() -> int:
        async with work.client() as client:
            asked = [asyncio.create_task(client.post("/api/work")) for _ in range(5)]
            await work.until(running=2, waiting=3)
            read = 0

            async def receive() -> dict[str, Any]:
                nonlocal read
                read += 1
                return {"type": "http.request", "body": b"", "more_body": False}

            sent = []

            async def send(message: Any) -> None:
                sent.append(message)

            headers = [(b"content-length", b"4000000")]
            scope = {"type": "http", "method": "POST", "path": "/api/work", "headers": headers, "query_string": b""}
            scope["client"] = ("127.0.0.1", 123)  # as httpx2 says
            await work.app(scope, receive, send)
            assert sent[0]["status"] == 503
            work.let_go.set()
            await asyncio.gather(*asked)
            return read

    assert run(scenario()) == 0


def test_who_waits_too_long_is_told_so() -> None:
    work = Work(computations=1, waiting=3, wait_seconds=0.05)

    async def scenario() -> httpx2.Response:
        async with work.client() as client:
            first = asyncio.create_task(client.post("/api/work"))
            await work.until(running=1, waiting=0)
            second = await client.post("/api/work")
            work.let_go.set()
            assert (await first).status_code == 200
            return second

    assert run(scenario()).status_code == 503
    assert work.begun == 1


async def call(work: Work, gone: asyncio.Event) -> None:
    """A request whose client leaves when the event is set."""
    pending = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if pending:
            return pending.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    scope = {"type": "http", "method": "POST", "path": "/api/work", "headers": [], "query_string": b""}
    await work.app(scope, receive, send)


def test_for_a_client_that_left_while_it_waited_nothing_is_computed() -> None:
    work = Work(computations=1, waiting=3)

    async def scenario() -> None:
        stays, leaves = asyncio.Event(), asyncio.Event()
        first = asyncio.create_task(call(work, stays))
        await work.until(running=1, waiting=0)
        second = asyncio.create_task(call(work, leaves))
        await work.until(running=1, waiting=1)
        leaves.set()
        await second  # at once, while the first still computes
        assert (work.admission.running, work.admission.waiting) == (1, 0)
        work.let_go.set()
        await first

    run(scenario())
    assert work.begun == 1


def test_a_cancelled_wait_gives_its_place_back(work: Work) -> None:
    async def scenario() -> None:
        async with work.client() as client:
            asked = [asyncio.create_task(client.post("/api/work")) for _ in range(5)]
            await work.until(running=2, waiting=3)
            asked[-1].cancel()
            await work.until(running=2, waiting=2)
            work.let_go.set()
            await asyncio.gather(*asked[:-1])
            assert (await client.post("/api/work")).status_code == 200

    run(scenario())
    assert (work.admission.running, work.admission.waiting) == (0, 0)


def test_a_turn_ends_before_its_answer_is_sent() -> None:
    """Who reads an answer slowly keeps nobody waiting."""
    work = Work(computations=1, waiting=0)
    work.let_go.set()
    running: list[int] = []

    async def scenario() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            running.append(work.admission.running)

        scope = {"type": "http", "method": "POST", "path": "/api/work", "headers": [], "query_string": b""}
        await work.app(scope, receive, send)

    run(scenario())
    assert running and set(running) == {0}


def test_a_computation_whose_answer_is_given_up_keeps_its_turn() -> None:
    work = Work(computations=1, waiting=0)
    work.app.add_middleware(TimeLimits, settings=Settings(answer_seconds=0.2))

    async def scenario() -> None:
        statuses: list[int] = []
        answered = asyncio.Event()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                answered.set()

        scope = {"type": "http", "method": "POST", "path": "/api/work", "headers": [], "query_string": b""}
        request = asyncio.create_task(work.app(scope, receive, send))
        async with asyncio.timeout(20):
            await answered.wait()
        assert (statuses, work.admission.running) == ([503], 1)
        work.let_go.set()
        await request
        assert (statuses, work.admission.running) == ([503], 0)

    run(scenario())


def turns(count: int, share: int, max_waiting: int) -> tuple[Turns, dict[str, Visitor]]:
    return Turns(count, share, max_waiting), {name: Visitor(name) for name in "abc"}


def test_the_next_turn_is_for_who_has_fewest() -> None:
    async def scenario() -> list[bool]:
        lane, visitors = turns(2, 2, 10)
        a, b = visitors["a"], visitors["b"]
        assert lane.try_acquire(a) and lane.try_acquire(a)
        waiting = [lane.enqueue(a), lane.enqueue(a), lane.enqueue(b)]
        lane.release(a)
        return [each.admitted.done() for each in waiting]

    assert run(scenario()) == [False, False, True]


def test_pages_of_one_address_take_turns_as_well() -> None:
    async def scenario() -> list[bool]:
        lane = Turns(2, 2, 10)
        one, other = Visitor("a", "one"), Visitor("a", "other")
        assert lane.try_acquire(one) and lane.try_acquire(one)
        waiting = [lane.enqueue(one), lane.enqueue(other)]
        lane.release(one)
        return [each.admitted.done() for each in waiting]

    assert run(scenario()) == [False, True]


def test_one_visitor_has_no_more_than_its_share() -> None:
    async def scenario() -> None:
        lane, visitors = turns(3, 2, 10)
        a, b = visitors["a"], visitors["b"]
        assert [lane.try_acquire(a) for _ in range(3)] == [True, True, False]
        waiting = lane.enqueue(a)
        assert lane.try_acquire(b)
        lane.release(b)
        assert not waiting.admitted.done()
        lane.release(a)
        assert waiting.admitted.result()

    run(scenario())


def test_a_crowd_makes_room_in_the_queue() -> None:
    async def scenario() -> None:
        lane, visitors = turns(1, 1, 3)
        a, b = visitors["a"], visitors["b"]
        assert lane.try_acquire(a)
        crowd = [lane.enqueue(a) for _ in range(3)]
        assert lane.refuses(a) and not lane.refuses(b)
        with pytest.raises(Overloaded):
            lane.enqueue(a)
        lane.enqueue(b)
        assert [each.admitted.done() and not each.admitted.result() for each in crowd] == [False, False, True]
        with pytest.raises(Overloaded):  # as many as the others would have
            lane.enqueue(b)

    run(scenario())


def test_who_leaves_at_the_last_moment_gives_the_turn_on() -> None:
    async def scenario() -> None:
        lane, visitors = turns(1, 1, 3)
        a, b = visitors["a"], visitors["b"]
        assert lane.try_acquire(a)
        first, second = lane.enqueue(b), lane.enqueue(a)
        lane.release(a)
        assert first.admitted.result() and not second.admitted.done()
        lane.leave(first)
        assert second.admitted.result()

    run(scenario())


def test_what_runs_apart_keeps_nobody_waiting_here() -> None:
    admission = Admission(Settings(computations=1, waiting=0))
    visitor = Visitor("a")
    assert all(admission.lanes[Lane.APART].try_acquire(Visitor(name)) for name in "ab")
    assert not admission.lanes[Lane.APART].try_acquire(visitor)
    assert admission.lanes[Lane.HERE].try_acquire(visitor)


@pytest.mark.parametrize(
    ("header", "page"), [(b"1234567-89", "1234567-89"), (b"short", ""), (b"x" * 65, ""), (b"<script>1", "")]
)
def test_a_page_is_known_by_its_header(header: bytes, page: str) -> None:
    scope = {"type": "http", "headers": [(b"x-layerglass-page", header)], "client": ("10.0.0.1", 5)}
    assert visitor_of(scope) == Visitor("10.0.0.1", page)
