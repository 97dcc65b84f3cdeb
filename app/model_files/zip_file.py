"""A zip, of which single members are read into memory, each checked first. Nothing is ever unpacked to disk."""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import RESAVE, ModelError, shown
from .foreign import describe_zip
from .limits import ARCHIVE_MEMBERS, COMPRESSION_RATIO, SMALL_BYTES
from .regular_files import RegularFile

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_JUNK = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}  # what systems put into folders and zips
_CUT = (
    "This .keras or .zip file has no end: it was cut in the download, or while it was saved. Download or save it again."
)
_DAMAGED = "The .keras or .zip file is damaged: its parts do not fit together. Download or save it again."


class ZipFile:
    """The members of a zip by name, of which each points to a place within it, and none is a link."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        """Raises: ModelError."""
        self._file = file
        members = file.infolist()
        if len(members) > ARCHIVE_MEMBERS:
            raise ModelError(
                describe_zip([member.filename for member in members])
                or f"The archive has {len(members):,} members, where a .keras file has three; at most "
                f"{ARCHIVE_MEMBERS} are looked at. Zip the model alone, or bring it by itself."
            )
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in members:
            _check_place(member)
            if member.filename in self._members:
                raise ModelError(f"The archive holds {shown(member.filename)} twice, so that it can be read two ways.")
            self._members[member.filename] = member

    @property
    def names(self) -> list[str]:
        """The names of its files, in its own order, without what systems put there."""
        return [name for name, member in self._members.items() if not _is_folder(member) and not _is_junk(name)]

    def read(self, name: str, most: int) -> bytes:
        """Read a file of at most so many bytes, and no more than it declares. Raises: ModelError."""
        member = self._members[name]
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise ModelError(f"The archive's member {shown(name)} is encrypted or packed in an unusual way. {RESAVE}")
        if member.file_size > most:
            raise ModelError(f"{shown(name)} has {member.file_size:,} bytes; at most {most:,} are read.")
        if member.file_size > max(SMALL_BYTES, COMPRESSION_RATIO * member.compress_size):
            raise ModelError(
                f"{shown(name)} unpacks to more than {COMPRESSION_RATIO} times its size, as a zip bomb does."
            )
        with self._file.open(member) as stream:
            return stream.read(member.file_size)


@contextmanager
def open_zip(source: Path | bytes) -> Iterator[ZipFile]:
    """Open a zip for reading. Raises: ModelError, also for errors inside the block."""
    try:
        opened = io.BytesIO(source) if isinstance(source, bytes) else io.BufferedReader(RegularFile(source))
        with opened:
            if not zipfile.is_zipfile(opened):
                raise ModelError(_CUT)
            with zipfile.ZipFile(opened) as file:
                yield ZipFile(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ModelError(_DAMAGED) from error


def _is_folder(member: zipfile.ZipInfo) -> bool:
    return member.filename.endswith("/") and member.file_size == 0


def _is_junk(name: str) -> bool:
    return any(step in _JUNK or step.startswith("._") for step in name.split("/"))


def _check_place(member: zipfile.ZipInfo) -> None:
    """Raises: ModelError, for a member that is not where it seems to be."""
    name = member.filename
    if "\\" in name or name.startswith("/") or ".." in name.split("/") or ":" in name:
        raise ModelError(f"The archive's member {shown(name)} points out of the archive, which no model needs.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ModelError(f"The archive's member {shown(name)} is a link, which no model needs.")
