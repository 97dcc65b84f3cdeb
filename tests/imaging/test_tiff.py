"""TIFF files: every kind of pixels and of packing, and what would hold a computer up."""

import io
import struct
import time
import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from app.imaging.drawing import InvalidDrawing, decode
from app.imaging.tiff import is_tiff, read_directory, reduce_tiff
from tests.pictures import draw_four, encode

FOUR = draw_four(120)
SECONDS = 0.5
PACKINGS = [None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "zstd"]


def lab(picture: Image.Image) -> Image.Image:
    rgb, other = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(picture.convert("RGB"), rgb, other, outputMode="LAB")
    assert converted is not None
    return converted


def tiff(tags: dict[int, Sequence[int]], pixels: bytes = b"") -> bytes:
    """A little-endian TIFF of these tags; numbers are of four bytes, or of two where all fit."""
    body, entries = bytearray(b"II*\0" + bytes(4) + pixels), []
    for tag in sorted(tags):
        kind, form = (3, "H") if max(tags[tag]) < 2**16 else (4, "I")
        values = struct.pack(f"<{len(tags[tag])}{form}", *tags[tag])
        if len(values) > 4:
            at = len(body)
            body += values
            values = struct.pack("<I", at)
        entries.append(struct.pack("<HHI", tag, kind, len(tags[tag])) + values.ljust(4, b"\0"))
    struct.pack_into("<I", body, 4, len(body))
    return bytes(body + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4))


def grey(width: int, height: int, packing: int = 8, **tags: Sequence[int]) -> dict[int, Sequence[int]]:
    """The tags of a grey picture of 8 bits. tags: t and their number."""
    basic = {256: [width], 257: [height], 258: [8], 259: [packing], 262: [1], 277: [1]}
    return basic | {int(name[1:]): values for name, values in tags.items()}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"])
def test_every_kind_of_pixels_is_read(mode: str, packing: str | None) -> None:
    picture = lab(FOUR) if mode == "LAB" else FOUR.convert(mode)
    decoded = decode(encode(picture, "TIFF", compression=packing))
    expected = picture.convert("L") if mode == "1" else FOUR
    assert np.abs(np.asarray(decoded.convert("L")).astype(int) - np.asarray(expected)).max() <= 1
    assert decoded.mode == {"1": "L", "L": "L", "P": "RGBA", "LA": "LA", "RGBA": "RGBA"}.get(mode, "RGB")


@pytest.mark.parametrize("packing", ["tiff_ccitt", "group3", "group4"])
def test_a_fax_is_read(packing: str) -> None:
    picture = FOUR.point(lambda level: 255 * (level > 127)).convert("1")
    decoded = decode(encode(picture, "TIFF", compression=packing))
    np.testing.assert_array_equal(np.asarray(decoded), np.asarray(picture.convert("L")))


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
def test_jpeg_in_a_tiff_is_read(mode: str) -> None:
    decoded = decode(encode(FOUR.convert(mode), "TIFF", compression="jpeg", quality=95))
    assert np.abs(np.asarray(decoded.convert("L")).astype(int) - np.asarray(FOUR)).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_set_upright(orientation: int) -> None:
    data = encode(FOUR, "TIFF", tiffinfo={274: orientation})
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(np.asarray(decode(data)), np.asarray(expected))


def test_a_large_tiff_is_read() -> None:
    np.testing.assert_array_equal(np.asarray(decode(encode(FOUR, "TIFF", big_tiff=True))), np.asarray(FOUR))


def test_several_pages_are_the_first_one() -> None:
    data = encode(FOUR, "TIFF", save_all=True, append_images=[FOUR.rotate(90)] * 3)
    np.testing.assert_array_equal(np.asarray(decode(data)), np.asarray(FOUR))


@pytest.mark.parametrize("packing", [1, 8])
def test_tiles_and_strips_are_put_together(packing: int) -> None:
    whole = np.asarray(draw_four(64).resize((96, 64)))
    pack = zlib.compress if packing == 8 else bytes
    for names, size, pieces in (
        (
            (324, 325),
            {"t322": [32], "t323": [32]},
            [whole[y : y + 32, x : x + 32] for y in (0, 32) for x in (0, 32, 64)],
        ),
        ((273, 279), {"t278": [16]}, [whole[y : y + 16] for y in range(0, 64, 16)]),
    ):
        packed = [pack(piece.tobytes()) for piece in pieces]
        starts = 8 + np.cumsum([0, *map(len, packed[:-1])])
        tags = {**grey(96, 64, packing, **size), names[0]: starts.tolist(), names[1]: [*map(len, packed)]}
        np.testing.assert_array_equal(np.asarray(decode(tiff(tags, b"".join(packed)))), whole)


