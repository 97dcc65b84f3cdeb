"""What a benchmark finds: figures with their spread, printed as a table and written as JSON."""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

Way = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    """One figure: a median with the 5th and 95th percentile, or a single value without them."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    note: str = ""


Measure = Callable[[bool], list[Figure]]  # of one benchmark: quick -> its figures


def summarise(name: str, samples: Sequence[float], unit: str = "ms", note: str = "") -> Figure:
    """The median of the samples, with the 5th and 95th percentile."""
    if len(samples) < 2:
        return Figure(name, samples[0], unit, note=note)
    cuts = statistics.quantiles(samples, n=20, method="inclusive")
    return Figure(name, statistics.median(samples), unit, cuts[0], cuts[-1], note)


def ratio(name: str, ones: Iterable[float], others: Iterable[float], note: str = "") -> Figure:
    """How many times as long the ones take: of each round, then the median of the rounds."""
    return summarise(name, [one / other for one, other in zip(ones, others, strict=True)], "×", note)


def milliseconds(way: Way) -> float:
    """How long it takes once."""
    start = time.perf_counter()
    way()
    return (time.perf_counter() - start) * 1000


def alternate(ways: Mapping[str, Way], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each way in every round: all in turn, so that the machine's mood falls on all alike.

    In its turn each runs twice, and the second time counts: the first one finds the processor's caches full of what
    the others left there, which costs a way of 4 ms more than its own time, and one of 400 ms nothing.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            way()
            taken[name].append(milliseconds(way))
    return taken


def describe_machine() -> dict[str, object]:
    """What the figures depend on."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": load,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def print_table(title: str, figures: Iterable[Figure]) -> None:
    print(f"\n{title}")
    for figure in figures:
        spread = "" if figure.low is None else f"  ({figure.low:,.4g} to {figure.high:,.4g})"
        print(f"  {figure.name:44} {figure.value:10,.4g} {figure.unit:8}{spread}{'  ' + figure.note:.60}".rstrip())


def write_json(path: Path, results: Mapping[str, Iterable[Figure]]) -> None:
    """All figures of a run, under the benchmarks' names, with the machine that they were measured on."""
    told = {name: [asdict(figure) for figure in figures] for name, figures in results.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": describe_machine(), "figures": told}, indent=1) + "\n", encoding="utf-8")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What every benchmark takes."""
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it works, not to quote")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there as well")


def run_alone(name: str, measure: Measure, description: str | None) -> None:
    """`python -m benchmarks.NAME`."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    add_options(parser)
    options = parser.parse_args()
    figures = measure(options.quick)
    print_table(name, figures)
    if options.json:
        write_json(options.json, {name: figures})
