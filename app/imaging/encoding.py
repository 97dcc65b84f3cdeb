"""Arrays to files: PNG (ISO/IEC 15948), the NPZ that numpy.load reads, and CSV.

PNGs are written here because Pillow takes three times as long for a picture as small as a layer's grid, most of it
overhead outside the compression. Deflate is ISA-L's, which takes half of zlib's time.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

from .mapped import Readable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Of 0 to 3. Levels 1 and 2 read memory that ISA-L has not set, so that the same pixels rarely become another file; 3 is
# slower, by a tenth of the time that a large network's answer takes to draw.
_COMPRESSION_LEVEL = 0
_BIT_DEPTH = 8

_BAND = 2**20  # bytes of a picture that are compressed at once
_PART = 2**18  # numbers of an array that are encoded at once
_CSV_PART = 2**14  # as text
_RELEASED = 16 * _PART  # numbers after which memory is given back


class _ColourType(IntEnum):
    """The PNG colour types that are written."""

    GREY = 0
    RGB = 2
    PALETTE = 3


class _Filter(IntEnum):
    """The PNG filter types that are written: a row's bytes as they are, or their differences from the left pixel."""

    NONE = 0
    SUB = 1


def encode_palette(indices: NDArray[np.uint8], palette: bytes, transparent: int | None = None) -> bytes:
    """Encode a palette PNG, one pixel an index.

    indices: (height, width). palette: RGB triples, at most 256. transparent: the index that is transparent; the file
    is smallest where it is 0.
    """
    height, width = indices.shape
    rows = np.full((height, 1 + width), _Filter.NONE, dtype=np.uint8)
    rows[:, 1:] = indices
    return encode_palette_rows(rows, palette, transparent)


def encode_palette_rows(rows: NDArray[np.uint8], palette: bytes, transparent: int | None = None) -> bytes:
    """Encode a palette PNG from rows that already hold their filter byte, which saves a copy.

    rows: (height, 1 + width), each with a 0 (no filter) before its indices.
    """
    return _encode(rows, rows.shape[1] - 1, _ColourType.PALETTE, _palette_chunks(palette, transparent))


def encode_levels(levels: NDArray[np.uint8]) -> bytes:
    """Encode a grey PNG from (height, width) uint8, or an RGB one from (height, width, 3)."""
    rows = np.full((len(levels), 1 + levels[0].size), _Filter.SUB, dtype=np.uint8)
    differences = rows[:, 1:].reshape(levels.shape)  # in the rows themselves
    differences[:, 0] = levels[:, 0]
    np.subtract(levels[:, 1:], levels[:, :-1], out=differences[:, 1:])  # modulo 256
    colour_type = _ColourType.RGB if levels.ndim == 3 else _ColourType.GREY
    return _encode(rows, levels.shape[1], colour_type)


def stream_bands(width: int, height: int, bands: Iterable[NDArray[np.uint8]]) -> Iterator[bytes]:
    """Encode an RGB PNG from its parts, one below the other, so that all of its pixels are never in memory at once.

    bands: (rows, width, 3) each, `height` rows in all. Yields: the file in parts.
    """
    return _stream((width, height), _ColourType.RGB, b"", map(_with_filter_bytes, bands))


