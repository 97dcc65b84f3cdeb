"""A connection to Redis, where several machines count requests. It needs the extra layerglass[redis]."""

import asyncio
from importlib.util import find_spec
from urllib.parse import urlsplit

from limits.aio.storage import RedisStorage
from limits.errors import StorageError

_TIMEOUT_SECONDS = 0.8  # for connecting, and for each answer; Failover waits for a second
_START_SECONDS = 5
_PREFIX = "LAYERGLASS"  # of every key

_NO_PACKAGE = "LAYERGLASS_LIMITS needs the Python package redis: install layerglass[redis], and start again."
_NO_ANSWER = (
    "LAYERGLASS_LIMITS names Redis at {place}, which does not count requests: {reason}. Start it, or leave the setting "
    "out, so that each machine counts by itself."
)


class RedisUnavailable(Exception):
    """Redis cannot be used. The message says what to do."""


class RedisConnection:
    """Redis, asked with short timeouts and never twice. Nothing is connected until it is asked."""

    def __init__(self, address: str) -> None:
        """address: redis://host:port/number, rediss:// for TLS. Raises: ImportError."""
        from redis.asyncio import ConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        parts = urlsplit(address)
        self.place = f"{parts.hostname}:{parts.port or 6379}"  # without the password, for the log
        seconds = {"socket_timeout": _TIMEOUT_SECONDS, "socket_connect_timeout": _TIMEOUT_SECONDS}
        self._pool = ConnectionPool.from_url(address, **seconds, retry=Retry(NoBackoff(), 0))
        self.storage = RedisStorage(
            f"async+{address}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=_PREFIX,
            connection_pool=self._pool,  # type: ignore[arg-type]  # limits names no option that its client takes
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


def require_redis(address: str) -> None:
    """Count once. Raises: RedisUnavailable."""
    if find_spec("redis") is None:
        raise RedisUnavailable(_NO_PACKAGE)
    asyncio.run(_try(address))


async def _try(address: str) -> None:
    redis = RedisConnection(address)
    try:
        async with asyncio.timeout(_START_SECONDS):
            await redis.storage.acquire_entry("start", 1, 1)
    except (StorageError, OSError) as error:
        reason = str(error).rstrip(".") or "no answer in time"
        raise RedisUnavailable(_NO_ANSWER.format(place=redis.place, reason=reason)) from error
    finally:
        await redis.close()
