"""layerglass.show in a real JupyterLab: the frame, its pad, a restart of the kernel."""

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import FrameLocator, Page, expect

from tests.notebook.frontends.conftest import Start
from tests.process import free_port

CELL = 'import app as layerglass\nlayerglass.show("digits", "four.png", height=640)'
TOKEN = "a-token-of-the-test"
FRAME = ".jp-OutputArea-output iframe"


def write_notebook(path: Path) -> None:
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "one",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": CELL,
    }
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook))


def ask(url: str, path: str, method: str = "GET") -> str:
    headers = {"Authorization": f"token {TOKEN}"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}{path}", method=method, headers=headers)) as answer:
        return str(answer.read().decode())


def server_of(jupyter: psutil.Process) -> psutil.Process:
    """The process that a kernel of this Jupyter has started."""
    [found] = [each for each in jupyter.children(recursive=True) if "notebook.child" in " ".join(each.cmdline())]
    return found


def expect_four(frame: FrameLocator) -> None:
    """The page answers the picture that it was opened with."""
    expect(frame.locator(".answer-guess")).to_have_text("4")
    expect(frame.locator("#canvas")).to_be_visible()


def run_the_cell(page: Page) -> None:
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")


def draw(page: Page, frame: FrameLocator) -> None:
    box = frame.locator("#canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()


def test_the_page_is_in_the_cell_and_ends_with_the_kernel(start: Start, page: Page, folder: Path) -> None:
    write_notebook(folder / "show.ipynb")
    url = f"http://localhost:{(port := free_port())}"
    options = [f"--port={port}", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    jupyter = start([sys.executable, "-m", "jupyterlab", "--no-browser", *options, *root], f"{url}/api")

    page.goto(f"{url}/lab/tree/show.ipynb?token={TOKEN}")
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()  # else it asks which kernel to run
    run_the_cell(page)
    expect_four(page.frame_locator(FRAME))
    first = page.locator(FRAME).get_attribute("src")
    server = server_of(jupyter)

    [kernel] = json.loads(ask(url, "/api/kernels"))
    ask(url, f"/api/kernels/{kernel['id']}/restart", "POST")
    server.wait(30)
    draw(page, page.frame_locator(FRAME))
    expect(page.frame_locator(FRAME).get_by_text("The server does not answer.").first).to_be_visible()

    run_the_cell(page)
    expect(page.locator(FRAME)).not_to_have_attribute("src", first or "")
    expect_four(page.frame_locator(FRAME))
