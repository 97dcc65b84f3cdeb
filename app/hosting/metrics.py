"""Prometheus metrics, shown at /metrics."""

import os
from contextlib import suppress
from pathlib import Path

from starlette.types import Scope

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_FILE_BYTES = 2**20  # more than the series of all routes take, so that the file never grows


def _reserve_files() -> None:
    """Allocate the files that prometheus-client maps into memory in a worker; on a full disk, do without them.

    It creates sparse files. On a full disk, the first write to one would end the process with SIGBUS, and then each
    worker that replaces it. Without a folder, /metrics shows the worker's own numbers instead of the sum of all.
    """
    folder = os.environ.get(MULTIPROCESS_FOLDER)
    if not folder:
        return
    paths = [Path(folder, f"{kind}_{os.getpid()}.db") for kind in ("counter", "histogram", "gauge_livesum")]
    try:
        for path in paths:
            if not path.exists():  # else of a dead worker with the same process id
                path.write_bytes(bytes(_FILE_BYTES))
    except OSError:
        del os.environ[MULTIPROCESS_FOLDER]
        for path in paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)  # the other workers could not read it


_reserve_files()  # prometheus-client reads the variable when it is imported

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead  # noqa: E402

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
REFUSED = Counter("layerglass_refused", "Requests refused before their route ran.", ["reason"])


def route_of(scope: Scope) -> str:
    """Return the template of a request's route, such as /api/models/{model}, which holds nothing that a client sent."""
    return getattr(scope.get("route"), "path", None) or "none"


def expose() -> bytes:
    """Return all metrics in Prometheus' text format, summed over the worker processes."""
    folder = os.environ.get(MULTIPROCESS_FOLDER)
    if not folder:
        return generate_latest(REGISTRY)
    _forget_dead_workers(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _forget_dead_workers(folder: Path) -> None:
    """Remove the gauges of workers that were killed."""
    for pid in {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*_*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another worker removed it at the same moment
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        except PermissionError:
            pass
