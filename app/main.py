"""The app's wiring: its lifespan, its middleware, what is mounted where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from app import __version__
from app.imaging.drawing import MAX_BYTES
from app.library import Library
from app.settings import Settings, get_settings, resource
from app.web import api, pages
from app.web.errors import BodyLimit, add_error_handlers
from app.web.headers import SecurityHeaders

MAX_BODY_SIZE = MAX_BYTES + 64 * 1024  # a drawing, and the form around it


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app. Its networks are loaded and have run once before it takes its first request."""
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.library = Library.load(settings.models)
        yield

    app = FastAPI(
        title="Layerglass",
        description="Draw a digit and see every layer of a convolutional network, in every pooling mode.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # pages.py serves it from our own files, so that it works offline
        redoc_url=None,
        form_limits={"max_files": 1, "max_fields": 32, "max_part_size": 4096},
    )
    app.state.max_body_size = MAX_BODY_SIZE
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_SIZE)
    app.add_middleware(BodyLimit, max_body_size=MAX_BODY_SIZE)
    app.add_middleware(SecurityHeaders)
    add_error_handlers(app)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=resource("static")), name="static")
    return app
