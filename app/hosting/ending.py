"""The end of a process within its time, whatever still runs in it.

uvicorn asks running requests to finish, but a computation cannot be interrupted, and Python waits for its thread.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

from ..temporary import remove_own

_logger = logging.getLogger("layerglass")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_LAST_SECONDS = 0.4  # of the time, for deleting temporary folders
_REQUESTS = 0.8  # of the rest, for running requests before the app's own end


def seconds_for_requests(seconds: float) -> float:
    """Return how long running requests may take to finish, of the seconds in which the process must end."""
    return _REQUESTS * max(0.0, seconds - _LAST_SECONDS)


def _nothing() -> None:
    pass


def end_in_time(seconds: float, at_once: Callable[[], None] = _nothing, at_last: Callable[[], None] = _nothing) -> None:
    """From the first SIGTERM or Ctrl+C on, give this process so many seconds before it is ended. Unix only.

    A thread waits for the signal's number, which Python writes to a socket at once. A signal handler would wait until
    the main thread has come back from native code.

    at_once: what is done in that thread when the signal comes. at_last: what is done before the process is ended.
    """
    if os.name == "nt":  # its SIGTERM ends a process at once
        return
    numbers, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
    # The thread keeps both ends open.
    watch = partial(_watch, numbers, wakeup, seconds, at_once, at_last)
    threading.Thread(target=watch, name="ending", daemon=True).start()


def _watch(
    numbers: socket.socket,
    _: socket.socket,
    seconds: float,
    at_once: Callable[[], None],
    at_last: Callable[[], None],
) -> None:
    while (number := numbers.recv(1)[0]) not in _SIGNALS:
        pass
    deadline = time.monotonic() + min(seconds, threading.TIMEOUT_MAX)
    at_once()
    time.sleep(max(0.0, deadline - time.monotonic() - _LAST_SECONDS))

    def take_last_steps() -> None:
        at_last()
        remove_own()
        _logger.warning("What still ran after %g seconds was given up.", seconds)

    # Each of these steps may hang: what the process is stuck in can hold a lock, or a folder.
    steps = threading.Thread(target=take_last_steps, daemon=True)
    steps.start()
    steps.join(_LAST_SECONDS)
    os._exit(128 + number)
