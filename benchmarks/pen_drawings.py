"""`python -m benchmarks.pen_drawings STROKES.jsonl.gz [--count 300] [--model digits]`: the running app's accuracy.

Digits by writers that no training has seen, sent to the API as PNGs, and drawn on the real canvas in Chromium with
pointer events at its own pen width. The file is the training's own.
"""

import argparse
import io
import threading
import time
from pathlib import Path

import numpy as np
import uvicorn
from fastapi.testclient import TestClient
from playwright.sync_api import Page, sync_playwright

from app.imaging.drawing import CANVAS_SIDE, Stroke, draw_strokes
from app.main import create_app
from app.training.pen import PenDigit, read_pen_digits, split_by_writer
from tests.browser import chromium

MARGIN = 30  # pixels between the digit and the canvas' edge


def on_canvas(digit: PenDigit) -> list[Stroke]:
    """Scale the strokes to the canvas less a margin, keeping their aspect ratio."""
    points = np.concatenate(digit.strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (CANVAS_SIDE - 2 * MARGIN) / max((high - low).max(), 1e-6)
    middle = CANVAS_SIDE / 2 - (low + high) / 2 * scale
    return [[tuple(point) for point in (stroke * scale + middle).tolist()] for stroke in digit.strokes]


def read_by_api(client: TestClient, model: str, strokes: list[Stroke]) -> str:
    """Return the API's answer to a picture of the strokes."""
    file = io.BytesIO()
    draw_strokes(strokes).save(file, "PNG")
    answer = client.post(f"/api/models/{model}/prediction", files={"drawing": file.getvalue()})
    return str(answer.json()["label"])


def read_on_page(page: Page, strokes: list[Stroke]) -> str:
    """Draw the strokes on the page's canvas and return its answer."""
    page.click("#clear")
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    scale = box["width"] / CANVAS_SIDE
    for stroke in strokes:
        places = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places:
            page.mouse.move(*place)
        page.mouse.up()
    page.wait_for_timeout(150)
    # Playwright's wait_for_function evaluates a string, which the page's Content-Security-Policy forbids.
    while page.evaluate("document.querySelector('#explorer.htmx-request') !== null"):
        page.wait_for_timeout(20)
    return page.inner_text(".answer-guess")


def main() -> None:
    """Print both accuracies, and how often both agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("strokes", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--model", default="digits")
    options = parser.parse_args()
    digits = split_by_writer(read_pen_digits(options.strokes)).test
    chosen = np.random.default_rng(0).permutation(len(digits))[: options.count]
    sample = [digits[index] for index in chosen]
    app = create_app()
    server = uvicorn.Server(uvicorn.Config(app, port=8765, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.1)
    by_api = [
        read_by_api(TestClient(app, base_url="http://localhost"), options.model, on_canvas(digit)) for digit in sample
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:8765/?model={options.model}")
        page.wait_for_timeout(1000)
        on_page = [read_on_page(page, on_canvas(digit)) for digit in sample]
    labels = [str(digit.label) for digit in sample]
    for name, answers in (("PNG by the API", by_api), ("drawn on the canvas", on_page)):
        right = sum(answer == label for answer, label in zip(answers, labels, strict=True))
        print(f"{name:20}  {right} of {len(labels)} right: {right / len(labels):.2%}")
    agreeing = sum(one == other for one, other in zip(by_api, on_page, strict=True))
    print(f"both say the same     {agreeing} of {len(labels)}: {agreeing / len(labels):.2%}")


if __name__ == "__main__":
    main()
