"""The time from a pointer event to the last feature map that it changed being painted.

A real Chromium draws on the real page, with as many pointer events a second as a finger makes on a screen, and as a
mouse. For each event: the time until the browser presents the last picture that was changed by the first answer to a
request that left after the page was told of the event (Element Timing). An event that comes while a request is under
way waits for it, too. The server is a process of its own on the same cores.
"""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.imaging.drawing import CANVAS_SIDE, SAMPLES
from benchmarks.devtools import Browser
from benchmarks.figures import Figure, run_alone, summarise
from benchmarks.serving import Server

FINGER, MOUSE = 57, 125  # moves a second; not the screen's 60, so that moves fall anywhere between two frames
DIGITS, QUICK_DIGITS = 5, 1
POINTS = 8  # moves between two points of a sample
SCRIPT = Path(__file__).with_suffix(".js")
WIDTH, HEIGHT = 1280, 900
READY = "document.querySelector('#explorer[data-htmx-powered]') && document.querySelector('img.maps-grid') !== null"
CANVAS = "(({ x, y, width }) => [x, y, width])(document.getElementById('canvas').getBoundingClientRect())"
SIZES = """performance.getEntriesByType("resource")
  .filter(({ name }) => ["/exploration", "/live"].includes(new URL(name).pathname))
  .map(({ encodedBodySize }) => encodedBodySize)"""


def measure(quick: bool = False) -> list[Figure]:
    """Return latencies, updates a second while drawing, bytes an update and long tasks; for a mouse the latency."""
    digits = QUICK_DIGITS if quick else DIGITS
    with Server() as server, Browser(WIDTH, HEIGHT) as browser:
        browser.open(f"http://127.0.0.1:{server.port}/", SCRIPT.read_text(encoding="utf-8"), until=READY)
        draw_digits(browser, 2, FINGER)
        watched, seconds = watch(browser, digits, FINGER)
        figures = summarise_watched(watched, browser.evaluate(SIZES), seconds)
        watched, _ = watch(browser, digits, MOUSE)
        return [*figures, summarise_latency(watched, f"the same, of {MOUSE} events a second")]


def watch(browser: Browser, digits: int, moves_a_second: int) -> tuple[dict[str, Any], float]:
    """Draw digits. Returns: the record of the page's script, and the seconds that the pen was down."""
    browser.evaluate("void Object.assign(watched, { moves: [], updates: [], longTasks: [] })")
    browser.evaluate("performance.clearResourceTimings()")
    seconds = draw_digits(browser, digits, moves_a_second)
    time.sleep(1)
    return browser.evaluate("watched"), seconds


def draw_digits(browser: Browser, count: int, moves_a_second: int) -> float:
    """Draw samples with the mouse at an even pace. Returns: the seconds that the pen was down."""
    left, top, width = browser.evaluate(CANVAS)
    down = 0.0
    for digit in (list(SAMPLES) * count)[:count]:
        browser.evaluate("document.getElementById('clear').click()")
        for stroke in SAMPLES[digit]:
            places = [(left + x * width / CANVAS_SIDE, top + y * width / CANVAS_SIDE) for x, y in stroke]
            browser.mouse("mouseMoved", *places[0], pressed=False)
            browser.mouse("mousePressed", *places[0], pressed=True)
            start = time.perf_counter()
            for number, place in enumerate(_interpolate(places)):
                browser.mouse("mouseMoved", *place, pressed=True)
                time.sleep(max(0, start + (number + 1) / moves_a_second - time.perf_counter()))
            down += time.perf_counter() - start
            browser.mouse("mouseReleased", *places[-1], pressed=False)
    return down


def _interpolate(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Add points along the line, so that it is drawn no faster than by hand."""
    pairs = pairwise(places)
    steps = [step / POINTS for step in range(1, POINTS + 1)]
    return [(x + (u - x) * t, y + (v - y) * t) for (x, y), (u, v) in pairs for t in steps]


def summarise_watched(watched: dict[str, Any], sizes: list[int], seconds: float) -> list[Figure]:
    """Return the figures of the script's record."""
    moves, updates = watched["moves"], watched["updates"]
    trips = [each["painted"] - each["left"] for each in updates]
    long = [each["duration"] for each in watched["longTasks"]]
    return [
        summarise_latency(watched, "pointer event to last map painted"),
        summarise("request leaves to last map painted", trips),
        Figure("pointer events a second", len(moves) / seconds, "/s"),
        Figure("updates a second, pen down", len(updates) / seconds, "/s"),
        summarise("bytes an update", [size for size in sizes if size] or [0], "B"),
        Figure("tasks longer than 50 ms", len(long), "", note=f"longest {max(long, default=0):.0f} ms"),
    ]


def summarise_latency(watched: dict[str, Any], name: str) -> Figure:
    """Summarise these times."""
    found = latencies(watched)
    return summarise(name, found, note=f"{len(found)} of {len(watched['moves'])} events")


def latencies(watched: dict[str, Any]) -> list[float]:
    """Return the milliseconds from each move until the first update with it is painted."""
    updates = watched["updates"]
    return [
        painted - move["made"]
        for move in watched["moves"]
        if (painted := next((each["painted"] for each in updates if each["left"] >= move["told"]), None)) is not None
    ]


if __name__ == "__main__":
    run_alone("pen_to_picture", measure, __doc__)
