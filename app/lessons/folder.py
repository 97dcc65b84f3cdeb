"""The lessons that there are: those that came with Layerglass, and those in a teacher's folders.

Files are untrusted text. They are read when they change, while the server runs; what is wrong in one is told, and the
others still work.
"""

import os
import re
import stat
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic

from ..model_files.regular_files import read_regular
from .errors import BrokenLesson, LessonError, UnknownLesson
from .lesson import Lesson
from .parsing import parse_lesson

BUILT_IN = Path(__file__).parent / "texts"
MAX_BYTES = 64 * 1024  # of a lesson
MAX_LESSONS = 200  # of all folders together
ENDING = ".md"

_MOST_NAMES = 10_000  # of a folder, beyond which it is read no further
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_EVERY_SECONDS = 0.5  # the disk is read again

_Stamp = tuple[int, int, int]  # modified (ns), bytes, inode


@dataclass(frozen=True)
class BrokenFile:
    """A file that is no lesson, and why."""

    file: str
    error: LessonError

    @property
    def name(self) -> str:
        return self.file.removesuffix(ENDING)


@dataclass(frozen=True)
class Shelf:
    """All lessons in their order, and the files that are none."""

    lessons: dict[str, Lesson]
    broken: tuple[BrokenFile, ...]


class Lessons:
    """Lessons by name. It follows changes on disk. Thread-safe."""

    def __init__(self, folders: Sequence[Path], pages: Container[str], built_in: Path = BUILT_IN) -> None:
        """Read nothing yet. folders: a teacher's. pages: the paths of the pages that a step may lead to."""
        self._folders = ((built_in, True), *((folder, False) for folder in folders))
        self._pages = pages
        self._read: dict[Path, tuple[_Stamp, Lesson | LessonError]] = {}
        self._shelf = Shelf({}, ())
        self._next_look = 0.0
        self._lock = Lock()

    @property
    def shelf(self) -> Shelf:
        """What there is. The disk is read at most twice a second."""
        with self._lock:
            if monotonic() >= self._next_look:
                self._shelf = self._look()
                self._next_look = monotonic() + _EVERY_SECONDS
            return self._shelf

    def __iter__(self) -> Iterator[Lesson]:
        return iter(self.shelf.lessons.values())

    def get(self, name: str) -> Lesson:
        """Return the lesson of this name. Raises: UnknownLesson, BrokenLesson."""
        shelf = self.shelf
        if name in shelf.lessons:
            return shelf.lessons[name]
        for each in shelf.broken:
            if each.name == name:
                raise BrokenLesson(each.file, each.error)
        raise UnknownLesson.named(name, shelf.lessons)

    def _look(self) -> Shelf:
        found: dict[str, Lesson] = {}
        broken: list[BrokenFile] = []
        read: dict[Path, tuple[_Stamp, Lesson | LessonError]] = {}
        for folder, is_built_in in self._folders:
            for path in _list(folder):
                if len(read) >= MAX_LESSONS:
                    broken.append(BrokenFile(path.name, LessonError(1, f"There are {MAX_LESSONS} lessons already.")))
                    break
                read[path] = self._read_once(path, is_built_in)
                lesson = read[path][1]
                if isinstance(lesson, Lesson) and lesson.name in found:
                    lesson = LessonError(1, f"There is another lesson called “{lesson.name}”. Rename the file.")
                if isinstance(lesson, Lesson):
                    found[lesson.name] = lesson
                else:
                    broken.append(BrokenFile(path.name, lesson))
        self._read = read
        ordered = sorted(found.values(), key=lambda each: (not each.is_built_in, each.front_matter.order, each.title))
        return Shelf({lesson.name: lesson for lesson in ordered}, tuple(broken))

    def _read_once(self, path: Path, is_built_in: bool) -> tuple[_Stamp, Lesson | LessonError]:
        """Read a file, if it has changed."""
        try:
            status = path.lstat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._read.get(path)
            if known is not None and known[0] == stamp:
                return known
            return stamp, parse_lesson(path.stem, _read_text(path, status), self._pages, is_built_in)
        except LessonError as error:
            return stamp, error
        except OSError as error:
            return (0, 0, 0), LessonError(1, f"The file cannot be read: {error.strerror or error}.")


def _list(folder: Path) -> list[Path]:
    """Return the files in a folder that would be lessons, by name; none where it is missing."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_MOST_NAMES), strict=False)]
    except OSError:
        return []
    wanted = (name for name in names if name.endswith(ENDING) and not name.startswith("."))
    return [folder / name for name in sorted(wanted) if name.upper() != "README.MD"]


def _read_text(path: Path, status: os.stat_result) -> str:
    """Read a lesson's file. Raises: LessonError, OSError."""
    if not stat.S_ISREG(status.st_mode):
        kind = "a symbolic link, which is not followed" if stat.S_ISLNK(status.st_mode) else "no regular file"
        raise LessonError(1, f"This is {kind}.")
    if not _NAME.fullmatch(path.stem):
        raise LessonError(
            1, "A lesson's file has a name of letters, digits, dashes and underscores, since it is in the address."
        )
    data = read_regular(path, MAX_BYTES)
    if len(data) > MAX_BYTES:
        raise LessonError(
            1, f"A lesson has at most {MAX_BYTES // 1024} kB; this one has {status.st_size / 1024:,.0f} kB."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LessonError(line, "This is not UTF-8: save the file as text in UTF-8.") from None
    if "\0" in text:
        raise LessonError(text[: text.index("\0")].count("\n") + 1, "This holds a NUL, and so is no text.")
    return text
