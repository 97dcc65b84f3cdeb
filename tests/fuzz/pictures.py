"""Malformed pictures: any bytes become a network's input, or are refused in a sentence."""

import ctypes
import gc
import random
import time
import warnings
from contextlib import suppress
from typing import Any

import psutil
from PIL import Image

from app.cnn.card import Card, Fit, Ink
from app.explore.forward_passes import preprocess
from app.imaging.drawing import InvalidDrawing
from benchmarks.serving import private_dirty
from tests.fuzz.mutations import mutate
from tests.pictures import draw_four, encode

WARM_UP_SHARE = 0.2
GROWTH_BYTES = 5e6  # what Python's and Pillow's own pools may still take after that

_TURNED = b"Exif\0\0MM\0*\0\0\0\b\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"  # orientation 6
_KINDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("PNG", "L", {}), ("PNG", "1", {}), ("PNG", "P", {"transparency": 0}), ("PNG", "RGBA", {}), ("PNG", "I;16", {}),
    ("JPEG", "L", {}), ("JPEG", "RGB", {"progressive": True, "exif": _TURNED}), ("JPEG", "CMYK", {}),
    ("WEBP", "RGB", {}), ("WEBP", "RGBA", {"lossless": True}),
    ("GIF", "L", {}), ("GIF", "P", {"transparency": 0, "interlace": 1}),
    ("BMP", "1", {}), ("BMP", "L", {}), ("BMP", "RGB", {}),
    ("TIFF", "1", {"compression": "group4"}), ("TIFF", "L", {"big_tiff": True}),
    ("TIFF", "P", {"compression": "packbits"}),
    ("TIFF", "I;16", {"compression": "tiff_lzw"}), ("TIFF", "F", {}), ("TIFF", "CMYK", {"compression": "zstd"}),
    ("TIFF", "RGBA", {"compression": "tiff_adobe_deflate"}), ("TIFF", "YCbCr", {"compression": "jpeg"}),
    ("AVIF", "L", {}), ("AVIF", "RGBA", {}), ("PPM", "L", {}), ("TGA", "RGB", {"compression": "tga_rle"}),
)  # fmt: skip


def seeds() -> list[bytes]:
    """Return small valid pictures of every format that is read."""
    four = draw_four(40)
    found = [encode(four.convert(mode), format, **options) for format, mode, options in _KINDS]
    frames = [four.convert("P"), four.rotate(90).convert("P")]
    found.append(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    return [*found, encode(Image.new("RGB", (1, 1)), "PNG"), encode(Image.new("L", (300, 2), 255), "BMP")]


CARD = Card.model_validate(
    dict.fromkeys(("title", "description", "trained_on", "training"), "none")
    | {"classes": ["0", "1"], "input_shape": (28, 28, 1), "value_range": (0, 1)}
    | {"pooling": None, "parameters": 0, "test_accuracy": None}
)


def _card(fit: Fit, ink: Ink, channels: int) -> Card:
    return CARD.model_copy(update={"input_shape": (28, 28, channels), "fit": fit, "ink": ink})


CARDS = (_card(Fit.DIGIT, Ink.BRIGHT, 1), _card(Fit.FIT, Ink.DARK, 4))


def check(data: bytes) -> bool:
    """Whether the bytes are a drawing. Raises: whatever but InvalidDrawing goes wrong, which is a bug."""
    seen = False
    for card in CARDS:
        try:
            image = preprocess(data, card)
        except InvalidDrawing as error:
            assert str(error).endswith("."), "a refusal must be a sentence"
        else:
            assert image.shape == card.input_shape
            seen = True
    return seen


def memory_in_use(process: psutil.Process) -> int:
    """Return the bytes in use, without the free memory that malloc kept of the largest picture so far."""
    gc.collect()
    with suppress(OSError, AttributeError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)
    return private_dirty(process)


def fuzz(count: int, seconds: float, seed: int = 0) -> list[str]:
    """Try malformed pictures up to a count and a time. Returns: at most ten faults."""
    warnings.simplefilter("ignore")  # Pillow warns of what is odd in a file
    chance, known, faults = random.Random(seed), seeds(), list[str]()
    process, grown_from, tried, seen, slowest = psutil.Process(), 0, 0, 0, 0.0
    start = time.monotonic()
    for number in range(count):
        if (passed := time.monotonic() - start) > seconds:
            break
        if not grown_from and (number >= count * WARM_UP_SHARE or passed > seconds * WARM_UP_SHARE):
            grown_from = memory_in_use(process)
        data = mutate(chance.choice(known), known, chance)
        began = time.monotonic()
        try:
            seen += check(data)
        except Exception as error:
            faults.append(
                f"{type(error).__name__}: {error}: {data[:80].hex()} ({len(data)} bytes, seed {seed}, {number})"
            )
        slowest, tried = max(slowest, time.monotonic() - began), number + 1
    growth = memory_in_use(process) - grown_from
    print(f"pictures: {tried:,} tried, {seen:,} read, {tried - seen:,} refused, slowest {slowest:.2f} s, ", end="")
    print(
        f"{growth / 1e6:+.1f} MB since a fifth of them, {tried / (time.monotonic() - start):,.0f} a second", flush=True
    )
    if growth > GROWTH_BYTES:
        faults.append(f"Memory grew by {growth / 1e6:.0f} MB.")
    return faults[:10]
