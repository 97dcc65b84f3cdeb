"""Models that are brought from the page: who may bring one, and how many at once."""

from functools import cache, partial
from http import HTTPStatus
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request, UploadFile
from starlette.types import ASGIApp, Receive, Scope, Send

from app.hosting.middleware.body_limit import is_upload
from app.hosting.middleware.origins import host_name
from app.hosting.refusals import Refused
from app.library.library import Library
from app.library.models import ModelEntry
from app.settings import Settings, is_loopback
from app.web.errors import say_no_now

MAX_UPLOADS = 8  # requests that are read or wait for their turn
MAX_ADDING = 2  # of them, those that are opened at once, each by a process that may take 1 GB
_RETRY_SECONDS = 10


class ModelsAreNotTaken(Refused):
    """This server opens no models from the page."""

    status = HTTPStatus.FORBIDDEN
    reason = "models not taken"

    def __init__(self) -> None:
        super().__init__(
            "This server takes no models from the page, since others than this machine can reach it. Whoever runs it "
            "can allow it with LAYERGLASS_UPLOADS=true, or serve a folder with --models."
        )


class TooManyUploads(Refused):
    """Enough models are being read already."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = "too many uploads"

    def __init__(self) -> None:
        super().__init__(
            f"{MAX_UPLOADS} models are being uploaded already, the most that are taken at once. "
            f"Try again in {_RETRY_SECONDS} seconds.",
            {"Retry-After": str(_RETRY_SECONDS)},
        )


async def require_taking_models(request: Request) -> None:
    """Raises: ModelsAreNotTaken."""
    settings: Settings = request.app.state.settings
    # A name that is not this machine's own, though the server listens to this machine alone: a proxy, behind which
    # others can reach it.
    by_another_name = settings.uploads is None and not is_loopback(host_name(request.headers.get("host")) or "")
    if not settings.takes_models or by_another_name:
        raise ModelsAreNotTaken


TakesModelsDep = Annotated[None, Depends(require_taking_models)]


async def add_model(library: Library, model: UploadFile) -> ModelEntry:
    """An uploaded model, taken in beside the event loop. Raises: ModelError, StorageError."""
    take_in = partial(library.add, model.filename or "model.keras", model.file)
    return await to_thread.run_sync(take_in, limiter=_adding())


@cache
def _adding() -> CapacityLimiter:
    return CapacityLimiter(MAX_ADDING)


class UploadGate:
    """Refuses the upload of a model that is not allowed, or that is one too many, before a byte of it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_upload(scope):
            return await self._app(scope, receive, send)
        try:
            await require_taking_models(Request(scope))
            if self._running >= MAX_UPLOADS:
                raise TooManyUploads
        except Refused as error:
            return await say_no_now(error, scope, receive, send)
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1
