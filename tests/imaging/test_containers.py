"""Picture files of a great many parts: what costs time is left out or refused, and real pictures are read."""

import io
import struct
import time
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.imaging.containers import count_png_chunks, orientation_of, reduce_to_picture
from app.imaging.drawing import MAX_BYTES, InvalidDrawing, decode
from tests.pictures import draw_four, encode, four_png

SECONDS = 0.5
RGB = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8))
LARGE = Image.fromarray(
    np.kron(np.random.default_rng(0).integers(0, 256, (64, 64, 3)), np.ones((64, 64, 1))).astype("u1")
)


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def segment(marker: int, content: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def filled(part: bytes, room: int = MAX_BYTES - 20_000) -> bytes:
    return part * (room // len(part))


def in_png(chunks: bytes, before: bytes = b"IDAT") -> bytes:
    png = four_png()
    at = png.index(before) - 4
    return png[:at] + chunks + png[at:]


def in_jpeg(segments: bytes, before: bytes = b"\xff\xdb") -> bytes:
    jpeg = encode(RGB, "JPEG", quality=95)
    at = jpeg.index(before)
    return jpeg[:at] + segments + jpeg[at:]


def in_gif(blocks: bytes) -> bytes:
    gif = encode(draw_four().convert("P"), "GIF")
    at = gif.index(b",\0\0\0\0")
    return gif[:at] + blocks + gif[at:]


def tiny_chunks(png: bytes, size: int) -> bytes:
    """The same PNG with its pixels in chunks of this size."""
    start = png.index(b"IDAT") - 4
    pixels = b""
    position = start
    while png[position + 4 : position + 8] == b"IDAT":
        end = position + 12 + int.from_bytes(png[position : position + 4])
        pixels += png[position + 8 : end - 4]
        position = end
    parts = (chunk(b"IDAT", pixels[at : at + size]) for at in range(0, len(pixels), size))
    return png[:start] + b"".join(parts) + png[position:]


def tiff(*entries: tuple[int, int, int, bytes], order: str = ">") -> bytes:
    made = b"".join(struct.pack(order + "HHI4s", *each) for each in entries)
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "IH", 8, len(entries))
    return head + made + bytes(4)


def runs(side: int, codes: bytes) -> bytes:
    """A BMP of packed runs."""
    head = struct.pack("<IiiHHIIIIII", 40, side, side, 1, 8, 1, len(codes), 0, 0, 256, 0) + bytes(1024)
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(codes), 0, 0, 14 + len(head)) + head + codes


