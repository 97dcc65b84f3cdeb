"""Files that are not read as pictures, by what they are: their name, and what to do instead.

Nothing is read of a file but a few bytes at known places.
"""

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from .avif import brands_of
from .tiff import Entry, is_tiff, read_directory

_EXPORT = "Open it in a picture viewer, save it as PNG or JPEG, then send that."
_SCREENSHOT = "Take a screenshot of the page that shows the digit, then send that."
_HEIC = (
    "Open it and take a screenshot, or share it as JPEG, then send that. For new ones, choose Settings > Camera > "
    "Formats > Most Compatible on the iPhone."
)
_RAW = "Export it as JPEG with the camera's software, or send the JPEG that the camera may have saved beside it."
_FRAME = "Pause it where the digit is seen, take a screenshot, then send that."


class Foreign(NamedTuple):
    """A kind of file that is not read."""

    name: str  # with its article
    advice: str

    def __str__(self) -> str:
        return f"This is {self.name}, which is not read here. {self.advice}"


_START = 4096  # bytes in which a text says what it is

_STARTS: tuple[tuple[bytes, Foreign], ...] = tuple(
    (start, Foreign(name, advice))
    for name, advice, starts in (
        ("a Photoshop document (PSD)", "Export it as PNG or JPEG, then send that.", [b"8BPS"]),
        ("a GIMP image (XCF)", "Export it as PNG or JPEG, then send that.", [b"gimp xcf"]),
        ("a JPEG XL picture", _EXPORT, [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"]),
        ("a JPEG 2000 picture", _EXPORT, [b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"]),
        ("a JPEG XR picture", _EXPORT, [b"II\xbc\x01"]),
        ("a Windows icon", _EXPORT, [b"\0\0\1\0"]),
        ("an OpenEXR picture", _EXPORT, [b"v/1\x01"]),
        ("a Radiance picture (HDR)", _EXPORT, [b"#?RADIANCE", b"#?RGBE"]),
        ("a DirectDraw picture (DDS)", _EXPORT, [b"DDS "]),
        ("a QOI picture", _EXPORT, [b"qoif"]),
        ("a FITS picture", _EXPORT, [b"SIMPLE  ="]),
        ("a PostScript document", _SCREENSHOT, [b"%!PS", b"\xc5\xd0\xd3\xc6"]),
        ("a camera's raw picture (CR2)", _RAW, [b"II*\0\x10\0\0\0CR"]),
        ("a camera's raw picture (ORF)", _RAW, [b"IIRO", b"IIRS", b"MMOR"]),
        ("a camera's raw picture (RW2)", _RAW, [b"IIU\0"]),
        ("a camera's raw picture (RAF)", _RAW, [b"FUJIFILMCCD-RAW"]),
        ("a camera's raw picture (X3F)", _RAW, [b"FOVb"]),
        ("a camera's raw picture (MRW)", _RAW, [b"\0MRM"]),
        ("a video (WebM or Matroska)", _FRAME, [b"\x1aE\xdf\xa3"]),
        ("a video (MPEG)", _FRAME, [b"\0\0\1\xba", b"\0\0\1\xb3"]),
        ("a video (Flash)", _FRAME, [b"FLV\x01"]),
        ("a video (WMV)", _FRAME, [b"0&\xb2u\x8ef\xcf\x11"]),
        ("a video (Ogg)", _FRAME, [b"OggS"]),
        ("an Office document", _SCREENSHOT, [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf"]),
    )
    for start in starts
)

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"heif"}
_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}  # a file of QuickTime may begin with
_OFFICE = re.compile(rb"\[Content_Types\]\.xml|mimetypeapplication/vnd\.oasis\.opendocument|(word|ppt|xl)/")
_TEXT = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")

_FIRST_KIND, _SUB_PICTURES, _PHOTOMETRIC, _DNG = 254, 330, 262, 50706
_OF_A_SENSOR = {32803, 34892}  # photometric interpretations


def name_foreign(data: bytes) -> Foreign | None:
    """Return what a file is, if it is of a known kind that is not read here."""
    return next((each for start, each in _STARTS if data.startswith(start)), None) or next(
        (found for read in _READERS if (found := read(data)) is not None), None
    )


def _in_boxes(data: bytes) -> Foreign | None:
    """Name what lies in boxes of ISO/IEC 14496-12: HEIC, videos, Canon's newer raw pictures."""
    brands = brands_of(data)
    if not brands:
        return Foreign("a video (QuickTime)", _FRAME) if data[4:8] in _QUICKTIME else None
    if brands[0] == b"crx ":
        return Foreign("a camera's raw picture (CR3)", _RAW)
    if {b"avif", b"avis"} & {*brands}:
        return None
    if _HEIC_BRANDS & {*brands}:
        return Foreign("a HEIC picture, as iPhones take them", _HEIC)
    return Foreign("a video (MP4 or QuickTime)", _FRAME)


def _in_riff(data: bytes) -> Foreign | None:
    return Foreign("a video (AVI)", _FRAME) if data[:4] == b"RIFF" and data[8:12] == b"AVI " else None


def _in_tiff(data: bytes) -> Foreign | None:
    """Name a camera's raw picture: a TIFF of a sensor's values, or of a thumbnail with them behind it."""
    if not is_tiff(data):
        return None
    try:
        entries = read_directory(data)
    except struct.error:
        return None
    if _DNG in entries:
        return Foreign("a camera's raw picture (DNG)", _RAW)
    photometric, first_kind = (_number(data, entries.get(tag)) for tag in (_PHOTOMETRIC, _FIRST_KIND))
    if photometric in _OF_A_SENSOR or (first_kind == 1 and _SUB_PICTURES in entries):
        return Foreign("a camera's raw picture (such as NEF or ARW)", _RAW)
    return None


def _number(data: bytes, entry: Entry | None) -> int | None:
    """Return the first number of an entry of two or four bytes; None if there is none."""
    size = {3: 2, 4: 4}.get(entry.kind) if entry else None
    if entry is None or size is None:
        return None
    return int.from_bytes(data[entry.start : entry.start + size], "little" if data[:1] == b"I" else "big")


def _in_text(data: bytes) -> Foreign | None:
    start = data[:_START]
    if not _TEXT.match(start):
        return None
    lowered = start.lower()
    if b"<svg" in lowered:
        return Foreign("a drawing in SVG", "Open it in a browser and take a screenshot, then send that.")
    if b"<!doctype html" in lowered or b"<html" in lowered:
        return Foreign("a web page", "Save the picture that it shows, or take a screenshot, then send that.")
    return None


def _in_documents(data: bytes) -> Foreign | None:
    if b"%PDF-" in data[:1024]:
        return Foreign("a PDF document", _SCREENSHOT)
    if data.startswith(b"PK\3\4") and _OFFICE.search(data[:_START]):
        return Foreign("an Office document", _SCREENSHOT)
    if data[128:132] == b"DICM":
        return Foreign("a DICOM picture", _EXPORT)
    return None


_READERS: tuple[Callable[[bytes], Foreign | None], ...] = (_in_boxes, _in_riff, _in_tiff, _in_text, _in_documents)
