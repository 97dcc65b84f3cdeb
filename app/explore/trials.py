"""The right card without knowing it: each of a user's models is tried once, and what is far better is used."""

from threading import Lock

from ..cnn.errors import RunFailed, RunInterrupted, WrongImageSize
from ..library.library import Library
from ..library.models import ModelEntry
from ..library.readings import Reading, Readings
from ..library.uploads import StorageError
from .readings import CannotTry, try_readings

# What the best reading has to read to be used without asking: a share of the drawings, and so much more of them than
# the reading that the model's file tells of.
_ENOUGH, _FAR_MORE = 0.6, 0.2

_SAID = "Its card says how a drawing becomes its input."
_INPUT_FIELDS = frozenset(Reading.model_fields) - {"classes"}


class Trials:
    """Tries each of a user's models once, when it is first used. Thread-safe."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = Lock()
        self._trying: dict[str, Lock] = {}  # by file: each is tried once
        self._not_kept: dict[str, Readings] = {}  # by file, where nothing can be written

    def is_due(self, entry: ModelEntry) -> bool:
        """Return whether a model has not been tried yet, and nobody has said how it sees."""
        is_done = entry.is_built_in or entry.readings or entry.file.key in self._not_kept
        return not is_done and entry.error is None and not entry.written & _INPUT_FIELDS

    def find(self, name: str) -> Readings:
        """Return what trying a model has shown; try it now if it is due. Raises: UnknownModel, ModelError."""
        key = self._library.entry(name).file.key
        with self._lock:
            trying = self._trying.setdefault(key, Lock())
        try:
            with trying:
                return self._find(name)
        finally:
            with self._lock:
                self._trying.pop(key, None)

    def _find(self, name: str) -> Readings:
        entry = self._library.entry(name)
        if not self.is_due(entry):
            return entry.readings or self._not_kept.get(entry.file.key) or Readings.none(_SAID)
        try:
            found = try_readings(self._library.network(name))
        except RunInterrupted as error:  # the server's trouble: it is tried again
            return Readings.none(str(error))
        except (CannotTry, RunFailed, WrongImageSize) as error:
            found = Readings.none(str(error))
        self._keep(entry, found.model_copy(update={"is_used": not entry.written and is_sure(found)}))
        return self._library.entry(name).readings or found

    def _keep(self, entry: ModelEntry, readings: Readings) -> None:
        try:
            self._library.keep_readings(entry.name, readings)
        except StorageError:
            self._not_kept[entry.file.key] = readings.model_copy(update={"is_used": False})


def is_sure(readings: Readings) -> bool:
    """Return whether the best reading is so much better than what the model's file tells that nobody need be asked."""
    if readings.as_told is None:
        return False
    best, told = readings.best[0], readings.as_told
    reads_more = best.right - told.right >= _FAR_MORE * readings.drawings
    names_classes = best.reading.classes != told.reading.classes
    return best.right >= _ENOUGH * readings.drawings and (reads_more or names_classes)
