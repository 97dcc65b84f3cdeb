"""A gate before uploads, which are large and take long."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.hosting.refusals import Refused, refuse


class UploadGate:
    """Middleware that refuses an upload that is not allowed, or is one too many, before a byte of it is read."""

    def __init__(
        self,
        app: ASGIApp,
        is_upload: Callable[[Scope], bool],
        check: Callable[[Request], None],
        max_uploads: int,
        too_many: Callable[[], Refused],
    ) -> None:
        """check: raises Refused where an upload is not allowed. max_uploads: read or opened at once."""
        self.app = app
        self.is_upload = is_upload
        self.check = check
        self.max_uploads = max_uploads
        self.too_many = too_many
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.is_upload(scope):
            return await self.app(scope, receive, send)
        try:
            self.check(Request(scope))
            if self._running >= self.max_uploads:
                raise self.too_many()
        except Refused as error:
            return await refuse(error, scope, receive, send)
        self._running += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._running -= 1
