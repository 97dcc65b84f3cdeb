"""Arrays to PNG files (ISO/IEC 15948), made to be written fast.

Pillow takes three times as long for a picture as small as a layer's grid: most of it is not compression. Deflate is
ISA-L's, at half of zlib's time.
"""

import io
import struct
from enum import IntEnum
from functools import lru_cache

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LEVEL = 1  # of 0 to 3: a fifth smaller than 0
_BITS = 8


class _Colour(IntEnum):
    """What a pixel's bytes are."""

    GREY = 0
    RGB = 2
    PALETTE = 3


class _Filter(IntEnum):
    """What is kept of a line: its bytes, or how each pixel differs from the one before."""

    NONE = 0
    SUB = 1


def encode_palette(indices: NDArray[np.uint8], palette: bytes, transparent: int | None = None) -> bytes:
    """A palette PNG, one pixel an index.

    indices: (height, width). palette: RGB triples, at most 256. transparent: the index that is see-through; the file
    is smallest where that is 0.
    """
    return encode_palette_lines(_begin_lines(indices, _Filter.NONE), palette, transparent)


def encode_palette_lines(lines: NDArray[np.uint8], palette: bytes, transparent: int | None = None) -> bytes:
    """The same of a picture that has room for what a file keeps of each line's filter, and so need not be copied.

    lines: (height, 1 + width), each beginning with a 0, which says that it is kept as it is.
    """
    return _write(lines, lines.shape[1] - 1, _Colour.PALETTE, _palette_chunks(palette, transparent))


def encode_levels(levels: NDArray[np.uint8]) -> bytes:
    """A grey PNG of (height, width) uint8, or one in colour of (height, width, 3)."""
    differences = levels.copy()
    differences[:, 1:] -= levels[:, :-1]  # modulo 256
    colour = _Colour.RGB if levels.ndim == 3 else _Colour.GREY
    return _write(_begin_lines(differences, _Filter.SUB), levels.shape[1], colour)


def encode_image(picture: Image.Image) -> bytes:
    """A picture of any mode as a PNG."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _begin_lines(filtered: NDArray[np.uint8], kind: _Filter) -> NDArray[np.uint8]:
    """Lines as a file has them, of (height, width) or (height, width, 3) as the filter left them."""
    lines = np.full((len(filtered), 1 + filtered[0].size), kind, dtype=np.uint8)
    lines[:, 1:] = filtered.reshape(len(filtered), -1)
    return lines


def _write(lines: NDArray[np.uint8], width: int, colour: _Colour, tables: bytes = b"") -> bytes:
    """A file of these lines, each with its filter before it."""
    header = struct.pack(">IIBBBBB", width, len(lines), _BITS, colour, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), tables, _chunk(b"IDAT", isal_zlib.compress(lines, _LEVEL)), _chunk(b"IEND", b"")]
    return _SIGNATURE + b"".join(parts)


@lru_cache(64)
def _palette_chunks(palette: bytes, transparent: int | None) -> bytes:
    chunk = _chunk(b"PLTE", palette)
    if transparent is None:
        return chunk
    return chunk + _chunk(b"tRNS", b"\xff" * transparent + b"\x00")


def _chunk(name: bytes, content: bytes) -> bytes:
    named = name + content
    return struct.pack(">I", len(content)) + named + struct.pack(">I", isal_zlib.crc32(named))
