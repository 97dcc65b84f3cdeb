"""What is looked at of a file to tell what it is."""

from dataclasses import dataclass
from pathlib import Path

from ..regular_files import RegularFile, read_regular

HEAD_BYTES = 2**16
TAIL_BYTES = 512


@dataclass(frozen=True)
class Sample:
    """The beginning and the end of a file, and its name."""

    path: Path
    head: bytes
    tail: bytes

    @property
    def name(self) -> str:
        """The file's name in lower case."""
        return self.path.name.lower()

    @property
    def text(self) -> str | None:
        """The beginning as text without blanks around it; None where it is no text in UTF-8 or UTF-16."""
        encoding = "utf-16" if self.head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        cut = self.head[:-4] if len(self.head) == HEAD_BYTES else self.head  # it may end within a character
        try:
            text = cut.decode(encoding, "ignore" if len(cut) < len(self.head) else "strict")
        except UnicodeDecodeError:
            return None
        return None if any(ord(character) < ord("\t") for character in text) else text.strip()

    def read(self, most: int) -> bytes:
        """Read the file from its beginning, up to `most` bytes. Raises: OSError."""
        return read_regular(self.path, most)[:most]


def take_sample(path: Path, file: RegularFile) -> Sample:
    """Return the sample of an open file. Raises: OSError."""
    file.seek(0)
    head = _read(file, HEAD_BYTES)
    file.seek(max(0, file.size - TAIL_BYTES))
    return Sample(path, head, _read(file, TAIL_BYTES))


def _read(file: RegularFile, size: int) -> bytes:
    return bytes(file.read(size) or b"")
