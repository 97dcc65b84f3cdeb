"""The process that listens: its socket, and uvicorn with the app's limits."""

import errno
import os
import socket
import sys
import tempfile
from contextlib import ExitStack, suppress
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from app.hosting.logs import log_config
from app.settings import Settings


def listen_on(host: str, port: int) -> socket.socket:
    """A socket that holds the address, so that a port in use is known before anything is loaded. Raises: OSError."""
    return _bind(socket.socket, host, port)


class SharedAddress(socket.socket):
    """A bound socket that becomes another one at the same address in each process that it is given to.

    Linux then deals out connections evenly. Of one socket, the process that wakes up first takes all that wait.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return SharedAddress.bind_again, self.getsockname()[:2]

    @classmethod
    def bind_again(cls, host: str, port: int) -> socket.socket:
        return _bind(cls, host, port, socket.SO_REUSEPORT)


def share(listener: socket.socket) -> socket.socket:
    """The address of a socket, for several processes; the socket is closed. Elsewhere than on Linux the socket itself.

    It had the address alone, so that no other server is there, with which it would be shared as well.
    """
    if sys.platform != "linux":
        return listener
    host, port = listener.getsockname()[:2]
    listener.close()
    return SharedAddress.bind_again(host, port)


def _bind(kind: type[socket.socket], host: str, port: int, *options: int) -> socket.socket:
    family, type_, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = kind(family, type_, protocol)
    try:
        for option in (socket.SO_REUSEADDR, *options):
            listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def cannot_listen(host: str, port: int, error: OSError) -> str:
    """The sentence for an address that cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use by another program. Stop that, or name another port with --port."
    return f"Cannot listen on port {port} of {host}: {error.strerror}. Name another with --host and --port."


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve until a signal says stop; SIGTERM and Ctrl+C let what is under way finish."""
    with ExitStack() as stack:
        if settings.workers > 1:
            # Where the workers put their figures, so that each can show the sum of all; if not, it shows its own.
            with suppress(OSError):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="layerglass-"))
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        config = configure(settings)
        try:
            if settings.workers > 1:
                Multiprocess(config, [stack.enter_context(share(listener))]).run()
            else:
                uvicorn.Server(config).run([listener])
        except KeyboardInterrupt:
            pass


def configure(settings: Settings) -> uvicorn.Config:
    """What uvicorn is told. Names instead of classes: nothing of the app is loaded in the process that supervises."""
    return uvicorn.Config(
        "app.main:create_app",
        factory=True,
        workers=settings.workers,
        http="app.hosting.protocol:LimitedProtocol",
        ws="none",
        access_log=False,  # app.hosting.middleware.request_log writes its own
        server_header=False,
        log_config=log_config(settings.log_format),
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        timeout_worker_healthcheck=30,  # a model that needs TensorFlow holds the interpreter for seconds
    )
