"""Endpoints for monitoring: /health, /ready, /metrics."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel

from .. import __version__
from ..hosting import metrics
from ..hosting.refusals import Refused
from .errors import problem_responses

router = APIRouter(tags=["app"])


class Health(BaseModel):
    """The state of the app, and its version."""

    status: str
    version: str


class NotReady(Refused):
    """A server that is starting or stopping."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    reason = "not ready"
    retry_seconds = 5
    message = f"The default network is not loaded yet, or the server is stopping. Try again in {retry_seconds} seconds."


@router.get("/health")
async def health() -> Health:
    """The process is alive and answers."""
    return Health(status="alive", version=__version__)


@router.get("/ready", responses=problem_responses(HTTPStatus.SERVICE_UNAVAILABLE))
async def ready(request: Request) -> Health:
    """The default network is loaded and has run once, and the server is not stopping."""
    if not getattr(request.app.state, "ready", False):
        raise NotReady
    return Health(status="ready", version=__version__)


@router.get("/metrics", response_class=Response, include_in_schema=False)
async def show_metrics() -> Response:
    """All metrics, for Prometheus."""
    return Response(metrics.expose(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
