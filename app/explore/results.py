"""Results of long computations, remembered so that another look at them costs no new one."""

from collections.abc import Hashable
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

from ..library.kept import Kept

T = TypeVar("T")

MAX_BYTES = 64 * 2**20


class Results(Generic[T]):
    """The results that were used last, as many as there is room for. Thread-safe.

    A key names everything that the result depends on. A network is named by a weak reference to it: one that is opened
    anew, or has another card, is another network.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._kept = Kept(max_bytes)
        self._results: dict[Hashable, T] = {}
        self._lock = Lock()

    def get(self, key: Hashable) -> T | None:
        """Return a result, and make it the newest; None if it is not remembered."""
        with self._lock:
            found = self._results.get(key)
        self._kept.touch(key)
        return found

    def put(self, key: Hashable, result: T, nbytes: int) -> T:
        """Remember a result that takes so many bytes, and return it."""
        with self._lock:
            self._results[key] = result
        self._kept.put(key, nbytes, partial(self._forget, key))
        return result

    def _forget(self, key: Hashable) -> None:
        with self._lock:
            self._results.pop(key, None)
