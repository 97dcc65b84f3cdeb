"""TIFF files reduced to their first picture: one directory of the few tags that tell how its pixels lie in the file.

A TIFF may point anywhere, and as often as it likes: at a million strips, at the same strip again and again, at a tile
of a gigabyte. Here each number is checked, and libtiff is shown a directory made anew.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from .essence import Essence, NotRead, TooManyParts

MAX_STRIPS = 10_000  # or tiles; 4096×4096 pixels in tiles of 64×64 are 4,096
MAX_SIDE = 2**16  # of a strip or a tile; the picture's own limits are checked later, and are lower

_HEADS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_FORMATS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # of the types that these tags may have
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8, 18: 8}

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION = 256, 257, 258, 259, 262, 274
_STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES = 273, 277, 278, 279
_TILE_WIDTH, _TILE_LENGTH, _TILES, _TILE_BYTES = 322, 323, 324, 325
_JPEG_TABLES = 347
# Fill order, planar configuration, T4 and T6 options, predictor, colour map, extra samples, sample format, the
# subsampling and the positioning of YCbCr, and its reference of black and white are what else decides about pixels.
_OTHERS = {266: 1, 284: 1, 292: 1, 293: 1, 317: 1, 320: 3 * 2**16, 338: 8, 339: 8, 530: 2, 531: 1}
_COUNTS = {  # the most numbers that each tag may have
    **dict.fromkeys((_WIDTH, _LENGTH, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _SAMPLES, _ROWS), 1),
    **dict.fromkeys((_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES), MAX_STRIPS),
    **{_BITS: 8, _TILE_WIDTH: 1, _TILE_LENGTH: 1, _JPEG_TABLES: 2**16, **_OTHERS},
}

_NONE, _JPEG = 1, 7
_READ = {_NONE, 2, 3, 4, 5, _JPEG, 8, 32773, 32946, 50000}  # CCITT, LZW, Deflate, PackBits, Zstandard
_PROGRESSIVE = (b"\xff\xc2", b"\xff\xc6", b"\xff\xca", b"\xff\xce")
_MAX_SCANS = 4  # of the JPEG in a strip: one for each of its colours

_AGAIN = "Save it as a PNG, then send that."
BROKEN = "This TIFF picture is broken or cut short. Save or export it again, then send that."

Tags = dict[int, tuple[int, ...]]


class Entry(NamedTuple):
    """An entry of a directory."""

    kind: int
    length: int  # how many values
    start: int  # of its values in the file


def is_tiff(data: bytes) -> bool:
    """Return whether a file says that it is a TIFF, of the old or of the large kind."""
    return data[:4] in _HEADS


def reduce_tiff(data: bytes) -> Essence:
    """Leave out all but the first picture. Raises: TooManyParts, NotRead."""
    try:
        entries = read_directory(data)
        tags = {tag: _values(data, tag, entries[tag]) for tag in sorted(entries.keys() & _COUNTS.keys())}
        orientation = tags.pop(_ORIENTATION, (1,))[0]
        made = _check(data, tags)
    except (struct.error, IndexError, KeyError, ValueError) as error:
        if isinstance(error, TooManyParts | NotRead):
            raise
        raise NotRead(BROKEN) from error
    order = _HEADS[data[:4]]
    return Essence(_write(data, order, made), exif=_write(b"", order, {_ORIENTATION: (orientation,)}))


def read_directory(data: bytes) -> dict[int, Entry]:
    """Read the entries of a file's first directory, by their tags. Raises: struct.error if it is cut short."""
    order, is_large = _HEADS[data[:4]], data[2] == 43 or data[3] == 43
    (start,) = _unpack(order + ("Q" if is_large else "I"), data, 8 if is_large else 4)
    (count,) = _unpack(order + ("Q" if is_large else "H"), data, start)
    layout, size = (order + "HHQQ", 20) if is_large else (order + "HHII", 12)
    room = size - (12 if is_large else 8)
    start += 8 if is_large else 2
    found: dict[int, Entry] = {}
    for number in range(min(count, 2**12)):
        at = start + number * size
        tag, kind, length, elsewhere = _unpack(layout, data, at)
        inside = length * _SIZES.get(kind, 1) <= room
        found.setdefault(tag, Entry(kind, length, at + size - room if inside else elsewhere))
    return found


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, ...]:
    """Read numbers at a place that a file gives. Raises: struct.error if it is not in the file."""
    if at > len(data):  # perhaps too far for C
        raise struct.error("out of the file")
    return struct.unpack_from(layout, data, at)


