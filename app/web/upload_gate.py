"""Who may bring a model, and how many at once: said before a byte of it is read."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.body_limit import is_upload
from app.web.dependencies import ModelsAreNotTaken, require_taking_models
from app.web.errors import say_no

MAX_UPLOADS = 8  # requests that are read or wait for their turn
_RETRY_SECONDS = 10
_BUSY = (
    f"{MAX_UPLOADS} models are being uploaded already, the most that are taken at once. "
    f"Try again in {_RETRY_SECONDS} seconds."
)


class UploadGate:
    """Refuses the upload of a model that is not allowed, or that is one too many."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_upload(scope):
            return await self._app(scope, receive, send)
        request = Request(scope)
        try:
            await require_taking_models(request)
        except ModelsAreNotTaken as error:
            return await say_no(request, HTTPStatus.FORBIDDEN, str(error))(scope, receive, send)
        if self._running >= MAX_UPLOADS:
            headers = {"Retry-After": str(_RETRY_SECONDS)}
            response = say_no(request, HTTPStatus.SERVICE_UNAVAILABLE, _BUSY, headers)
            return await response(scope, receive, send)
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1
