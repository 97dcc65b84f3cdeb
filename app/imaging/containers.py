"""Picture files reduced to what makes their picture, so that nothing else in them costs time.

Pillow takes microseconds for each part of a file, and a part may be as short as two bytes. Comments, colour profiles,
thumbnails and further frames change nothing about a drawing, and are never shown to it. Nothing is decoded here.
"""

import re
import struct
from collections.abc import Iterator

from .avif import is_avif, reduce_avif
from .essence import Essence, TooManyParts
from .pnm import is_pnm, reduce_pnm
from .tiff import is_tiff, reduce_tiff

MAX_PARTS = 10_000  # chunks of a PNG, pieces of a GIF's comments: a PNG of 4 MB in chunks of 1 kB has 4,096
MAX_SEGMENTS = 1_000  # of a JPEG; a photograph has about 30

_PNG, _JPEG, _GIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8", (b"GIF87a", b"GIF89a")

_PNG_CHUNK_FRAME = 12  # bytes: length, kind, checksum
_PNG_KEPT = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"))

# The next marker that is no stuffed byte, no padding and no restart, of which a scan may have a million.
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_START, _END, _SCAN, _TEMPORARY = 0xD8, 0xD9, 0xDA, 0x01
_EXIF = 0xE1
_JPEG_LEFT_OUT = {*range(0xE1, 0xEE), 0xEF, 0xFE}  # APP1 to APP13, APP15, comments. APP0 and APP14 tell the colours.

_GIF_EXTENSION, _GIF_CONTROL = 0x21, 0xF9
_GIF_BLOCK = re.compile(rb"[!,;]")

_ORIENTATION, _SHORT = 274, 3  # a tag of TIFF, and the type of its value


def reduce_to_picture(data: bytes) -> Essence:
    """Leave out what makes no part of the first frame.

    A broken PNG, JPEG or GIF stays broken. Raises: TooManyParts, NotRead.
    """
    if data.startswith(_PNG):
        return Essence(_PNG + b"".join(_bounded(_png_chunks(data), MAX_PARTS)))
    if data.startswith(_JPEG):
        return _reduce_jpeg(data)
    if data.startswith(_GIF):
        return Essence(_reduce_gif(data))
    if is_tiff(data):
        return reduce_tiff(data)
    if is_avif(data):
        return Essence(reduce_avif(data))
    if is_pnm(data):
        return Essence(reduce_pnm(data))
    return Essence(data)


def count_png_chunks(data: bytes, limit: int) -> int:
    """Count a PNG's chunks, up to limit + 1."""
    return sum(1 for _ in zip(_png_chunks(data), range(limit + 1), strict=False))


def orientation_of(exif: bytes) -> int:
    """Return the orientation, 1 to 8, that Exif gives a picture; 1 where it gives none.

    Pillow would read all of it, and follow its offsets.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (first,) = struct.unpack_from(order + "I", tiff, 4)
    directory = tiff[first:]
    if len(directory) < 2:
        return 1
    (count,) = struct.unpack_from(order + "H", directory)
    entries = directory[2 : 2 + count * 12]
    for tag, kind, _, value in struct.iter_unpack(order + "HHIH2x", entries[: len(entries) // 12 * 12]):
        if tag == _ORIENTATION and kind == _SHORT:
            return value if 1 <= value <= 8 else 1
    return 1


def _bounded(parts: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Pass parts on. Raises: TooManyParts."""
    for number, part in enumerate(parts):
        if number == limit:
            raise TooManyParts(f"more than {limit:,}")
        yield part


def _png_chunks(data: bytes) -> Iterator[bytes]:
    """Yield each chunk; an empty one in the place of one that is left out. The last one may be cut short."""
    position = len(_PNG)
    while position < len(data):
        end = position + _PNG_CHUNK_FRAME + int.from_bytes(data[position : position + 4])
        kind = data[position + 4 : position + 8]
        yield data[position:end] if kind in _PNG_KEPT else b""
        if kind == b"IEND":
            break
        position = end


def _reduce_jpeg(data: bytes) -> Essence:
    kept, scans, exif = [_JPEG], 0, b""
    for number, (marker, content) in enumerate(_jpeg_segments(data)):
        if number == MAX_SEGMENTS:
            raise TooManyParts(f"more than {MAX_SEGMENTS:,}")
        scans += marker == _SCAN
        if marker == _EXIF and not exif and content[2:8] == b"Exif\0\0":
            exif = content[2:]
        if marker not in _JPEG_LEFT_OUT:
            kept += [bytes((0xFF, marker)), content]
    return Essence(b"".join(kept), scans, exif)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each marker and its bytes: what it says itself, and behind a start of scan what was scanned."""
    position = len(_JPEG)
    while match := _JPEG_MARKER.search(data, position):
        marker, position = match[1][0], match.end()
        if marker == _END:
            yield marker, b""
            return
        if marker in {_START, _TEMPORARY}:  # without a length
            yield marker, b""
            continue
        end = position + int.from_bytes(data[position : position + 2])
        if marker == _SCAN:
            after = _JPEG_MARKER.search(data, end)
            end = after.start() if after else len(data)
        yield marker, data[position:end]
        position = end


def _reduce_gif(data: bytes) -> bytes:
    """Leave out the extensions before the first frame, except for the last one that controls it."""
    start = position = 13 + (3 * 2 ** ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    control, parts = b"", 0
    while (match := _GIF_BLOCK.search(data, position)) and match[0][0] == _GIF_EXTENSION:
        label, position = data[match.end() : match.end() + 1], match.end() + 1
        while size := data[position : position + 1]:
            position += 1 + size[0]
            parts += 1
            if parts > MAX_PARTS:
                raise TooManyParts(f"more than {MAX_PARTS:,}")
            if size == b"\0":
                break
        if label == bytes((_GIF_CONTROL,)):
            control = data[match.start() : position]
    return data[:start] + control + (data[match.start() :] if match else b"")
