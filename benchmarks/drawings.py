"""Drawings for benchmarks. No two are alike, since the app remembers its last forward passes."""

import io
import secrets
import struct
import zlib

import numpy as np
from PIL.PngImagePlugin import PngInfo

from app.imaging.drawing import SAMPLES, Stroke, draw_strokes

_NOTE = b"tEXtnote\0"  # a text chunk of a PNG, which does not change the picture
_NOTE_BYTES = 16


def make_drawings(count: int, seed: int = 0) -> list[bytes]:
    """Return canvas-sized PNGs of digits: the samples in turn, each point moved by a few pixels."""
    random = np.random.default_rng(seed)
    digits = list(SAMPLES.values())
    return [_draw(digits[number % len(digits)], random) for number in range(count)]


def _draw(strokes: list[Stroke], random: np.random.Generator) -> bytes:
    moved = [[(float(x), float(y)) for x, y in stroke + random.normal(0, 2, np.shape(stroke))] for stroke in strokes]
    file, note = io.BytesIO(), PngInfo()
    note.add_text("note", "-" * _NOTE_BYTES)
    draw_strokes(moved).save(file, "PNG", pnginfo=note)
    return file.getvalue()


def make_unique(request: bytes) -> bytes:
    """Return the request with the same picture in other bytes, so that the app does not remember it."""
    before, found, after = request.partition(_NOTE)
    if not found:
        return request
    chunk = _NOTE + secrets.token_hex(_NOTE_BYTES // 2).encode()
    return before + chunk + struct.pack(">I", zlib.crc32(chunk)) + after[_NOTE_BYTES + 4 :]
