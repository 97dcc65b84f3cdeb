"""AVIF files reduced to their still picture, with the pixels that it really has counted before anything decodes them.

The size that a file claims is not what its AV1 data unfolds to: a few bytes may hold a hundred million pixels. So the
boxes of ISO/IEC 14496-12 and 23008-12 are read, and of each coded item the sequence header of AV1, section 5.5.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .essence import NotRead, TooManyParts

MAX_PIXELS = 2 * 4096**2  # of all coded items times their frames: colours and transparency
MAX_ITEMS = 300  # in a file, and of boxes in a row; tiles of 512×512 pixels make 64 items of 4096×4096
BROKEN = "This AVIF picture is broken or cut short. Save or export it again, then send that."
_NO_STILL = "This AVIF file holds no still picture. Save a picture of it as PNG, then send that."
_TOO_LARGE = "This AVIF picture unfolds to more pixels than are read: 4,096×4,096 at most. Send a smaller picture."

_KEPT = {b"ftyp", b"meta", b"mdat"}
_META_KEPT = {b"hdlr", b"pitm", b"iloc", b"iinf", b"iprp", b"iref", b"idat"}
_DECODED = {b"av01", b"grid"}
_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6  # of AV1's units


class _Box(NamedTuple):
    kind: bytes
    start: int
    content: int
    end: int


class _Bytes:
    """Numbers read one after another. Raises: ValueError where the bytes end."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data, self.at, self.end = data, at, len(data) if end is None else end

    def take(self, count: int) -> bytes:
        """Read so many bytes."""
        if self.at + count > self.end:
            raise ValueError("cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        """Read an unsigned number of so many bytes."""
        return int.from_bytes(self.take(size))

    def leb128(self) -> int:
        """Read a number in pieces of seven bits."""
        value = 0
        for position in range(8):
            piece = self.number(1)
            value |= (piece & 0x7F) << 7 * position
            if not piece & 0x80:
                break
        return value


class _Bits:
    """Bits read one after another. Raises: ValueError where they end."""

    def __init__(self, data: bytes) -> None:
        self.value, self.left = int.from_bytes(data), 8 * len(data)

    def number(self, count: int) -> int:
        """Read an unsigned number of so many bits."""
        if count > self.left:
            raise ValueError("cut short")
        self.left -= count
        return self.value >> self.left & ((1 << count) - 1)


def brands_of(data: bytes) -> list[bytes]:
    """Return the brands of a file in boxes, the major one first; none for any other file."""
    if data[4:8] != b"ftyp":
        return []
    brands = data[16 : min(int.from_bytes(data[:4]), 16 + 4 * MAX_ITEMS)]
    return [data[8:12], *(brands[at : at + 4] for at in range(0, len(brands), 4))]


def is_avif(data: bytes) -> bool:
    """Return whether a file says that it is an AVIF."""
    return bool({b"avif", b"avis"} & {*brands_of(data)})


def reduce_avif(data: bytes) -> bytes:
    """Leave out films, their sounds and what else is no part of the still picture. Raises: NotRead, TooManyParts."""
    try:
        return _reduce(data)
    except ValueError as error:
        if isinstance(error, TooManyParts | NotRead):
            raise
        raise NotRead(BROKEN) from error


def _reduce(data: bytes) -> bytes:
    made = bytearray(data)
    top = _once_each(made, _boxes(data, 0, len(data)), _KEPT, several=b"mdat")
    if b"meta" not in top:
        raise NotRead(_NO_STILL)
    head, meta = top[b"ftyp"], top[b"meta"]
    for at in (head.content, *range(head.content + 8, head.end - 3, 4)):
        made[at : at + 4] = b"avif"  # one that says it is a film needs the film
    parts = _once_each(made, _boxes(data, meta.content + 4, meta.end), _META_KEPT)
    if not {b"iloc", b"iinf", b"iprp"} <= parts.keys():
        raise ValueError("incomplete")
    _check_properties(data, parts[b"iprp"])
    if b"iref" in parts:
        _count_boxes(data, parts[b"iref"].content + 4, parts[b"iref"].end)
    items = _items(data, parts[b"iinf"])
    _check_items(data, parts, {number: kind for number, (kind, _) in items.items()})
    for kind, at in items.values():
        if kind not in _DECODED:  # Pillow would read Exif, and a turn stands in a property
            made[at : at + 4] = b"free"
    return bytes(made)


def _boxes(data: bytes, start: int, end: int) -> Iterator[_Box]:
    """Yield boxes that lie side by side. Raises: ValueError, TooManyParts."""
    for _ in range(MAX_ITEMS):
        if start >= end:
            return
        reader = _Bytes(data, start, end)
        size, kind = reader.number(4), reader.take(4)
        size = reader.number(8) if size == 1 else size or end - start
        if not reader.at - start <= size <= end - start:
            raise ValueError("a box beyond its end")
        yield _Box(kind, start, reader.at, start + size)
        start += size
    raise TooManyParts(f"more than {MAX_ITEMS:,}")


def _once_each(made: bytearray, boxes: Iterator[_Box], kept: set[bytes], several: bytes = b"") -> dict[bytes, _Box]:
    """Return boxes by kind, and call all other ones free space. Raises: ValueError if there are two of a kind."""
    found: dict[bytes, _Box] = {}
    for box in boxes:
        if box.kind not in kept:
            made[box.start + 4 : box.start + 8] = b"free"
        elif box.kind in found and box.kind != several:
            raise ValueError("two of a kind")
        else:
            found[box.kind] = box
    return found


def _bounded(number: int) -> int:
    """Pass on how many there are of something. Raises: TooManyParts."""
    if number > MAX_ITEMS:
        raise TooManyParts(f"more than {MAX_ITEMS:,}")
    return number


def _count_boxes(data: bytes, start: int, end: int) -> int:
    """Count boxes that lie side by side. Raises: ValueError, TooManyParts."""
    return sum(1 for _ in _boxes(data, start, end))


def _check_properties(data: bytes, properties: _Box) -> None:
    for box in _boxes(data, properties.content, properties.end):
        if box.kind == b"ipco":
            _count_boxes(data, box.content, box.end)
        elif box.kind == b"ipma":
            _bounded(_Bytes(data, box.content + 4, box.end).number(4))


def _check_items(data: bytes, parts: dict[bytes, _Box], kinds: dict[int, bytes]) -> None:
    """Refuse coded items that unfold to too many pixels. Raises: NotRead, TooManyParts, ValueError."""
    pixels = 0
    for item, content in _contents_of_items(data, parts[b"iloc"], parts.get(b"idat")):
        if kinds.get(item) == b"av01":
            pixels += _count_pixels(content)
        elif kinds.get(item) == b"grid":
            reader = _Bytes(content, 1)
            size = 4 if reader.number(1) & 1 else 2
            reader.take(2)  # rows and columns
            pixels = max(pixels, reader.number(size) * reader.number(size))
        if pixels > MAX_PIXELS:
            raise NotRead(_TOO_LARGE)


def _items(data: bytes, information: _Box) -> dict[int, tuple[bytes, int]]:
    """Return by its number the kind of each item (av01, grid, Exif), and where the kind stands."""
    reader = _Bytes(data, information.content, information.end)
    version = reader.number(4) >> 24
    _bounded(reader.number(4 if version else 2))
    found: dict[int, tuple[bytes, int]] = {}
    for box in _boxes(data, reader.at, information.end):
        entry = _Bytes(data, box.content, box.end)
        item_size = {2: 2, 3: 4}.get(entry.number(4) >> 24)
        if item_size is None or (item := entry.number(item_size)) in found:
            raise ValueError("an item of no kind, or of two")
        entry.take(2)
        found[item] = entry.take(4), entry.at - 4
    return found


def _contents_of_items(data: bytes, locations: _Box, inside: _Box | None) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each item. Raises: ValueError, TooManyParts."""
    reader = _Bytes(data, locations.content, locations.end)
    version, sizes = reader.number(4) >> 24, reader.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 4 if version == 2 else 2
    extents, length_of_all, known = 0, 0, set[int]()
    for _ in range(_bounded(reader.number(wide))):
        item = reader.number(wide)
        if item in known:
            raise ValueError("an item in two places")
        known.add(item)
        method = reader.number(2) & 15 if version else 0
        reader.take(2)
        base, content = reader.number(base_size), b""
        for _ in range(_bounded(reader.number(2))):
            extents = _bounded(extents + 1)
            reader.take(index_size if version else 0)
            at, length = base + reader.number(offset_size), reader.number(length_size)
            if method == 1 and inside is not None:
                at += inside.content
            if at > len(data):
                raise ValueError("an item out of the file")
            piece = data[at : at + length if length else len(data)]
            content += piece
            length_of_all += len(piece)
        if length_of_all > len(data):
            raise ValueError("items that overlap")
        yield item, content


def _count_pixels(content: bytes) -> int:
    """Return the pixels of a coded item: those of a frame, at most, for each of its frames."""
    reader, pixels, frames = _Bytes(content), 0, 0
    while reader.at < reader.end:
        head = reader.number(1)
        reader.take(head >> 2 & 1)
        unit = reader.take(reader.leb128() if head & 2 else reader.end - reader.at)
        kind = head >> 3 & 15
        if kind == _SEQUENCE_HEADER:
            pixels = max(pixels, _read_size(unit))
        frames += kind in {_FRAME_HEADER, _FRAME}
    return pixels * max(1, frames)


def _read_size(unit: bytes) -> int:
    """Return the pixels of the largest frame that a sequence header allows."""
    bits = _Bits(unit[:2048])
    bits.number(4)  # profile, still picture
    is_reduced = bits.number(1)
    if is_reduced:
        bits.number(5)  # level
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.number(4) + 1, bits.number(4) + 1
    width, height = bits.number(width_bits) + 1, bits.number(height_bits) + 1
    # A frame may give a size of its own unless the header is that of a still picture.
    return width * height if is_reduced else 2 ** (width_bits + height_bits)


def _skip_operating_points(bits: _Bits) -> None:
    delay = 0
    if bits.number(1):  # timing
        bits.number(64)
        if bits.number(1):  # an interval in as many bits as there were zeros, and one more
            zeros = 0
            while not bits.number(1):
                zeros += 1
            bits.number(zeros)
        if bits.number(1):
            delay = bits.number(5) + 1
            bits.number(42)
    has_delays = bits.number(1)
    for _ in range(bits.number(5) + 1):
        bits.number(12)
        if bits.number(5) > 7:
            bits.number(1)
        if delay and bits.number(1):
            bits.number(2 * delay + 1)
        if has_delays and bits.number(1):
            bits.number(4)
