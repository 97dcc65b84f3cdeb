"""A folder with a picture, a browser, and programs that show notebooks."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser import chromium
from tests.pictures import four_png
from tests.process import ROOT, end

START_SECONDS = 120
expect.set_options(timeout=90_000)

Start = Callable[[list[str], str], psutil.Process]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    path = chromium.find()
    if path is None:
        pytest.fail(chromium.MISSING)
    return {"executable_path": path, "args": chromium.ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 1000}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "four.png").write_bytes(four_png())
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a command in the folder, wait until it answers at an address, and return its process."""
    with ExitStack() as stack:
        yield lambda command, address: stack.enter_context(_running(command, address, folder))


@contextmanager
def _running(command: list[str], address: str, folder: Path) -> Iterator[psutil.Process]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)}  # nobody's own settings
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(address):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        yield psutil.Process(process.pid)
    finally:
        end(process)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
