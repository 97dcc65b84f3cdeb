"""Uploads of models: who may upload one, how large it may be, and how many are opened at once."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request, UploadFile
from starlette.types import ASGIApp, Receive, Scope, Send

from ..hosting.limits import BodyLimit
from ..hosting.refusals import Refused, refuse
from ..hosting.security import host_name
from ..library.library import Library
from ..library.models import ModelEntry
from ..settings import Settings, is_loopback

MAX_UPLOADS = 8  # received or opened at once
MAX_OPENED = 2  # of them, each by a worker process that may take 1 GB

_opening = CapacityLimiter(MAX_OPENED)


class UploadsNotAllowed(Refused):
    """A server that takes no models from the page."""

    status = HTTPStatus.FORBIDDEN
    reason = "models not taken"
    message = (
        "This server takes no models from the page, since others than this machine can reach it. Whoever runs it "
        "can allow it with LAYERGLASS_UPLOADS=true, or serve a folder with --models."
    )


class TooManyUploads(Refused):
    """More uploads at once than the server takes."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = "too many uploads"
    retry_seconds = 10
    message = (
        f"{MAX_UPLOADS} models are being uploaded already, the most that are taken at once. "
        f"Try again in {retry_seconds} seconds."
    )


class UploadGate:
    """Middleware that refuses an upload that is not allowed, or is one too many, before a byte of it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_upload(scope):
            return await self.app(scope, receive, send)
        try:
            await require_uploads(Request(scope))
            if self._running >= MAX_UPLOADS:
                raise TooManyUploads
        except Refused as error:
            return await refuse(error, scope, receive, send)
        self._running += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._running -= 1


def is_upload(scope: Scope) -> bool:
    """Return whether a request uploads a model."""
    return scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", "/api/models")


def body_limit(settings: Settings, scope: Scope) -> BodyLimit:
    """Return how large a request's body may be: a model is larger than a drawing, and is written to a file."""
    if is_upload(scope):
        advice = "Send a smaller model, or serve its folder with --models."
        return BodyLimit(settings.max_upload, advice, in_memory=False)
    return BodyLimit(settings.max_body, "Send a smaller picture.")


async def require_uploads(request: Request) -> None:
    """Refuse a request that changes models where that is not allowed. Raises: UploadsNotAllowed."""
    settings: Settings = request.app.state.settings
    # Another host name at a server on a loopback address is a proxy's, behind which other machines may be.
    behind_proxy = settings.uploads is None and not is_loopback(host_name(request.headers.get("host")) or "")
    if not settings.takes_models or behind_proxy:
        raise UploadsNotAllowed


TakesModelsDep = Annotated[None, Depends(require_uploads)]


async def add_model(library: Library, model: UploadFile, lambdas: str) -> ModelEntry:
    """Add an uploaded model to the library, in a thread. lambdas: what its Lambda layers compute, as JSON.

    Raises: ModelError, StorageError.
    """
    add = partial(library.add, model.filename or "model.keras", model.file, lambdas)
    return await to_thread.run_sync(add, limiter=_opening)