def test_what_is_left_is_one_directory_of_what_makes_the_picture() -> None:
    data = encode(FOUR, "TIFF", tiffinfo={270: "a comment", 305: "a program", 282: 72.0}, icc_profile=bytes(1000))
    assert {270, 282, 305, 34675} <= read_directory(data).keys()
    essence = reduce_tiff(data)
    assert read_directory(essence.data).keys() <= {256, 257, 258, 259, 262, 273, 277, 278, 279, 284}
    assert is_tiff(essence.data) and read_directory(essence.exif).keys() == {274}


ROW = zlib.compress(bytes(4096), 9)
SCANS = encode(Image.new("RGB", (64, 64)), "JPEG", progressive=True)
LARGE_JPEG = encode(Image.new("RGB", (4000, 4000)), "JPEG")
BOMBS = {
    "strips": tiff(grey(4096, 4096, t273=[8] * 500_000, t278=[1], t279=[1] * 500_000)),
    "small tiles": tiff(grey(4096, 4096, t322=[16], t323=[16], t324=[8] * 65_536, t325=[9] * 65_536)),
    "the same strip": tiff(grey(4096, 4096, 1, t273=[8] * 4096, t278=[1], t279=[4096] * 4096), bytes(4096)),
    "rows": tiff(
        grey(4096, 4096, t273=[8 + at * len(ROW) for at in range(4096)], t278=[1], t279=[len(ROW)] * 4096), ROW * 4096
    ),
    "a huge tile": tiff(grey(9, 9, t322=[2**31 - 16], t323=[2**31 - 16], t324=[8], t325=[len(ROW)]), ROW),
    "a large tile": tiff(grey(9, 9, t322=[60_000], t323=[60_000], t324=[8], t325=[len(ROW)]), ROW),
    "huge": tiff(grey(50_000, 50_000, t273=[8], t278=[50_000], t279=[len(ROW)]), ROW),
    "channels": tiff(grey(9, 9, t277=[60_000], t273=[8], t279=[len(ROW)]), ROW),
    "a comment": tiff(grey(9, 9, t270=[65] * 1_900_000, t273=[8], t279=[len(ROW)]), ROW),
    "a map of colours": tiff(grey(9, 9, t320=[6] * 1_900_000, t273=[8], t279=[len(ROW)]), ROW),
    "a progressive JPEG": tiff(grey(64, 64, 7, t273=[8], t278=[64], t279=[len(SCANS)]), SCANS),
    "a larger JPEG": tiff(grey(16, 16, 7, t273=[8], t278=[16], t279=[len(LARGE_JPEG)]), LARGE_JPEG),
    "LZMA": encode(FOUR, "TIFF", compression="lzma"),
    "no size": tiff({258: [8], 273: [8]}),
    "no pixels": tiff(grey(9, 9)),
    "strips out of the file": tiff(grey(9, 9, t273=[2**31], t279=[9])),
    "more lengths than strips": tiff(grey(9, 9, t273=[8], t279=[9, 9])),
    "a directory out of the file": b"II*\0\xff\xff\xff\xff",
    "a directory far out of the file": b"II+\0\x08\0\0\0" + b"\xff" * 8,
    "nothing": b"II*\0",
    "pixels of three bits": tiff(grey(9, 9, 1, t258=[3], t273=[8], t279=[99]), bytes(99)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_cost_time_is_refused_or_quick(name: str) -> None:
    before = time.process_time()
    try:
        decode(BOMBS[name])
    except InvalidDrawing as error:
        assert str(error).endswith(".")
        assert name not in {"rows", "a comment"}
    assert time.process_time() - before < SECONDS


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("strips", "more than 10,000 parts"),
        ("LZMA", "compression 34925"),
        ("a progressive JPEG", "progressive JPEG"),
        ("channels", "more bits or channels"),
        ("pixels of three bits", "a kind of pixels that is not read"),
        ("huge", "50,000×50,000 pixels"),
        ("the same strip", "TIFF picture is broken"),
    ],
)
def test_a_refusal_says_why(name: str, words: str) -> None:
    with pytest.raises(InvalidDrawing, match=words):
        decode(BOMBS[name])
