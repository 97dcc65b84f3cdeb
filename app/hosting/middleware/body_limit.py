"""How large a request may be: a drawing and its form, and for an uploaded model more. How much all of them may hold."""

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.hosting.refusals import NoRoom, TooLarge
from app.web.errors import say_no_now


def is_upload(scope: Scope) -> bool:
    """This is the one request that brings a model."""
    return scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", "/api/models")


@dataclass(frozen=True)
class BodySizes:
    """In bytes."""

    usual: int
    upload: int

    def of(self, scope: Scope) -> int:
        """The most that a request may have."""
        return self.upload if is_upload(scope) else self.usual

    def refusal(self, scope: Scope) -> str:
        """The sentence for a request that has more."""
        most = self.of(scope)
        smaller = "picture" if most == self.usual else "model, or serve its folder with --models"
        return f"The request is larger than {most:,} bytes, the most that is read. Send a smaller {smaller}."


class BodyLimit:
    """Refuses a request whose Content-Length is over the limit, in the app's own shape.

    What arrives without that header is counted by Starlette's own middleware, which would answer these in plain text.
    """

    def __init__(self, app: ASGIApp, sizes: BodySizes) -> None:
        self._sizes = sizes
        self._counting = {size: RequestBodyLimitMiddleware(app, size) for size in (sizes.usual, sizes.upload)}
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        most = self._sizes.of(scope)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            return await say_no_now(TooLarge(self._sizes.refusal(scope)), scope, receive, send)
        return await self._counting[most](scope, receive, send)


class HeldBodies:
    """Bounds the bytes of all bodies that are being received or answered; not of models, which are few and on the disk.

    Each is small, but who sends slowly holds what has come; so would as many as there may be connections.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_upload(scope):
            return await self._app(scope, receive, send)
        held = 0

        async def receive_if_there_is_room() -> Message:
            nonlocal held
            message = await receive()
            size = len(message.get("body", b""))
            if self._held + size > self._most:
                # FastAPI lets nothing else than an HTTPException through while it reads a body.
                raise HTTPException(NoRoom.status) from NoRoom()
            held += size
            self._held += size
            return message

        try:
            await self._app(scope, receive_if_there_is_room, send)
        finally:
            self._held -= held
