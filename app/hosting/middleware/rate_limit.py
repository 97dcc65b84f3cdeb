"""Requests a minute from one address."""

import math
import time
from http import HTTPStatus

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from app.hosting.refusals import Refused
from app.web.errors import say_no_now

_UNCOUNTED = ("/static/", "/health", "/ready", "/metrics")


class TooManyRequests(Refused):
    """One address asks more often than it may."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    reason = "rate limit"

    def __init__(self, per_minute: int, seconds: int) -> None:
        sentence = (
            f"More than {per_minute:,} requests in a minute came from your address. Try again in {seconds} seconds."
        )
        super().__init__(sentence, {"Retry-After": str(seconds)})


class RateLimit:
    """Refuses what an address asks beyond so many requests in any sixty seconds."""

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self.app = app
        self.limit = RateLimitItemPerMinute(per_minute)
        self.limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_UNCOUNTED):
            return await self.app(scope, receive, send)
        address = scope["client"][0] if scope.get("client") else "unknown"
        if await self.limiter.hit(self.limit, address):
            return await self.app(scope, receive, send)
        window = await self.limiter.get_window_stats(self.limit, address)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        return await say_no_now(TooManyRequests(self.limit.amount, seconds), scope, receive, send)
