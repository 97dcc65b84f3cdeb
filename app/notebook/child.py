"""The server's process: it takes any free port, and ends with the process that started it."""

import logging
import os
import signal
import sys
import threading

from ..hosting.server import bind, run_server
from ..settings import Settings


def serve() -> None:
    """Print the port, then serve until the standard input ends.

    Its other end is the kernel's: the system closes it however that ends, killed too.
    """
    settings = Settings()
    logging.disable(logging.INFO)  # a line for each request, which nobody would read
    with bind(settings.host, 0) as listener:
        listener.listen()  # from now on requests wait until the app is ready
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=_end_with_input, name="kernel", daemon=True).start()
        run_server(settings, listener)


def _end_with_input() -> None:
    # Not by sys.stdin, whose lock this thread would hold as the interpreter ends: that aborts, and hides why it ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
