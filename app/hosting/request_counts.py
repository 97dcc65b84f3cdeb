"""How many requests came from each address in the last minute: to this process, to all of this machine, to several."""

import asyncio
import logging
import math
import time
from typing import Protocol

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from ..settings import Settings
from .redis_counts import RedisConnection
from .shared_counts import SharedCounter, can_share

_FILE = ".requests"  # in the state folder
_LONGEST_WAIT = 1.0  # seconds that a request waits to be counted
_PAUSE = 5.0  # seconds until a counter that has failed is asked again

_logger = logging.getLogger("layerglass")


class RequestCounter(Protocol):
    """Counts requests by address, and lets so many through in any sixty seconds."""

    async def hit(self, address: str) -> int:
        """Count a request, and return 0. One too many is not counted: return in how many seconds one may come."""

    async def close(self) -> None:
        """Give up connections and files."""


class WindowCounter:
    """Counts by the library `limits`, in this process or in Redis."""

    def __init__(self, per_minute: int, redis: RedisConnection | None = None) -> None:
        storage: Storage = redis.storage if redis else MemoryStorage()
        self._redis = redis
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(storage)

    async def hit(self, address: str) -> int:
        if await self._limiter.hit(self._limit, address):
            return 0
        window = await self._limiter.get_window_stats(self._limit, address)
        return max(1, math.ceil(window.reset_time - time.time()))

    async def close(self) -> None:
        if self._redis:
            await self._redis.close()


class Failover:
    """Counts by one counter, and by another one while that fails: requests within the limit are always answered.

    Both changes are logged, once each. A counter that has failed is asked again every few seconds, by one request.
    """

    def __init__(self, name: str, counter: RequestCounter, meanwhile: RequestCounter) -> None:
        """name: of what the counter needs, for the log."""
        self._name, self._counter, self._meanwhile = name, counter, meanwhile
        self._has_failed, self._ask_at = False, 0.0

    async def hit(self, address: str) -> int:
        if self._has_failed:
            if time.monotonic() < self._ask_at:
                return await self._meanwhile.hit(address)
            self._ask_at = time.monotonic() + _PAUSE
        try:
            async with asyncio.timeout(_LONGEST_WAIT):
                seconds = await self._counter.hit(address)
        except (StorageError, OSError) as error:  # a TimeoutError is an OSError
            self._note_failure(error)
            return await self._meanwhile.hit(address)
        if self._has_failed:
            self._has_failed = False
            _logger.info("%s counts requests again.", self._name)
        return seconds

    async def close(self) -> None:
        await self._counter.close()
        await self._meanwhile.close()

    def _note_failure(self, error: Exception) -> None:
        if not self._has_failed:
            self._has_failed, self._ask_at = True, time.monotonic() + _PAUSE
            reason = str(error).rstrip(".") or "no answer in time"
            _logger.warning("%s does not count requests: %s. Until it does, they are counted here.", self._name, reason)


def make_counter(settings: Settings) -> RequestCounter:
    """Return the counter that the settings ask for: of this process, of this machine, or of all with one Redis."""
    counter = _of_this_machine(settings)
    if settings.limits is None:
        return counter
    redis = RedisConnection(str(settings.limits))
    return Failover(f"Redis at {redis.place}", WindowCounter(settings.rate_limit, redis), counter)


def _of_this_machine(settings: Settings) -> RequestCounter:
    own = WindowCounter(settings.rate_limit)
    if settings.workers == 1 or settings.state is None or not can_share:
        return own
    path = settings.state / _FILE
    try:
        return Failover(f"The file {path}", SharedCounter(path, settings.rate_limit), own)
    except OSError as error:
        _logger.warning("Each worker counts requests by itself, since %s cannot be written: %s.", path, error.strerror)
        return own
