"""What is measured, in Prometheus' words; GET /metrics shows it."""

import os
from contextlib import suppress
from pathlib import Path

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.types import Scope

from app.hosting.figures import reserve_room

reserve_room()

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client reads it once, when it is imported

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

REQUESTS = Counter("layerglass_requests", "Answered requests.", ["method", "route", "status"])
DURATION = Histogram(
    "layerglass_request_seconds", "From a request's head to its answer's end.", ["route"], buckets=_SECONDS
)
COMPUTATION = Histogram(
    "layerglass_computation_seconds", "From a turn's start to its end: decoding, forward pass, pictures.", ["route"],
    buckets=_SECONDS,
)  # fmt: skip
FORWARD_PASS = Histogram("layerglass_forward_pass_seconds", "One forward pass of a network.", buckets=_SECONDS)
RUNNING = Gauge("layerglass_running", "Computations under way.", multiprocess_mode="livesum")
WAITING = Gauge("layerglass_waiting", "Requests that wait for their turn.", multiprocess_mode="livesum")
REFUSED = Counter("layerglass_refused", "Requests that were refused before their route was asked.", ["reason"])


def route_of(scope: Scope) -> str:
    """The template of a request's route, such as /api/models/{model}: never what a person wrote into the address."""
    return getattr(scope.get("route"), "path", None) or "none"


def expose() -> bytes:
    """All metrics in Prometheus' text format: of all worker processes, where there are several."""
    folder = os.environ.get(MULTIPROCESS_FOLDER)
    if not folder:
        return generate_latest(REGISTRY)
    _forget_dead_workers(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _forget_dead_workers(folder: Path) -> None:
    """A worker that was killed has nothing under way any more."""
    for pid in {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*_*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another worker forgets it at the same moment
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        except PermissionError:
            pass
