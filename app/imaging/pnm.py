"""PNM pictures (PBM, PGM, PPM) with a head of a few bytes, whatever comments theirs holds.

Pillow reads comments byte by byte, and numbers that are text or whose white is unusual one by one in Python.
"""

import re

from .essence import NotRead

_SPACE = rb"(?:\s|#[^\n]*\n)+"
_SIDES = rb"P([1-6])" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,9})"
_BITMAP = re.compile(_SIDES + rb"\s")
_LEVELS = re.compile(_SIDES + _SPACE + rb"(\d{1,5})\s")
_HEAD_BYTES = 4096
_OTHER = (
    "This PNM picture is written as text, or its white is not 255, which is not read here. Save it as a PNG, then "
    "send that."
)


def is_pnm(data: bytes) -> bool:
    """Return whether a file begins as PNM pictures do."""
    return re.match(rb"P[1-6][\s#]", data) is not None


def reduce_pnm(data: bytes) -> bytes:
    """Leave out the comments. Raises: NotRead."""
    match = (_BITMAP if data[1:2] in b"14" else _LEVELS).match(data[:_HEAD_BYTES])
    if match is None:
        raise NotRead("This PNM picture is broken or cut short. Save or export it again, then send that.")
    kind, width, height, *white = match.groups()
    head = b"P%b %b %b\n" % (kind, width, height)
    if kind == b"5" and int(white[0]) > 255:  # of two bytes, whose range is found later
        head += b"65535\n"
    elif kind != b"4":
        if kind not in b"56" or white[0] != b"255":
            raise NotRead(_OTHER)
        head += b"255\n"
    return head + data[match.end() :]
