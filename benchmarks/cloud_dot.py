"""How soon the ring among the digits, and the answer beside it, follow the pen: `python -m benchmarks.cloud_dot`.

A real Chromium draws on /atlas/cloud, with as many pointer events a second as a finger and as a mouse. For each event:
the time until the frame with the first answer to a request that left after it; of the ring, and of the answer.
"""

import time
from pathlib import Path
from typing import Any

from benchmarks.devtools import Browser
from benchmarks.figures import Figure, run_alone, summarise
from benchmarks.pen_to_picture import DIGITS, FINGER, HEIGHT, MOUSE, QUICK_DIGITS, WIDTH, draw_digits
from benchmarks.serving import Server

SCRIPT = Path(__file__).with_suffix(".js")
READY = "document.getElementById('cloud-drawing') !== null"
SHOWN = {"rings": "ring among the digits", "answers": "answer"}


def measure(quick: bool = False) -> list[Figure]:
    """Return the time from a pointer event to the ring, and to the answer."""
    figures = []
    with Server() as server, Browser(WIDTH, HEIGHT) as browser:
        address = f"http://127.0.0.1:{server.port}/atlas/cloud?model=digits"
        browser.open(address, SCRIPT.read_text(encoding="utf-8"), until=READY)
        draw_digits(browser, 2, FINGER)
        for name, moves_a_second in (("finger", FINGER), ("mouse", MOUSE)):
            browser.evaluate("void Object.values(watched).forEach((list) => (list.length = 0))")
            draw_digits(browser, QUICK_DIGITS if quick else DIGITS, moves_a_second)
            time.sleep(1)
            watched: dict[str, Any] = browser.evaluate("watched")
            for key, words in SHOWN.items():
                found = latencies(watched["moves"], watched[key])
                note = f"{len(found)} of {len(watched['moves'])} events"
                figures.append(summarise(f"{name}: pointer event to {words}", found, note=note))
    return figures


def latencies(moves: list[dict[str, float]], updates: list[dict[str, float]]) -> list[float]:
    """Return the milliseconds from each move until the first update with it is painted."""
    return [
        painted - move["made"]
        for move in moves
        if (painted := next((each["painted"] for each in updates if each["left"] >= move["told"]), None)) is not None
    ]


if __name__ == "__main__":
    run_alone("cloud_dot", measure, __doc__)
