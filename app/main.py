"""The app's wiring: its lifespan, its middleware, what is mounted where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app import __version__
from app.forward_passes import ForwardPasses
from app.imaging.drawing import MAX_BYTES
from app.library import Library
from app.settings import Settings, get_settings, resource
from app.web import api, pages
from app.web.body_limit import BodyLimit, BodySizes
from app.web.errors import add_error_handlers
from app.web.headers import SecurityHeaders
from app.web.upload_gate import UploadGate

FORM_BYTES = 64 * 1024  # of the form around a file
MAX_BODY_SIZE = MAX_BYTES + FORM_BYTES


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app. The network that the page opens with has run once before the first request is taken."""
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        library = Library(settings.built_in_models, settings.models, settings.model, settings.state, settings.networks)
        app.state.library = library
        try:
            library.open_default()
            yield
        finally:
            library.close()

    app = FastAPI(
        title="Layerglass",
        description="Draw a digit and see every layer of a convolutional network, in every pooling mode.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # pages.py serves it from our own files, so that it works offline
        redoc_url=None,
        form_limits={"max_files": 1, "max_fields": 128, "max_part_size": 4096},
    )
    app.state.settings = settings
    app.state.forward_passes = ForwardPasses()
    app.state.body_sizes = BodySizes(MAX_BODY_SIZE, settings.upload_megabytes * 2**20 + FORM_BYTES)
    app.add_middleware(BodyLimit, sizes=app.state.body_sizes)
    app.add_middleware(UploadGate)
    app.add_middleware(SecurityHeaders)
    add_error_handlers(app)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=resource("static")), name="static")
    return app
