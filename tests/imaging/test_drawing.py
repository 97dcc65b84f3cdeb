"""Picture files decoded: every kind to the same few modes, and a sentence for what is none."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.imaging.drawing import (
    MAX_BYTES,
    MAX_SIDE,
    Box,
    DrawingTooLarge,
    InvalidDrawing,
    InvalidRegion,
    decode,
    read_region,
    show_picture,
)
from tests.pictures import draw_four, encode, four_png, png_claiming

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("mode", "format", "decoded"),
    [
        ("1", "PNG", "L"),
        ("L", "PNG", "L"),
        ("LA", "PNG", "LA"),
        ("RGB", "PNG", "RGB"),
        ("RGBA", "PNG", "RGBA"),
        ("P", "PNG", "RGBA"),
        ("P", "GIF", "RGBA"),
        ("RGB", "BMP", "RGB"),
        ("CMYK", "JPEG", "RGB"),
        ("L", "JPEG", "L"),
        ("RGB", "WEBP", "RGB"),
        ("RGB", "TGA", "RGB"),
        ("L", "TGA", "L"),
    ],
)
def test_every_kind_of_file_becomes_one_of_four_modes(mode: str, format: str, decoded: str) -> None:
    picture = decode(encode(Image.fromarray(COLOURS).convert(mode), format))
    assert (picture.mode, picture.size) == (decoded, (7, 5))


@pytest.mark.parametrize("format", ["PNG", "BMP"])
def test_colours_are_exact(format: str) -> None:
    np.testing.assert_array_equal(np.asarray(decode(encode(Image.fromarray(COLOURS), format))), COLOURS)


def test_a_colour_that_is_transparent_becomes_alpha() -> None:
    picture = decode(encode(Image.new("RGB", (2, 1), (9, 8, 7)), transparency=(9, 8, 7)))
    assert (picture.mode, picture.getpixel((0, 0))) == ("RGBA", (9, 8, 7, 0))


def test_16_bits_of_grey_become_8() -> None:
    grey = np.array([[0, 0x7FFF, 0xFFFF]], dtype=np.uint16)
    assert np.asarray(decode(encode(Image.fromarray(grey)))).tolist() == [[0, 0x7F, 0xFF]]


def test_16_bits_a_colour_become_8() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header, row = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0), b"\x00" + struct.pack(">3H", 0xFF00, 0x8000, 0x0100)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    assert decode(png).getpixel((0, 0)) == (0xFF, 0x80, 0x01)


def test_a_picture_that_lies_on_its_side_is_set_upright() -> None:
    upright = draw_four(64).convert("RGB")
    exif = Image.Exif()
    exif[274] = 6  # to be turned by a quarter, clockwise
    turned = encode(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=100, subsampling=0)
    as_it_is = np.asarray(decode(encode(upright, "JPEG", quality=100, subsampling=0)))
    assert np.abs(np.asarray(decode(turned)).astype(int) - as_it_is).max() <= 3


def test_an_empty_file_is_refused_by_its_size() -> None:
    with pytest.raises(InvalidDrawing, match="empty file"):
        decode(b"")


@pytest.mark.parametrize("data", [b"\x00", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_not_a_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidDrawing, match="not a picture"):
        decode(data)


def test_a_format_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(InvalidDrawing, match="PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"):
        decode(encode(draw_four(), "PCX"))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF", "PPM"])
def test_a_file_that_is_cut_short_is_refused(format: str) -> None:
    data = encode(draw_four(), format)
    with pytest.raises(InvalidDrawing):
        decode(data[: len(data) // 2])


def test_a_broken_file_is_named_as_such() -> None:
    data = four_png()
    with pytest.raises(InvalidDrawing, match="PNG picture is broken or cut short"):
        decode(data[: len(data) // 2])


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(DrawingTooLarge, match="4,194,305 bytes"):
        decode(four_png().ljust(MAX_BYTES + 1, b"\x00"))


def test_the_greatest_number_of_bytes_is_read() -> None:
    assert decode(four_png().ljust(MAX_BYTES, b"\x00")).size == (280, 280)


def test_a_small_file_that_claims_an_enormous_picture_is_refused_by_its_header() -> None:
    bomb = png_claiming(50_000, 50_000)
    assert len(bomb) < 2_000
    with pytest.raises(DrawingTooLarge, match="50,000×50,000 pixels"):
        decode(bomb)


def test_a_picture_one_pixel_too_wide_is_refused() -> None:
    with pytest.raises(DrawingTooLarge, match="4,097×1 pixels"):
        decode(encode(Image.new("L", (MAX_SIDE + 1, 1))))


@given(st.binary(max_size=300))
def test_no_bytes_do_harm(data: bytes) -> None:
    with pytest.raises(InvalidDrawing):
        decode(data)


def test_a_region_is_cut_out_of_the_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    drawing = encode(Image.fromarray(COLOURS).transpose(Image.Transpose.ROTATE_90), exif=exif)
    np.testing.assert_array_equal(np.asarray(decode(drawing, region=Box(1, 2, 4, 5))), COLOURS[2:5, 1:4])


def test_a_region_may_be_all_of_the_picture() -> None:
    drawing = encode(Image.fromarray(COLOURS))
    np.testing.assert_array_equal(np.asarray(decode(drawing, region=Box(0, 0, 7, 5))), COLOURS)


@pytest.mark.parametrize("box", [(0, 0, 8, 5), (0, 0, 7, 6), (700, 500, 701, 501)])
def test_a_region_that_reaches_out_of_the_picture_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(InvalidRegion, match=r"reaches out of the picture, which has 7×5 pixels"):
        decode(encode(Image.fromarray(COLOURS)), region=Box(*box))


def test_a_region_is_read_from_four_whole_numbers() -> None:
    assert read_region("1,20,300,4000") == Box(left=1, top=20, right=300, bottom=4000)


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "1, 2, 3, 4", "-1,0,5,5", "a,b,c,d", "1.5,0,5,5", "१,२,३,४"]
)
def test_what_is_no_region_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidRegion, match=r"four whole numbers, such as 10,20,150,180\. Received: “"):
        read_region(text)


@pytest.mark.parametrize("text", ["5,0,5,5", "0,5,5,5", "6,0,5,5", "0,6,5,5"])
def test_an_empty_region_is_refused(text: str) -> None:
    with pytest.raises(InvalidRegion, match=f"The region {text} is empty"):
        read_region(text)


@pytest.mark.parametrize("size", [(300, 200), (4000, 3000)])
def test_a_picture_is_shown_as_it_is_read(size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[274] = 6
    data = encode(Image.new("RGB", size, (10, 200, 30)), "TIFF", compression="tiff_lzw", exif=exif)
    with Image.open(io.BytesIO(show_picture(data))) as shown:
        factor = 1 if size == (300, 200) else 2
        assert (shown.format, shown.size) == ("PNG", (size[1] // factor, size[0] // factor))
        assert shown.getpixel((9, 9)) == (10, 200, 30)
