"""A limit on requests a minute from one address."""

import math
import time
from http import HTTPStatus

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from app.hosting.refusals import Refused, refuse

_UNLIMITED_PATHS = ("/static/", "/health", "/ready", "/metrics")


class TooManyRequests(Refused):
    """More requests from one address than the limit."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    reason = "rate limit"

    def __init__(self, per_minute: int, retry_seconds: int) -> None:
        super().__init__(
            f"More than {per_minute:,} requests in a minute came from your address. "
            f"Try again in {retry_seconds} seconds.",
            {"Retry-After": str(retry_seconds)},
        )


class RateLimit:
    """Middleware that refuses an address's requests beyond so many in any sixty seconds."""

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self.app = app
        self.limit = RateLimitItemPerMinute(per_minute)
        self.limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_UNLIMITED_PATHS):
            return await self.app(scope, receive, send)
        address = scope["client"][0] if scope.get("client") else "unknown"
        if await self.limiter.hit(self.limit, address):
            return await self.app(scope, receive, send)
        window = await self.limiter.get_window_stats(self.limit, address)
        retry_seconds = max(1, math.ceil(window.reset_time - time.time()))
        return await refuse(TooManyRequests(self.limit.amount, retry_seconds), scope, receive, send)
