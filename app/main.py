"""The app's wiring: its lifespan, its middleware, what is mounted where."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.formparsers import MultiPartParser

from app import __version__
from app.explore.forward_passes import ForwardPasses
from app.hosting import metrics
from app.hosting.admission import Admission
from app.hosting.memory import hold_little, settled
from app.hosting.middleware.body_limit import BodyLimit, BodySizes, HeldBodies
from app.hosting.middleware.head import HeadAsGet
from app.hosting.middleware.headers import NoStore, SecurityHeaders
from app.hosting.middleware.origins import AllowedHosts, RefuseCrossSite
from app.hosting.middleware.overload import RefuseWhenFull
from app.hosting.middleware.rate_limit import RateLimit
from app.hosting.middleware.request_log import RequestLog
from app.hosting.middleware.time_limits import TimeLimits
from app.imaging.drawing import DrawingLimits
from app.library.library import Library
from app.settings import FORM_BYTES, Settings, get_settings, resource
from app.web import api, pages, status
from app.web.errors import add_error_handlers
from app.web.openapi import ERRORS, describe
from app.web.uploads import UploadGate

_logger = logging.getLogger("layerglass")


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app. The network that the page opens with has run once before the first request is taken."""
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        hold_little()
        library = Library(settings.built_in_models, settings.models, settings.model, settings.state, settings.networks)
        app.state.library = library
        try:
            library.open_default()
            app.state.ready = True
            _logger.info("Ready.")
            with settled():
                yield
        finally:
            app.state.ready = False
            library.close()

    app = FastAPI(
        title="Layerglass",
        description="Draw a digit and see every layer of a convolutional network, in every pooling mode.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # pages.py serves it from our own files, so that it works offline
        redoc_url=None,
        form_limits={"max_files": 1, "max_fields": settings.max_fields, "max_part_size": settings.max_field},
        responses=ERRORS,
    )
    app.state.settings = settings
    # A drawing is held in memory, never in a file. FastAPI has no setting for what its parser of forms puts into one.
    MultiPartParser.spool_max_size = settings.max_drawing
    app.state.body_sizes = BodySizes(settings.max_body, settings.upload_megabytes * 2**20 + FORM_BYTES)
    limits = DrawingLimits(settings.max_drawing, settings.max_side)
    app.state.forward_passes = ForwardPasses(
        settings.remembered_megabytes * 2**20, limits, metrics.FORWARD_PASS.observe
    )
    app.state.admission = Admission(settings)
    _add_middleware(app, settings)
    add_error_handlers(app)
    describe(app)
    for router in (pages.router, api.router, status.router):  # the most asked first: each is looked through in turn
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=resource("static")), name="static")
    return app


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """What every request passes, the last one first."""
    app.add_middleware(HeldBodies, most=max(settings.held_megabytes * 2**20, settings.max_body))
    app.add_middleware(BodyLimit, sizes=app.state.body_sizes)
    app.add_middleware(UploadGate)
    app.add_middleware(TimeLimits, limits=settings)
    app.add_middleware(RefuseWhenFull, admission=app.state.admission)
    if settings.rate:
        app.add_middleware(RateLimit, per_minute=settings.rate)
    app.add_middleware(RefuseCrossSite)
    app.add_middleware(AllowedHosts, hosts=settings.hosts)
    app.add_middleware(HeadAsGet)
    app.add_middleware(RequestLog)
    app.add_middleware(NoStore)
    app.add_middleware(SecurityHeaders)
