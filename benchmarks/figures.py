"""Figures with their spread: measured, printed as a table, and written as JSON."""

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

Operation = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    """One figure: a median with the 5th and 95th percentile, or a single value without them."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    note: str = ""


Measure = Callable[[bool], list[Figure]]  # takes quick


def summarise(name: str, samples: Sequence[float], unit: str = "ms", note: str = "") -> Figure:
    """Return the median of the samples, with the 5th and 95th percentile."""
    if len(samples) < 2:
        return Figure(name, samples[0], unit, note=note)
    cuts = statistics.quantiles(samples, n=20, method="inclusive")
    return Figure(name, statistics.median(samples), unit, cuts[0], cuts[-1], note)


def ratio(name: str, times: Iterable[float], base_times: Iterable[float], note: str = "") -> Figure:
    """Return the ratio of each round's times, summarised over the rounds."""
    return summarise(name, [one / other for one, other in zip(times, base_times, strict=True)], "×", note)


def milliseconds(operation: Operation) -> float:
    """Return the time that the operation takes once."""
    start = time.perf_counter()
    operation()
    return (time.perf_counter() - start) * 1000


def alternate(operations: Mapping[str, Operation], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each operation in every round. They take turns, so that a slow minute slows all.

    Each runs twice in its turn, and the second time counts: in the first, the processor's caches are full of the
    others' data, which more than doubles the time of one of 4 ms and costs one of 400 ms nothing.
    """
    times: dict[str, list[float]] = {name: [] for name in operations}
    for _ in range(rounds):
        for name, operation in operations.items():
            operation()
            times[name].append(milliseconds(operation))
    return times


def describe_machine() -> dict[str, object]:
    """Return the facts that the figures depend on."""
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
    """Write the figures of a run by benchmark, with a description of the machine."""
    by_name = {name: [asdict(figure) for figure in figures] for name, figures in results.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": describe_machine(), "figures": by_name}, indent=1) + "\n", encoding="utf-8")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every benchmark."""
    parser.add_argument("--quick", action="store_true", help="fewer rounds: only to check that it works")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there as well")


def run_alone(name: str, measure: Measure, description: str | None) -> None:
    """Run one benchmark as `python -m benchmarks.NAME`."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    add_options(parser)
    options = parser.parse_args()
    figures = measure(options.quick)
    print_table(name, figures)
    if options.json:
        write_json(options.json, {name: figures})