def repeated_scans(side: int, times: int) -> bytes:
    jpeg = encode(LARGE.resize((side, side)), "JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * times + jpeg[-2:]


def jpeg_of_segments(marker: int, content: bytes) -> bytes:
    return in_jpeg(filled(segment(marker, content)))


PACKED = zlib.compress(bytes(990_000), 9)
BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG, empty chunks": lambda: in_png(filled(chunk(b"abCd"))),
    "PNG, empty chunks behind the pixels": lambda: in_png(filled(chunk(b"abCd")), b"IEND"),
    "PNG, no pixels in many chunks": lambda: in_png(filled(chunk(b"IDAT"))),
    "PNG, texts": lambda: in_png(filled(chunk(b"tEXt", b"a\0b"))),
    "PNG, packed texts that are broken": lambda: in_png(filled(chunk(b"zTXt", b"a\0\0" + PACKED[:-3] + b"abc"))),
    "PNG, packed profiles": lambda: in_png(filled(chunk(b"iCCP", b"a\0\0" + PACKED))),
    "PNG, frames": lambda: in_png(filled(chunk(b"fdAT", b"\0\0\0\1")), b"IEND"),
    "PNG, a long orientation": lambda: in_png(
        chunk(b"eXIf", tiff((274, 5, 400_000, b"\0\0\0\x40")) + bytes(3_300_000))
    ),
    "PNG, Exif of many entries": lambda: in_png(
        chunk(b"eXIf", tiff(*((1 + number, 5, 60_000, b"\0\0\0\x08") for number in range(60_000))) + bytes(500_000))
    ),
    "PNG, Exif as a text": lambda: in_png(
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 10\n" + tiff((274, 5, 9, b"\0\0\0\x08")).hex().encode() * 9999)
    ),
    **{
        f"JPEG, segments {marker:X}": partial(jpeg_of_segments, marker, content)
        for marker, content in (
            (0xFE, b""), (0xE0, b""), (0xE1, b""), (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0"), (0xE2, b"MPF\0"),
            (0xE2, b"ICC_PROFILE\0\1\1"), (0xED, b""), (0xEE, b"Adobe\0\x64\0\0\0\0\0"), (0xEF, b""),
            (0xC4, b""), (0xDD, b"\0\1"),
        )
    },
    "JPEG, resources": lambda: in_jpeg(segment(0xED, b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5400) * 60),
    "JPEG, padding": lambda: in_jpeg(b"\xff" * 4_000_000),
    "JPEG, what is no segment": lambda: in_jpeg(b"x" * 4_000_000),
    "JPEG, restarts": lambda: in_jpeg(filled(b"\xff\xd0"), b"\xff\xd9"),
    "JPEG, scans": lambda: repeated_scans(4096, 80),
    "JPEG, few scans of many pixels": lambda: repeated_scans(4096, 20),
    "GIF, a comment in bytes": lambda: in_gif(b"!\xfe" + filled(b"\1a") + b"\0"),
    "GIF, comments": lambda: in_gif(filled(b"!\xfe\1a\0")),
    "GIF, long comments": lambda: in_gif(filled(b"!\xfe\xff" + b"a" * 255 + b"\0")),
    "GIF, empty extensions": lambda: in_gif(filled(b"!\1\0")),
    "GIF, controls": lambda: in_gif(filled(b"!\xf9\4\0\0\0\0\0")),
    "GIF, what is no block": lambda: in_gif(b"x" * 4_000_000),
    "BMP, short runs": lambda: runs(2000, filled(b"\1\5")),
    "BMP, ends of lines": lambda: runs(4096, filled(b"\0\0")),
    "BMP, a few long runs": lambda: runs(4096, b"\xff\5" * 70_000),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_cost_time_is_left_out_or_refused(name: str) -> None:
    data = BOMBS[name]()
    assert len(data) <= MAX_BYTES
    before = time.process_time()
    try:
        decode(data)
    except InvalidDrawing as error:
        assert str(error).endswith("then send that.")
        assert "broken" not in str(error)
    assert time.process_time() - before < SECONDS


@pytest.mark.parametrize(
    "parts",
    [chunk(b"abCd"), chunk(b"tEXt", b"a\0b"), chunk(b"IDAT"), chunk(b"tRNS", b"\0\1")],
    ids=["unknown", "text", "pixels", "transparency"],
)
def test_ten_thousand_chunks_are_too_many(parts: bytes) -> None:
    assert decode(in_png(parts * 9_000)).size == (280, 280)
    with pytest.raises(InvalidDrawing, match=r"a file of more than 10,000 parts"):
        decode(in_png(parts * 10_001))


def test_a_progressive_photograph_of_the_largest_size_is_read() -> None:
    assert decode(encode(LARGE, "JPEG", progressive=True)).size == (4096, 4096)


def test_many_scans_of_a_small_picture_are_read() -> None:
    assert decode(repeated_scans(512, 80)).size == (512, 512)


def test_a_refusal_of_scans_counts_them() -> None:
    with pytest.raises(InvalidDrawing, match="4,096×4,096 pixels is drawn over itself 30 times"):
        decode(repeated_scans(4096, 20))


@pytest.mark.parametrize("size", [1, 100, 1024])
def test_a_png_in_small_chunks_is_the_same_picture(size: int) -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 4), dtype=np.uint8))
    np.testing.assert_array_equal(np.asarray(decode(tiny_chunks(encode(picture), size))), np.asarray(picture))


def test_a_whole_png_in_chunks_of_a_kilobyte_is_read() -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (1100, 1100, 3), dtype=np.uint8))
    data = tiny_chunks(encode(picture), 1024)
    assert 3_000_000 < len(data) <= MAX_BYTES
    np.testing.assert_array_equal(np.asarray(decode(data)), np.asarray(picture))


