"""An account of what is kept in memory for later: networks that are ready, and forward passes that are remembered."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

MAX_BYTES = 512 * 2**20


class Kept:
    """Things of some weight; when all together are too heavy, the least recently used ones go. Thread-safe."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self._things: OrderedDict[Hashable, tuple[int, Callable[[], None]]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """What all of them weigh, in bytes."""
        return self._size

    def put(self, key: Hashable, nbytes: int, let_go: Callable[[], None], beside: Hashable = None) -> None:
        """Add a thing that weighs so much, as the newest. It goes at once where there is no room for it.

        let_go: drops it; called when it has to go. beside: another thing, which does not go for its sake.
        """
        self.touch(beside)
        self._change(key, (nbytes, let_go), beside=beside)

    def put_in_use(self, key: Hashable, nbytes: int, let_go: Callable[[], None]) -> None:
        """Add a thing that stays whatever it weighs, until others are newer."""
        self._change(key, (nbytes, let_go), stays=True)

    def weigh(self, key: Hashable, nbytes: int) -> None:
        """Say what a thing in use weighs now, as the newest. One that is not kept is ignored."""
        with self._lock:
            thing = self._things.get(key)
        if thing is not None:
            self._change(key, (nbytes, thing[1]), stays=True)

    def touch(self, key: Hashable) -> None:
        """Make a thing the newest. One that is not kept is ignored."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)

    def forget(self, key: Hashable) -> None:
        """Take a thing off the account; whoever calls this drops it."""
        with self._lock:
            nbytes, _ = self._things.pop(key, (0, None))
            self._size -= nbytes

    def _change(
        self, key: Hashable, thing: tuple[int, Callable[[], None]], stays: bool = False, beside: Hashable = None
    ) -> None:
        gone = []
        with self._lock:
            before, _ = self._things.pop(key, (0, None))
            self._things[key] = thing
            self._size += thing[0] - before
            most_needed = stays or beside in self._things  # one of them goes for nothing's sake
            while self._size > self.max_bytes and len(self._things) > most_needed:
                oldest = next(iter(self._things))
                _, (nbytes, let_go) = self._things.popitem(last=oldest == beside)
                self._size -= nbytes
                gone.append(let_go)
        for let_go in gone:  # without the lock: it may take one of its own
            let_go()