def _values(data: bytes, tag: int, entry: Entry) -> tuple[int, ...]:
    if entry.length > _COUNTS[tag]:
        if tag in {_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES}:
            raise TooManyParts(f"more than {MAX_STRIPS:,}")
        raise ValueError(tag)
    kind = "B" if entry.kind == 7 else _FORMATS[entry.kind]
    return _unpack(f"{_HEADS[data[:4]]}{entry.length}{kind}", data, entry.start)


def _check(data: bytes, tags: Tags) -> Tags:
    """Return the tags of a directory that libtiff may read. Raises: NotRead, ValueError, KeyError (it is broken)."""
    width, height = tags[_WIDTH][0], tags[_LENGTH][0]
    compression = tags.get(_COMPRESSION, (_NONE,))[0]
    if compression not in _READ:
        raise NotRead(f"This TIFF picture is packed in a way that is not read (compression {compression}). {_AGAIN}")
    if not 0 < max(tags.get(_BITS, (1,))) <= 32 or not 0 < tags.get(_SAMPLES, (1,))[0] <= 8:
        raise NotRead(f"This TIFF picture has more bits or channels in a pixel than are read. {_AGAIN}")
    made = {**tags, _COMPRESSION: (compression,)}
    if _TILES in tags:
        starts, sizes = tags[_TILES], tags.get(_TILE_BYTES)
        if not 0 < tags[_TILE_WIDTH][0] * tags[_TILE_LENGTH][0] <= 4 * max(width * height, 2**16):
            raise ValueError("the tiles are larger than the picture")
        names = _TILES, _TILE_BYTES
    else:
        starts, sizes = tags[_STRIPS], tags.get(_STRIP_BYTES)
        made[_ROWS] = (min(max(1, tags.get(_ROWS, (height,))[0]), max(1, height)),)
        names = _STRIPS, _STRIP_BYTES
    if sizes is None:  # of one strip, all that follows
        sizes = tuple(max(0, len(data) - start) for start in starts)
    made |= dict(zip(names, _fitted(data, starts, sizes), strict=True))
    if compression == _JPEG:
        _check_jpeg(data, made[names[0]], made[names[1]])
    return made


def _fitted(data: bytes, starts: Sequence[int], sizes: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return where strips start and how long they are, within the file. Raises: ValueError if they overlap."""
    if len(starts) != len(sizes) or any(start > len(data) for start in starts):
        raise ValueError("strips out of the file")
    fitted = tuple(min(size, len(data) - start) for start, size in zip(starts, sizes, strict=True))
    if sum(fitted) > len(data):
        raise ValueError("strips that overlap")
    return tuple(starts), fitted


def _check_jpeg(data: bytes, starts: Sequence[int], sizes: Sequence[int]) -> None:
    """Refuse strips of JPEG that would be drawn over themselves, which no TIFF should hold. Raises: NotRead."""
    for start, size in zip(starts, sizes, strict=True):
        strip = data[start : start + size]
        if strip.count(b"\xff\xda") > _MAX_SCANS or any(mark in strip for mark in _PROGRESSIVE):
            raise NotRead(f"This TIFF picture holds a progressive JPEG, which TIFF does not allow. {_AGAIN}")


def _write(data: bytes, order: str, tags: Tags) -> bytes:
    """Return the file with one directory of these tags behind it, and none of its own."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    body = bytearray(head + bytes(4) + data[8:])
    body += bytes(len(body) % 2)
    entries = []
    for tag in sorted(tags):
        kind, form = (7, "B") if tag == _JPEG_TABLES else (3, "H") if max(tags[tag], default=0) < 2**16 else (4, "I")
        values = struct.pack(f"{order}{len(tags[tag])}{form}", *tags[tag])
        if len(values) > 4:
            at = len(body)
            body += values + bytes(len(values) % 2)
            values = struct.pack(order + "I", at)
        entries.append(struct.pack(order + "HHI", tag, kind, len(tags[tag])) + values.ljust(4, b"\0"))
    struct.pack_into(order + "I", body, 4, len(body))
    return bytes(body + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4))