EXIF = Image.Exif()
EXIF.update({274: 6, 271: "A camera", 282: 72.0})
EXTRAS = {"icc_profile": bytes(100_000), "comment": b"a comment", "exif": EXIF}


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_that_of_pillow(orientation: int, order: str) -> None:
    exif = tiff((271, 2, 2, b"a\0\0\0"), (274, 3, 1, struct.pack(order + "H2x", orientation)), order=order)
    for data in (
        encode(RGB, "JPEG", exif=b"Exif\0\0" + exif),
        encode(RGB, "PNG", exif=exif),
        encode(RGB, "WEBP", exif=exif, lossless=True),
    ):
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        np.testing.assert_array_equal(np.asarray(decode(data)), np.asarray(expected))


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"Exif\0\0",
        b"MM\0*",
        b"MM\0*\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        tiff((274, 3, 1, b"\0\x09\0\0")),
        tiff((274, 5, 1, b"\0\6\0\0")),
        tiff((271, 2, 2, b"a\0\0\0")),
        b"??" + tiff((274, 3, 1, b"\0\6\0\0"))[2:],
    ],
)
def test_exif_that_tells_nothing_leaves_a_picture_as_it_is(exif: bytes) -> None:
    assert orientation_of(exif) == 1


@pytest.mark.filterwarnings("error")
def test_nothing_but_the_orientation_of_exif_is_read() -> None:
    exif = tiff((274, 3, 1, b"\0\6\0\0"), *((300 + number, 5, 8_000, b"\0\0\0\x08") for number in range(5_000)))
    jpeg = encode(RGB, "JPEG")
    start = 4 + int.from_bytes(jpeg[4:6])  # without JFIF, Pillow looks for the resolution in Exif
    decode(jpeg[:2] + segment(0xE1, b"Exif\0\0" + exif) + jpeg[start:])
    decode(in_png(chunk(b"eXIf", exif)))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_photograph_with_all_that_cameras_add(progressive: bool) -> None:
    jpeg = encode(RGB, "JPEG", progressive=progressive, quality=95, **EXTRAS)
    thumbnail = encode(RGB.reduce(4), "JPEG")
    preview = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>") + segment(
        0xED, b"Photoshop 3.0\0" + thumbnail
    )
    whole = jpeg[:2] + preview + jpeg[2:] + encode(RGB.reduce(2), "JPEG")
    plain = encode(RGB, "JPEG", progressive=progressive, quality=95)
    np.testing.assert_array_equal(np.asarray(decode(whole)), np.rot90(np.asarray(decode(plain)), -1))


def test_a_photograph_of_several_pictures_is_its_first() -> None:
    several = encode(RGB, "MPO", save_all=True, append_images=[RGB.reduce(2)])
    np.testing.assert_array_equal(np.asarray(decode(several)), np.asarray(Image.open(io.BytesIO(several))))


def test_the_colours_of_cmyk_stay() -> None:
    jpeg = encode(RGB.convert("CMYK"), "JPEG")
    expected = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
    np.testing.assert_array_equal(np.asarray(decode(jpeg)), expected)


def test_restart_markers_and_tables_between_scans_stay() -> None:
    jpeg = encode(RGB, "JPEG", restart_marker_blocks=1, progressive=True)
    np.testing.assert_array_equal(np.asarray(decode(jpeg)), np.asarray(Image.open(io.BytesIO(jpeg))))


@pytest.mark.parametrize("interlace", [0, 1])
def test_a_gif_is_its_first_frame_with_its_transparency(interlace: int) -> None:
    four = draw_four(40).convert("P")
    options = {"transparency": 0, "comment": b"a comment", "interlace": interlace}
    gif = encode(four, "GIF", save_all=True, append_images=[four.rotate(90)], **options)
    expected = Image.open(io.BytesIO(gif)).convert("RGBA")
    np.testing.assert_array_equal(np.asarray(decode(gif)), np.asarray(expected))


def test_what_is_left_of_a_png_is_its_picture() -> None:
    assert reduce_to_picture(in_png(chunk(b"tEXt", b"a\0b") * 5 + chunk(b"iCCP", b"a\0\0"))).data == four_png()


def test_chunks_are_counted_up_to_a_limit() -> None:
    png = in_png(chunk(b"abCd") * 50)
    assert count_png_chunks(four_png(), 99) == 3
    assert count_png_chunks(png, 99) == 53
    assert count_png_chunks(png, 20) == 21
