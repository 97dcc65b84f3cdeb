"""A real server and a real Chromium."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from app.main import create_app
from app.settings import Settings
from tests.browser import chromium
from tests.process import free_port

# However busy the machine is: what does not come at all fails its test a little later, and nothing else does.
expect.set_options(timeout=60_000)


class Server:
    """The app, served from a thread on a port of its own; it can be stopped and started again."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.port = free_port()
        self.app = create_app(settings or Settings())
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = uvicorn.Config(self.app, port=self.port, log_level="error", lifespan="on")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 120
        while not self.server.started:
            assert self.thread.is_alive() and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        self.server.should_exit = True
        self.server.force_exit = True
        self.thread.join(timeout=30)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def base_url(server: Server) -> str:
    return server.url


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    path = chromium.find()
    if path is None:
        pytest.fail(chromium.MISSING)
    return {"executable_path": path, "args": chromium.ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(base_url: str) -> dict[str, Any]:
    return {"base_url": base_url, "viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def is_first_visit() -> bool:
    """The hints and the example of a first visit have tests of their own."""
    return False


@pytest.fixture
def context(context: BrowserContext, is_first_visit: bool) -> BrowserContext:
    if not is_first_visit:
        context.add_init_script("try { localStorage.setItem('layerglass-hints', '3') } catch {}")
    return context


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser complains of, refused requests apart: those are part of a test."""
    heard: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            heard.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


@pytest.fixture
def explorer(page: Page, base_url: str, complaints: list[str]) -> Iterator[Page]:
    """The explorer, open, with its script at work; whatever the browser complains of fails the test."""
    open_explorer(page)
    yield page
    assert complaints == []


def open_explorer(page: Page, address: str = "/") -> None:
    """Open the page and wait for the answer to the drawing that it opens with."""
    with page.expect_response("**/exploration"):
        page.goto(address)
