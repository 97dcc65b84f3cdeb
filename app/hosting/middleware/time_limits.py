"""Time limits for receiving a body and for answering."""

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.hosting.refusals import Overloaded, refuse
from app.settings import Settings

GRACE_SECONDS = 10  # before body_rate applies: a connection may start slowly


class TimeLimits:
    """Middleware that answers 408 to a body that arrives too slowly, and 503 where an answer takes too long.

    A computation cannot be interrupted: after a 503 it still runs to its end, and keeps its turn until then.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _TimedRequest(self.app, self.settings, scope, receive, send).run()
        else:
            await self.app(scope, receive, send)


class _TimedRequest:
    def __init__(self, app: ASGIApp, settings: Settings, scope: Scope, receive: Receive, send: Send) -> None:
        self.app, self.settings = app, settings
        self.scope, self.receive, self.send = scope, receive, send
        self.loop = asyncio.get_running_loop()
        self.start = self.loop.time()
        self.received = 0
        self.body_ended = not {b"content-length", b"transfer-encoding"} & {name for name, _ in scope["headers"]}
        self.answer_started = False
        self.timeout_answer: asyncio.Task[None] | None = None
        seconds = settings.answer_seconds + (0 if self.body_ended else settings.body_seconds)
        self.timer = self.loop.call_later(seconds, self.time_out)

    async def run(self) -> None:
        try:
            await self.app(self.scope, self.receive_in_time, self.send_unless_timed_out)
        finally:
            self.timer.cancel()
            if self.timeout_answer is not None:
                await self.timeout_answer

    def time_out(self) -> None:
        if not self.answer_started:  # else what takes long is the client's reading
            refusal = refuse(Overloaded("answer too late"), self.scope, self.receive, self.send)
            self.timeout_answer = self.loop.create_task(refusal)

    async def send_unless_timed_out(self, message: Message) -> None:
        if self.timeout_answer is None:
            self.answer_started = True
            await self.send(message)

    async def receive_in_time(self) -> Message:
        if self.body_ended:
            return await self.receive()
        try:
            async with asyncio.timeout_at(self.start + self.allowed_seconds()):
                message = await self.receive()
        except TimeoutError:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, self.too_slow(), {"Connection": "close"}) from None
        self.received += len(message.get("body", b""))
        if not message.get("more_body", False):
            self.body_ended = True
            if self.timeout_answer is None:  # now the answer has its whole time
                self.timer.cancel()
                self.timer = self.loop.call_later(self.settings.answer_seconds, self.time_out)
        return message

    def allowed_seconds(self) -> float:
        """Return how long after the request's start the next part of the body may arrive."""
        return min(self.settings.body_seconds, GRACE_SECONDS + self.received / self.settings.body_rate)

    def too_slow(self) -> str:
        return (
            f"The request came too slowly: {self.received:,} bytes of it in {self.allowed_seconds():.0f} seconds. "
            f"A body is read for at most {self.settings.body_seconds:g} seconds. Try again on a better connection."
        )
