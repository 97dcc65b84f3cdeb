"""From pen to picture in several checkouts in turn: `python -m benchmarks.pen_in_turn ../before .`

Each has a server and a browser of its own, all the time. Digit by digit one after the other is drawn on, so that
whatever else the machine does slows all of them. What Chromium does with a frame may change for seconds and then change
back, so look at the single digits as well. Processor time hardly depends on what else runs.
"""

import argparse
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

from benchmarks.devtools import Browser
from benchmarks.pen_to_picture import FINGER, HEIGHT, MOUSE, SCRIPT, WIDTH, draw_digits, latencies, watch
from benchmarks.serving import Server

HANDS = {"finger": FINGER, "mouse": MOUSE}
READY = "document.querySelector('#explorer[data-htmx-powered]') && document.querySelector('.layer img') !== null"


class Digit(NamedTuple):
    """What drawing one digit took: the median from event to paint, and processor time an update, in milliseconds."""

    latency: float
    server: float
    browser: float


class Checkout:
    """One checkout's page, ready to be drawn on."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.name = root.name
        self.server = stack.enter_context(Server(root=root))
        self.browser = stack.enter_context(Browser(WIDTH, HEIGHT))
        address = f"http://127.0.0.1:{self.server.port}/"
        self.browser.open(address, SCRIPT.read_text(encoding="utf-8"), until=READY)
        draw_digits(self.browser, 1, FINGER)

    def draw(self, moves_a_second: int) -> Digit:
        processes = [self.server.processes(), self.browser.processes()]
        before = [_processor_time(each) for each in processes]
        watched, _ = watch(self.browser, 1, moves_a_second)
        updates = max(1, len(watched["updates"]))
        server, browser = (
            1000 * (_processor_time(each) - start) / updates for each, start in zip(processes, before, strict=True)
        )
        return Digit(median(latencies(watched)), server, browser)


def _processor_time(processes: list[psutil.Process]) -> float:
    times = [each.cpu_times() for each in processes if each.is_running()]
    return float(sum(each.user + each.system for each in times))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pen_in_turn", description=__doc__)
    parser.add_argument("checkouts", type=Path, nargs="+", help="folders, the one to compare with first")
    parser.add_argument("--rounds", type=int, default=4, help="digits that are drawn with each hand in each of them")
    options = parser.parse_args()
    with ExitStack() as stack:
        checkouts = [Checkout(path.resolve(), stack) for path in options.checkouts]
        drawn: dict[tuple[str, str], list[Digit]] = {}
        for number in range(options.rounds):
            for hand, moves in HANDS.items():
                for each in checkouts[:: -1 if number % 2 else 1]:
                    drawn.setdefault((hand, each.name), []).append(each.draw(moves))
            print(f"\n{number + 1} of {options.rounds}: event to paint; server and browser an update; each digit")
            for (hand, name), digits in sorted(drawn.items()):
                latency, server, browser = (median(each) for each in zip(*digits, strict=True))
                each_digit = " ".join(f"{digit.latency:.0f}" for digit in digits)
                print(
                    f"  {hand:7} {name:20} {latency:5.1f} ms  {server:5.2f}  {browser:5.2f} ms  {each_digit}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
