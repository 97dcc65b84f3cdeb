"""layerglass.show in a real marimo notebook."""

import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.notebook.frontends.conftest import Start
from tests.process import free_port

NOTEBOOK = """import marimo

app = marimo.App()


@app.cell
def _():
    import app as layerglass

    layerglass.show("digits", "four.png", height=640)
    return


if __name__ == "__main__":
    app.run()
"""


def test_the_page_is_in_the_cell(start: Start, page: Page, folder: Path) -> None:
    (folder / "show.py").write_text(NOTEBOOK)
    port = free_port()
    options = ["--headless", "--no-token", "--skip-update-check", f"--port={port}"]
    start([sys.executable, "-m", "marimo", "edit", "show.py", *options], f"http://127.0.0.1:{port}/health")
    page.goto(f"http://127.0.0.1:{port}")
    page.locator(".cm-content").first.click()
    page.keyboard.press("Control+Enter")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".answer-guess")).to_have_text("4")
    expect(frame.locator("#canvas")).to_be_visible()
