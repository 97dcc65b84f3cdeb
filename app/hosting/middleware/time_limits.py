"""Time limits: on a body that trickles in, and on an answer that does not come."""

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.hosting.refusals import Overloaded
from app.settings import Limits
from app.web.errors import say_no_now

GRACE_SECONDS = 10  # before a body's rate counts: a connection may start slowly


class TimeLimits:
    """Refuses a body that takes too long with 408, and gives up an answer that takes too long with 503.

    A computation cannot be interrupted: it goes on to its end, and keeps its turn, when its answer is given up.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Exchange(self.app, self.limits, scope, receive, send).run()
        else:
            await self.app(scope, receive, send)


class _Exchange:
    def __init__(self, app: ASGIApp, limits: Limits, scope: Scope, receive: Receive, send: Send) -> None:
        self.app, self.limits = app, limits
        self.scope, self.receive, self.send = scope, receive, send
        self.start = asyncio.get_running_loop().time()
        self.received = 0
        self.body_ended = not {b"content-length", b"transfer-encoding"} & {name for name, _ in scope["headers"]}
        self.has_started = self.is_given_up = False
        self.answer_limit = asyncio.timeout(limits.answer_seconds + (0 if self.body_ended else limits.body_seconds))

    async def run(self) -> None:
        answering = asyncio.ensure_future(self.answer())
        try:
            async with self.answer_limit:
                await asyncio.shield(answering)
        except TimeoutError:
            if not self.answer_limit.expired():
                raise
            await self.give_up()
            await answering
        finally:
            answering.cancel()

    async def answer(self) -> None:
        await self.app(self.scope, self.receive_in_time, self.send_unless_given_up)

    async def give_up(self) -> None:
        if self.has_started:  # what is left to do is the client's own: to read
            return
        self.is_given_up = True
        await say_no_now(Overloaded("answer too late"), self.scope, self.receive, self.send)

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
        if self.body_ended and not self.answer_limit.expired():
            self.answer_limit.reschedule(asyncio.get_running_loop().time() + self.limits.answer_seconds)
        return message

    def allowed_seconds(self) -> float:
        """How long after the request's start the next piece of the body may come."""
        return min(self.limits.body_seconds, GRACE_SECONDS + self.received / self.limits.body_rate)

    def too_slow(self) -> str:
        return (
            f"The request came too slowly: {self.received:,} bytes of it in {self.allowed_seconds():.0f} seconds. "
            f"A body is read for at most {self.limits.body_seconds:g} seconds. Try again on a better connection."
        )

    async def send_unless_given_up(self, message: Message) -> None:
        if self.is_given_up:
            return
        self.has_started = True
        await self.send(message)
