"""What the system must give a server: address space and open files."""

try:
    import resource
except ImportError:  # Windows has neither limit
    resource = None  # type: ignore[assignment]

ADDRESS_SPACE_MEGABYTES = 1000  # with all threads it takes 590, and keeps bodies and forward passes beside that
_OWN_FILES = 64  # beside connections: sockets, pipes of children, files that are read for answers
_LEAST_BACKLOG = 32
_MOST_BACKLOG = 2048  # uvicorn's default
_LEAST_CONNECTIONS = 16

_TOO_LITTLE_SPACE = (
    "The server needs {needed:,} MB of address space, and may have {allowed:,.0f} MB. Raise the limit with "
    "`ulimit -v`, and start again."
)
_TOO_FEW_FILES = (
    "The server needs {needed:,} open files for {connections:,} connections, at least {least:,}, and may have "
    "{allowed:,}. Raise the limit with `ulimit -n`, and start again."
)


class TooLittle(Exception):
    """The system gives this process too little to serve. The message says what to do."""


def lingering_limit(connections: int) -> int:
    """Return how many refused connections are held beside so many others."""
    return 16 + connections // 4


def require_address_space() -> None:
    """Raise the process's limit as far as it may. Raises: TooLittle."""
    if resource is None:
        return
    allowed = _raise_limit(resource.RLIMIT_AS, ADDRESS_SPACE_MEGABYTES * 2**20)
    if allowed is not None:
        raise TooLittle(_TOO_LITTLE_SPACE.format(needed=ADDRESS_SPACE_MEGABYTES, allowed=allowed / 2**20))


def fit_connections(connections: int) -> int:
    """Return how many connections the process may hold open, at most this many.

    Raises: TooLittle, if there would be hardly any.
    """
    if resource is None:
        return connections
    needed = _files_for(connections)
    allowed = _raise_limit(resource.RLIMIT_NOFILE, needed)
    if allowed is None:
        return connections
    if allowed < (least := _files_for(min(connections, _LEAST_CONNECTIONS))):
        raise TooLittle(_TOO_FEW_FILES.format(needed=needed, connections=connections, least=least, allowed=allowed))
    return (allowed - _files_for(0)) * 4 // 5


def backlog_for(connections: int) -> int:
    """Return how many connections may wait to be accepted.

    The event loop accepts all of them before it looks at the first, so that they too need open files.
    """
    if resource is None:
        return _MOST_BACKLOG
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_BACKLOG
    rest = soft - _files_for(connections) + _LEAST_BACKLOG
    return max(_LEAST_BACKLOG, min(rest, _MOST_BACKLOG))


def _files_for(connections: int) -> int:
    return _OWN_FILES + connections + lingering_limit(connections) + _LEAST_BACKLOG


def _raise_limit(kind: int, needed: int) -> int | None:
    """Raise a limit of this process to what is needed. Return what it may have instead, if that is less."""
    soft, hard = resource.getrlimit(kind)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return None
    reached = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(kind, (reached, hard))
    except (OSError, OverflowError, ValueError):  # macOS has a limit below the hard one
        reached = soft
    return None if reached >= needed else reached
