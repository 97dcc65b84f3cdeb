"""Requests counted by address: in this process, in a file for several, in Redis."""

import logging
import random
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import RedisDsn

from app.hosting import request_counts, shared_counts
from app.hosting.request_counts import Failover, RequestCounter, WindowCounter, make_counter
from app.hosting.shared_counts import SharedCounter
from app.settings import Settings
from tests.coroutines import run
from tests.process import ROOT, end, free_port

on_unix = pytest.mark.skipif(not shared_counts.can_share, reason="Windows locks no file")


class Clock:
    """In the place of the module time of a counter."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(shared_counts, "time", clock)
    return clock


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[SharedCounter]:
    counter = SharedCounter(tmp_path / "state" / "requests", per_minute=5)
    yield counter
    run(counter.close())


def hit(counter: RequestCounter, address: str = "10.0.0.1") -> int:
    return run(counter.hit(address))


@on_unix
def test_never_more_than_the_limit_in_any_sixty_seconds(shared: SharedCounter, clock: Clock) -> None:
    draw = random.Random(1)
    let_through = defaultdict[str, list[float]](list)
    refused = 0
    for _ in range(4000):
        clock.now += draw.choice((0, 0.3, 2, 15))
        address = draw.choice(("10.0.0.1", "10.0.0.2", "::1"))
        earlier = let_through[address]
        if wait := hit(shared, address):
            refused += 1
            assert 1 <= wait <= 61
            assert sum(each > clock.now - 62 for each in earlier) >= 5  # as much as whole seconds can tell
        else:
            assert sum(each > clock.now - 60 for each in earlier) < 5
            earlier.append(clock.now)
    assert refused > 100


@on_unix
def test_after_the_time_that_was_told_there_is_room_and_not_before(shared: SharedCounter, clock: Clock) -> None:
    for _ in range(5):
        assert hit(shared) == 0
        clock.now += 7
    wait = hit(shared)
    clock.now += wait - 1
    assert hit(shared) == 1
    clock.now += 1
    assert [hit(shared), hit(shared)] == [0, 7]


@on_unix
def test_a_clock_that_is_set_back_locks_nobody_out(shared: SharedCounter, clock: Clock) -> None:
    assert [bool(hit(shared)) for _ in range(6)] == [False] * 5 + [True]
    clock.now -= 2
    assert hit(shared) > 0
    clock.now -= 3600
    assert hit(shared) == 0


@on_unix
def test_more_addresses_than_there_is_room_for_take_the_place_of_the_silent(
    shared: SharedCounter, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_counts, "_GROUPS", 1)
    for number in range(8):
        clock.now += 1
        assert [hit(shared, f"10.0.0.{number}") for _ in range(5)] == [0] * 5
    assert all(hit(shared, f"10.0.0.{number}") for number in range(8))
    assert hit(shared, "10.0.0.9") == 0
    assert all(hit(shared, f"10.0.0.{number}") for number in range(1, 8))
    assert hit(shared, "10.0.0.0") == 0
    assert (tmp_path / "state" / "requests").stat().st_size == 2**22


@on_unix
def test_processes_that_count_at_once_let_the_limit_through_together(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom app.hosting.shared_counts import SharedCounter\n"
        "counter = SharedCounter(Path(sys.argv[1]), 500)\n"
        "async def count(): return [await counter.hit('10.0.0.1') for _ in range(400)].count(0)\n"
        "print('ready', flush=True); input(); print(asyncio.run(count()))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "requests")]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    counted = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(counted) == 500 and min(counted) >= 100


@on_unix
def test_a_process_that_stopped_while_it_counted_holds_nobody_up(
    shared: SharedCounter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(request_counts, "_LONGEST_WAIT", 0.05)
    program = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX)\n"
        "print('locked', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "state" / "requests")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "locked\n"
        counter = Failover("The file", shared, WindowCounter(2))
        assert [bool(hit(counter)) for _ in range(3)] == [False, False, True]
        process.kill()
    assert caplog.messages == [
        "The file does not count requests: no answer in time. Until it does, they are counted here."
    ]


@on_unix
def test_workers_count_together_where_they_share_a_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(requests_per_minute=2, state=tmp_path / "state")
    for workers, wait in ((2, True), (1, False)):
        one, other = (make_counter(settings.model_copy(update={"workers": workers})) for _ in range(2))
        assert [hit(one), hit(one), bool(hit(other))] == [0, 0, wait]
        for each in (one, other):
            run(each.close())
    (tmp_path / "file").touch()
    alone = make_counter(Settings(requests_per_minute=2, workers=2, state=tmp_path / "file"))
    assert [bool(hit(alone)) for _ in range(3)] == [False, False, True]
    assert caplog.messages[0].startswith("Each worker counts requests by itself, since ")


class Broken:
    """A counter that fails when it is told to."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self.asked = 0

    async def hit(self, address: str) -> int:
        self.asked += 1
        if self.error:
            raise self.error
        return 0

    async def close(self) -> None:
        pass


def test_what_fails_is_replaced_meanwhile_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, broken = Clock(), Broken()
    monkeypatch.setattr(request_counts, "time", clock)
    caplog.set_level(logging.INFO, "layerglass")
    counter = Failover("It", broken, WindowCounter(2))
    broken.error = OSError("gone")
    assert [bool(hit(counter)) for _ in range(4)] == [False, False, True, True]
    assert broken.asked == 1
    clock.now += 6
    assert hit(counter) and hit(counter)
    assert broken.asked == 2
    broken.error = None
    clock.now += 6
    assert [hit(counter), hit(counter)] == [0, 0]
    assert caplog.messages == [
        "It does not count requests: gone. Until it does, they are counted here.",
        "It counts requests again.",
    ]


@pytest.fixture
def redis_port() -> Iterator[int]:
    """A Redis server, where the machine has the program."""
    pytest.importorskip("redis", reason="the extra layerglass[redis] is not installed")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("This machine has no redis-server.")
    port = free_port()
    command = [program, "--port", str(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert any("Ready to accept connections" in line for line in process.stdout)
    yield port
    end(process)
    process.stdout.close()


def test_servers_with_one_redis_count_together(redis_port: int) -> None:
    settings = Settings(requests_per_minute=3, limits=RedisDsn(f"redis://127.0.0.1:{redis_port}/0"))

    async def ask() -> list[int]:
        one, other = make_counter(settings), make_counter(settings)
        try:
            return [await each.hit("10.0.0.1") for each in (one, other, one, other, one)]
        finally:
            await one.close()
            await other.close()

    counted = run(ask())
    assert counted[:3] == [0, 0, 0] and all(50 <= seconds <= 60 for seconds in counted[3:])


def test_redis_that_is_gone_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("redis", reason="the extra layerglass[redis] is not installed")
    port = free_port()
    address = RedisDsn(f"redis://:secret@127.0.0.1:{port}/0")
    counter = make_counter(Settings(requests_per_minute=2, limits=address))

    async def ask() -> list[bool]:
        try:
            return [bool(await counter.hit("10.0.0.1")) for _ in range(3)]
        finally:
            await counter.close()

    assert run(ask()) == [False, False, True]
    (message,) = caplog.messages
    assert message.startswith(f"Redis at 127.0.0.1:{port} does not count requests: ") and "secret" not in message
