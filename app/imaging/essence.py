"""What is left of a picture file once all that makes no part of its picture is left out."""

from typing import NamedTuple


class Essence(NamedTuple):
    """What makes a picture."""

    data: bytes  # a file of the same format
    scans: int = 1  # of a JPEG: each is a pass over the whole picture
    exif: bytes = b""  # of a JPEG, whose Exif Pillow would read whole for the resolution, and of a TIFF


class TooManyParts(ValueError):
    """A file of more parts than any picture needs."""


class NotRead(ValueError):
    """A picture of a kind that is not read, or a broken one. The message is a sentence for the person who sent it."""
