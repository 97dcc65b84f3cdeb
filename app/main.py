"""The app's wiring: its lifespan, its middleware, its routes."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.formparsers import MultiPartParser

from . import __version__
from .cnn.cost import RunLimits
from .explore.forward_passes import ForwardPasses
from .explore.picture_folders import PictureFolders
from .explore.results import Results
from .explore.trials import Trials
from .hosting import metrics
from .hosting.admission import Admission, AdmissionControl
from .hosting.limits import LimitAnswers, LimitBodies, RateLimit, TimeLimits
from .hosting.logs import RequestLog
from .hosting.long_computations import LongComputations
from .hosting.request_counts import RequestCounter, make_counter
from .hosting.security import AllowedHosts, HeadAsGet, RefuseCrossSite, RequireToken, ResponseHeaders
from .hosting.server import frozen_heap, limit_malloc
from .imaging.drawing import DrawingLimits
from .lab.laboratory import Laboratory
from .lessons.folder import Lessons
from .lessons.vocabulary import Vocabulary
from .library.edited import EditedNetworks
from .library.kept import Kept
from .library.library import Library
from .settings import Settings, get_settings, resource
from .web import api, edits, lessons, pages, status, uploads
from .web.atlas import api as atlas_api
from .web.atlas import cloud_pages, maximisation_api, maximisation_pages, nearest_api, pictures
from .web.atlas import pages as atlas_pages
from .web.attribution import api as attribution_api
from .web.attribution import methods_api
from .web.attribution import pages as attribution_pages
from .web.differences import api as differences_api
from .web.differences import pages as differences_pages
from .web.digits import api as digits_api
from .web.digits import pages as digit_pages
from .web.errors import ERRORS, add_error_handlers, customize_openapi
from .web.experiments import api as experiments_api
from .web.experiments import pages as experiment_pages
from .web.forms import MOST_PICTURES
from .web.lab import api as lab_api
from .web.lab import pages as lab_pages
from .workers.engine import Workers

_logger = logging.getLogger("layerglass")

# The busiest first: routes are tried in turn.
_ROOMS = (
    *(pages, api, edits, lab_pages, lab_api, lessons),
    *(attribution_pages, attribution_api, methods_api, differences_pages, differences_api),
    *(digit_pages, digits_api, experiment_pages, experiments_api),
    *(atlas_pages, cloud_pages, maximisation_pages, pictures, nearest_api, atlas_api, maximisation_api),
    status,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the app. Its lifespan runs the default network once before the first request is taken."""
    settings = settings or get_settings()
    run_limits = RunLimits(settings.run_megabytes, settings.run_seconds)
    counter = make_counter(settings) if settings.rate_limit else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        limit_malloc()
        workers = Workers(run_limits, settings.computations)
        library = Library(
            settings.built_in_models,
            settings.models,
            settings.model,
            settings.state,
            settings.store,
            app.state.kept,
            workers,
        )
        app.state.library = library
        app.state.trials = Trials(library)
        app.state.long_computations = LongComputations(settings)
        app.state.vocabulary = Vocabulary(library, app.state.forward_passes)
        try:
            library.open_default()
            app.state.ready = True
            _logger.info("Ready.")
            with frozen_heap():
                yield
        finally:
            app.state.ready = False
            app.state.long_computations.close()
            library.close()
            if counter:
                await counter.close()

    app = FastAPI(
        title="Layerglass",
        description="Draw a digit and see every layer of a convolutional network, in every pooling mode.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # pages.py serves Swagger UI from our own files, so that it works offline
        redoc_url=None,
        form_limits={
            "max_files": MOST_PICTURES,
            "max_fields": settings.max_fields,
            "max_part_size": settings.max_field,
        },
        responses=ERRORS,
    )
    app.state.settings = settings
    # Never write a drawing to a temporary file. form_limits has no setting for this, only the class attribute does.
    MultiPartParser.spool_max_size = settings.max_drawing
    limits = DrawingLimits(settings.max_drawing, settings.max_side)
    app.state.kept = Kept(settings.kept_megabytes * 2**20)
    app.state.forward_passes = ForwardPasses(app.state.kept, limits, run_limits, metrics.FORWARD_PASS.observe)
    app.state.edited = EditedNetworks(app.state.kept)
    app.state.results = Results()
    app.state.pictures = PictureFolders(settings.pictures)
    app.state.laboratory = Laboratory(app.state.kept, limits)
    _add_middleware(app, settings, counter)
    add_error_handlers(app)
    customize_openapi(app)
    routers = [room.router for room in _ROOMS]
    for router in routers:
        app.include_router(router)
    app.state.lessons = Lessons(settings.lessons, lessons.PagePaths(routers))
    app.mount("/static", StaticFiles(directory=resource("static")), name="static")
    return app


def _add_middleware(app: FastAPI, settings: Settings, counter: RequestCounter | None) -> None:
    """Add the middleware, innermost first: a request passes through the last one first."""
    app.add_middleware(LimitAnswers, max_in_memory=settings.answers_megabytes * 2**20)
    app.add_middleware(LimitBodies, limit_of=partial(uploads.body_limit, settings), max_in_memory=settings.max_bodies)
    app.add_middleware(uploads.UploadGate)
    app.add_middleware(AdmissionControl, admission=Admission(settings))
    app.add_middleware(TimeLimits, settings=settings)
    if counter:
        app.add_middleware(RateLimit, per_minute=settings.rate_limit, counter=counter)
    app.add_middleware(RefuseCrossSite)
    app.add_middleware(AllowedHosts, hosts=settings.hosts)
    if settings.token:
        app.add_middleware(RequireToken, token=settings.token)
    app.add_middleware(HeadAsGet)
    app.add_middleware(RequestLog)
    app.add_middleware(ResponseHeaders, frame_ancestors=settings.frame_ancestors)
