"""AVIF files: read as they are, with the pixels counted that they really hold."""

import struct
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from app.imaging.avif import MAX_ITEMS, brands_of, is_avif, reduce_avif
from app.imaging.drawing import InvalidDrawing, decode
from tests.pictures import draw_four, encode

FOUR = draw_four(64)
SECONDS = 0.5


def avif(picture: Image.Image, **options: object) -> bytes:
    return encode(picture, "AVIF", speed=10, **options)


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def claiming(data: bytes, width: int, height: int) -> bytes:
    """The same file that says it has another size."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_picture_is_read(mode: str) -> None:
    picture = FOUR.convert(mode)
    if mode == "RGBA":
        picture.putalpha(FOUR.point(lambda level: 255 - level))
    decoded = decode(avif(picture, quality=95))
    assert decoded.mode == mode
    shown = Image.alpha_composite(Image.new("RGBA", (64, 64), "white"), decoded.convert("RGBA"))
    assert np.abs(np.asarray(shown.convert("L")).astype(int) - np.asarray(FOUR)).mean() < 8


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_it_is_set_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    turned = decode(avif(FOUR.resize((64, 40)), exif=exif, quality=95))
    angle = {3: 180, 6: -90, 8: 90}[orientation]
    expected = FOUR.resize((64, 40)).rotate(angle, expand=True)
    assert turned.size == expected.size
    assert np.abs(np.asarray(turned.convert("L")).astype(int) - np.asarray(expected)).mean() < 8


def test_a_film_is_its_still_picture() -> None:
    film = avif(FOUR, save_all=True, append_images=[FOUR.rotate(90)] * 3, quality=95)
    assert b"moov" in film and b"moov" not in reduce_avif(film)
    assert np.abs(np.asarray(decode(film).convert("L")).astype(int) - np.asarray(FOUR)).mean() < 8


def test_exif_is_not_handed_on() -> None:
    exif = Image.Exif()
    exif[271] = "A camera"
    data = avif(FOUR, exif=exif)
    assert b"infe" in data and b"Exif" in data
    assert "exif" not in decode(data).info


def test_brands_are_those_of_the_file() -> None:
    assert brands_of(avif(FOUR))[0] == b"avif"
    assert is_avif(box(b"ftyp", b"mif1\0\0\0\0miafavif"))
    assert not is_avif(box(b"ftyp", b"heic\0\0\0\0mif1heic"))
    assert brands_of(b"nothing of the kind") == []


SMALL = avif(FOUR)
BOMBS: dict[str, Callable[[], bytes]] = {
    "fewer pixels than it says": lambda: claiming(SMALL, 4000, 4000),
    "the largest": lambda: avif(Image.new("RGB", (4096, 4096))),
    "boxes": lambda: box(b"ftyp", b"avif\0\0\0\0avif") + box(b"free") * 500_000,
    "brands": lambda: box(b"ftyp", b"avif\0\0\0\0" + b"avif" * 1_000_000),
    "two descriptions": lambda: SMALL + SMALL[SMALL.index(b"meta") - 4 :],
    "no description": lambda: SMALL.replace(b"meta", b"free"),
    "no places": lambda: SMALL.replace(b"iloc", b"free"),
    "boxes of no size": lambda: box(b"ftyp", b"avif\0\0\0\0avif") + struct.pack(">I4s", 4, b"meta") * 9,
    "cut short": lambda: SMALL[: len(SMALL) // 2],
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_cost_time_is_refused_or_quick(name: str) -> None:
    data = BOMBS[name]()
    before = time.process_time()
    try:
        decode(data)
    except InvalidDrawing as error:
        assert str(error).endswith(".")
        assert name != "the largest"
    else:
        assert name in {"the largest", "fewer pixels than it says"}
    assert time.process_time() - before < SECONDS


@pytest.mark.parametrize("says", [(64, 64), (8, 8)])
def test_the_pixels_are_counted_whatever_a_file_says(says: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    data = claiming(SMALL, *says)
    monkeypatch.setattr("app.imaging.avif.MAX_PIXELS", 64 * 64)
    reduce_avif(data)
    monkeypatch.setattr("app.imaging.avif.MAX_PIXELS", 64 * 64 - 1)
    with pytest.raises(InvalidDrawing, match="unfolds to more pixels than are read"):
        decode(data)


def items(data: bytes, count: int) -> bytes:
    """The same file that says it has so many items."""
    at = data.index(b"iinf") + 8
    return data[:at] + struct.pack(">H", count) + data[at + 2 :]


def test_many_items_are_refused() -> None:
    assert decode(items(SMALL, 1)).size == (64, 64)
    with pytest.raises(InvalidDrawing, match="more than 300 parts"):
        decode(items(SMALL, MAX_ITEMS + 1))


@pytest.mark.parametrize("at", range(0, len(SMALL), 3))
def test_no_byte_that_is_changed_does_harm(at: int) -> None:
    for value in (0, 1, 0x7F, 0xFF):
        try:
            decode(SMALL[:at] + bytes((value,)) + SMALL[at + 1 :])
        except InvalidDrawing as error:
            assert str(error).endswith(".")
