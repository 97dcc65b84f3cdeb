"""Grey levels of more than 8 bits: white is what the picture uses, and noise in the dark stays dark."""

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.imaging.drawing import NothingDrawn, decode
from app.imaging.ink import find_ink, read_ink
from app.imaging.levels import to_8_bits, widen
from tests.pictures import draw_four, encode

FOUR = np.asarray(draw_four(), dtype=np.float64) / 255  # 1 is paper
CHANCE = np.random.default_rng(0)


def noise(spread: float, shape: tuple[int, ...] = FOUR.shape) -> NDArray[np.float64]:
    return CHANCE.normal(0, spread, shape)


def in_16_bits(levels: NDArray[np.float64]) -> NDArray[np.uint16]:
    return np.clip(np.rint(levels), 0, 65_535).astype(np.uint16)


@pytest.mark.parametrize("white", [255, 1023, 4095, 16_383, 65_535])
def test_white_is_that_of_the_depth_that_is_used(white: int) -> None:
    levels = in_16_bits(FOUR * white)
    assert np.abs(to_8_bits(levels).astype(int) - np.rint(levels * (255 / white))).max() <= 1


@pytest.mark.parametrize(
    "levels",
    [
        in_16_bits(FOUR * 3500 + 200 + noise(200)),
        in_16_bits(FOUR * 200 + 20 + noise(5)),
        in_16_bits(FOUR * 1000 + 30_000),
        in_16_bits(FOUR * 1000 + 30_000 + noise(20)),
        FOUR.astype(np.float32),
        (FOUR * 255).astype(np.float32),
        (FOUR * 2 - 1).astype(np.float32),
        (FOUR * 65_535).astype(np.float32),
        (FOUR * 0.01).astype(np.float32),
        (FOUR * 2e9).astype(np.int32),
    ],
    ids=[
        *("12 bits, noisy", "8 bits, noisy", "a part", "a part, noisy"),
        *("0 to 1", "0 to 255", "-1 to 1", "0 to 65535", "0 to 0.01", "32 bits"),
    ],
)
def test_the_digit_is_found(levels: NDArray[np.generic]) -> None:
    box = find_ink(Image.fromarray(to_8_bits(levels))).getbbox()
    assert box is not None
    assert np.abs(np.subtract(box, (71, 41, 210, 240))).max() <= 2


@pytest.mark.parametrize(
    "levels",
    [
        CHANCE.integers(0, 41, FOUR.shape).astype(np.uint16),
        in_16_bits(100 + noise(20)),
        in_16_bits(1000 + noise(300)),
        CHANCE.poisson(1, FOUR.shape).astype(np.uint16),
        np.where(CHANCE.random(FOUR.shape) < 5e-4, 200, 0).astype(np.uint16),
        in_16_bits(3900 + noise(10)),
        np.full((9, 9), 500, dtype=np.uint16),
        (CHANCE.random(FOUR.shape) * 0.01).astype(np.float32),
    ],
    ids=["uniform", "normal", "louder", "shot noise", "hot pixels", "blank paper", "one level", "floating point"],
)
def test_noise_and_blank_paper_are_no_ink(levels: NDArray[np.generic]) -> None:
    with pytest.raises(NothingDrawn):
        find_ink(Image.fromarray(to_8_bits(levels)))


def test_what_is_not_finite_is_black() -> None:
    levels = np.array([[0, 0.5, 1, np.nan, np.inf, -np.inf]] * 20, dtype=np.float32)
    assert to_8_bits(levels)[0].tolist() == [0, 128, 255, 0, 0, 0]


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_the_smallest_pictures_have_levels(size: tuple[int, int]) -> None:
    assert to_8_bits(np.full(size, 65_535, dtype=np.uint16)).tolist() == np.full(size, 255).tolist()


@pytest.mark.parametrize(("upper", "white"), [(0x0F, 255), (0x3F, 255), (0x40, 0x40), (0xFF, 0xFF), (0, 0)])
def test_colours_of_few_bits_are_widened(upper: int, white: int) -> None:
    for mode, pixel in (("RGB", (0, upper, 0)), ("RGBA", (0, upper, 0, 77)), ("LA", (upper, 77))):
        widened = widen(Image.new(mode, (2, 2), pixel)).getpixel((1, 1))
        assert widened == tuple(white if level == upper else level for level in pixel)


def png_in_16_bits(levels: NDArray[np.uint16]) -> bytes:
    """A PNG of three equal colours, 16 bits each."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width = levels.shape
    rows = b"".join(b"\0" + np.repeat(row, 3).astype(">u2").tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_a_scan_of_12_bits_is_seen() -> None:
    levels = in_16_bits(FOUR * 4095)
    for data in (encode(Image.fromarray(levels)), encode(Image.fromarray(levels), "TIFF"), png_in_16_bits(levels)):
        assert decode(data).convert("L").getextrema() == (0, 255)
        assert read_ink(data).getbbox() == (71, 41, 210, 240)
