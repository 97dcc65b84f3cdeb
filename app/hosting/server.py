"""The server process: its socket, and uvicorn with this app's settings."""

import ctypes
import errno
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import parent_process
from multiprocessing.context import SpawnProcess
from multiprocessing.process import BaseProcess
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from ..settings import Settings
from ..temporary import TemporaryFolder
from .ending import end_in_time, seconds_for_requests
from .logs import log_config
from .resources import backlog_for

# glibc's malloc.h: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD.
_MALLOC_OPTIONS = {-8: 2, -3: 4 * 1024 * 1024, -1: 8 * 1024 * 1024}


def bind(host: str, port: int, reuse_port: bool = False) -> socket.socket:
    """Return a socket bound to the address, so that a port in use is reported before anything is loaded.

    reuse_port: other sockets may be bound to it too (SO_REUSEPORT). Raises: OSError.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError:  # "a..b", or a name with more than 63 characters between its dots
        raise OSError(errno.EADDRNOTAVAIL, "No such host name") from None
    family, type_, protocol, _, address = found[0]
    listener = (_ReusePortSocket if reuse_port else socket.socket)(family, type_, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


class _ReusePortSocket(socket.socket):
    """A bound socket that is unpickled as another one at the same address, so that each worker has its own.

    Linux then distributes connections evenly. With a shared socket, one worker can take every pending connection.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        host, port = self.getsockname()[:2]
        return bind, (host, port, True)


def share(listener: socket.socket) -> socket.socket:
    """Return a socket for several workers in place of this one, which is closed on Linux.

    The address was bound without SO_REUSEPORT first, so no other server shares it by accident.
    """
    if sys.platform != "linux":
        return listener
    host, port = listener.getsockname()[:2]
    listener.close()
    return bind(host, port, reuse_port=True)


def describe_bind_error(host: str, port: int, error: OSError) -> str:
    """Return the message for an address that cannot be bound."""
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use by another program. Stop that, or name another port with --port."
    return f"Cannot listen on port {port} of {host}: {error.strerror}. Name another with --host and --port."


def run_server(settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl+C, which let running requests finish within their time."""
    with ExitStack() as stack:
        if settings.workers > 1:
            with suppress(OSError):  # without this folder, /metrics shows each worker's own numbers
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(TemporaryFolder())
        config = make_config(settings)
        try:
            if settings.workers > 1:
                supervisor = Multiprocess(config, [stack.enter_context(share(listener))])
                end_in_time(
                    settings.shutdown_seconds,
                    at_once=lambda: _end_workers(supervisor, SpawnProcess.terminate),
                    at_last=lambda: _end_workers(supervisor, SpawnProcess.kill),
                )
                supervisor.run()
            else:
                uvicorn.Server(config).run([listener])
        except KeyboardInterrupt:
            pass


def _end_workers(supervisor: Multiprocess, end: Callable[[SpawnProcess], None]) -> None:
    """End the workers without the supervisor's main thread, which may be waiting for one that hangs."""
    for worker in supervisor.processes:
        with suppress(OSError):
            end(worker.process)


class _Config(uvicorn.Config):
    """uvicorn's configuration of a process that answers, which ends in time.

    Each such process loads it, a worker too, after uvicorn has set its signal handlers.
    """

    shutdown_seconds: int

    def load(self) -> None:
        end_in_time(self.shutdown_seconds)
        if (supervisor := parent_process()) is not None:
            threading.Thread(target=_end_with, args=(supervisor,), name="supervisor", daemon=True).start()
        super().load()


def _end_with(supervisor: BaseProcess) -> None:
    """End this worker once its supervisor is gone, which was killed: nobody would stop it or keep its folders."""
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)


def make_config(settings: Settings) -> uvicorn.Config:
    """Return uvicorn's configuration. The app and the protocol are names, so that the supervisor imports neither."""
    package = __package__.partition(".")[0]  # app in a checkout, layerglass once installed
    config = _Config(
        f"{package}.main:create_app",
        factory=True,
        workers=settings.workers,
        http=f"{package}.hosting.protocol:LimitedProtocol",
        ws="none",
        access_log=False,  # app.hosting.logs writes it
        server_header=False,
        log_config=log_config(settings.log_format),
        forwarded_allow_ips=settings.forwarded_allow_ips,
        backlog=backlog_for(settings.connections),
        timeout_keep_alive=settings.keep_alive_seconds,
        # Declared as whole seconds, but asyncio takes fractions.
        timeout_graceful_shutdown=seconds_for_requests(settings.shutdown_seconds),  # type: ignore[arg-type]
        timeout_worker_healthcheck=30,  # importing TensorFlow can hold the GIL for seconds
    )
    config.shutdown_seconds = settings.shutdown_seconds
    return config


def limit_malloc() -> None:
    """Have glibc's malloc return free memory to the system. Call this before any thread starts.

    By default it makes eight arenas a core, which cannot use each other's free memory, and raises its thresholds to
    keep up to 64 MB for later, so that a server grows for hours. Blocks of less than 4 MB are kept: allocating the
    arrays of a large network afresh for each request would take a third of its time.
    """
    with suppress(OSError, AttributeError, TypeError):  # no glibc, or on Windows no handle of the process itself
        for option, value in _MALLOC_OPTIONS.items():
            ctypes.CDLL(None).mallopt(option, value)


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Exclude all objects that exist now from garbage collection.

    What a server loads at its start stays. Each full collection of it would stop all requests for 0.1 s or more.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # resets the count of long-lived objects, which decides when the next full collection is due
    try:
        yield
    finally:
        gc.unfreeze()