def stream_enlarged(png: bytes, zoom: int) -> Iterator[bytes]:
    """Encode one of the palette PNGs that are written here anew, each pixel `zoom` times in both directions.

    Yields: the file in parts.
    """
    with Image.open(io.BytesIO(png)) as picture:
        indices, palette, transparent = np.asarray(picture), picture.getpalette(), picture.info.get("transparency")
    height, width = indices.shape
    bands = (np.repeat(np.repeat(part, zoom, axis=1), zoom, axis=0) for part in _cut_rows(indices, _BAND // zoom**2))
    chunks = _palette_chunks(bytes(palette or b""), transparent)
    return _stream((width * zoom, height * zoom), _ColourType.PALETTE, chunks, map(_with_filter_bytes, bands))


def _with_filter_bytes(band: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the rows of a part of a picture, each with a 0 (no filter) before its bytes."""
    bytes_of_rows = band.reshape(len(band), -1)
    rows = np.full((len(band), 1 + bytes_of_rows.shape[1]), _Filter.NONE, dtype=np.uint8)
    rows[:, 1:] = bytes_of_rows
    return rows


def _cut_rows(rows: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    """Cut a picture into parts of about so many bytes, one below the other."""
    step = max(1, size // rows[0].size)
    for first in range(0, len(rows), step):
        yield rows[first : first + step]


def encode_image(picture: Image.Image) -> bytes:
    """Encode a picture of any mode as a PNG, with Pillow."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def encode_npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Encode one .npy member a name. Unlike numpy.savez this allows any name, "file" included."""
    return b"".join(stream_npz(arrays))


def stream_npz(arrays: Mapping[str, NDArray[Any]], release: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """Encode the same in parts of about a megabyte, so that there is never a second copy of large arrays.

    release: called each time that some megabytes of an array have been read.
    """
    parts, unreleased = _Parts(), 0  # numbers
    with zipfile.ZipFile(parts, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                ordered = np.ascontiguousarray(array)
                np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(ordered))
                values = ordered.reshape(-1)
                for start in range(0, values.size, _PART):
                    part = values[start : start + _PART]
                    member.write(part.tobytes())
                    if parts.size >= _PART:
                        yield parts.take()
                    unreleased += part.size
                    if unreleased >= _RELEASED:
                        release()
                        unreleased = 0
    release()
    yield parts.take()


def stream_csv(rows: Readable, release: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """Encode a map, (rows, columns, 1), as CSV in parts: each value with the fewest digits that read back as itself.

    release: called at the end, and each time that some numbers have been read.
    """
    height, width, _ = rows.shape
    parts, unsent = [], 0  # numbers
    for row in range(height):
        for start in range(0, width, _CSV_PART):
            block = rows[slice(row, row + 1), slice(start, min(start + _CSV_PART, width)), slice(0, 1)]
            values = block.ravel().astype(str).tolist()
            parts.append(("," if start else "") + ",".join(values))
            unsent += len(values)
            if unsent >= _CSV_PART:
                yield "".join(parts).encode("ascii")
                parts, unsent = [], 0
                release()
        parts.append("\n")
    release()
    yield "".join(parts).encode("ascii")


class _Parts(io.RawIOBase):
    """A file that is only written, and whose bytes are taken away meanwhile."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts, self.size = [], 0
        return taken


def _encode(rows: NDArray[np.uint8], width: int, colour_type: _ColourType, palette_chunks: bytes = b"") -> bytes:
    size = (width, len(rows))
    if rows.size > _BAND:  # all at once would need as much memory again, several times
        return b"".join(_stream(size, colour_type, palette_chunks, _cut_rows(rows, _BAND)))
    data = _chunk(b"IDAT", isal_zlib.compress(np.ascontiguousarray(rows), _COMPRESSION_LEVEL))
    return b"".join([_SIGNATURE, _header(size, colour_type), palette_chunks, data, _chunk(b"IEND", b"")])


def _stream(
    size: tuple[int, int], colour_type: _ColourType, palette_chunks: bytes, bands: Iterable[NDArray[np.uint8]]
) -> Iterator[bytes]:
    """Encode a picture of this width and height in parts. bands: its rows, with their filter bytes."""
    compressor = isal_zlib.compressobj(_COMPRESSION_LEVEL)
    yield b"".join([_SIGNATURE, _header(size, colour_type), palette_chunks])
    for band in bands:
        if data := compressor.compress(np.ascontiguousarray(band)):
            yield _chunk(b"IDAT", data)
    yield _chunk(b"IDAT", compressor.flush()) + _chunk(b"IEND", b"")


def _header(size: tuple[int, int], colour_type: _ColourType) -> bytes:
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", *size, _BIT_DEPTH, colour_type, 0, 0, 0))


@lru_cache(64)
def _palette_chunks(palette: bytes, transparent: int | None) -> bytes:
    chunk = _chunk(b"PLTE", palette)
    if transparent is None:
        return chunk
    return chunk + _chunk(b"tRNS", b"\xff" * transparent + b"\x00")


def _chunk(name: bytes, content: bytes) -> bytes:
    check = isal_zlib.crc32(content, isal_zlib.crc32(name))
    return b"".join([struct.pack(">I", len(content)), name, content, struct.pack(">I", check)])
