"""PNM pictures: read with their comments left out."""

import numpy as np
import pytest

from app.imaging.drawing import InvalidDrawing, decode
from tests.pictures import draw_four, encode

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_picture_is_read(mode: str) -> None:
    picture = draw_four(40).convert(mode)
    np.testing.assert_array_equal(
        np.asarray(decode(encode(picture, "PPM")).convert("L")), np.asarray(picture.convert("L"))
    )


@pytest.mark.parametrize("head", [b"P5 4 3 255\n", b"P5\n# a comment\n4 # another\n3\n255\n", b"P5\t4\r\n3 255 "])
def test_comments_are_left_out(head: bytes) -> None:
    np.testing.assert_array_equal(np.asarray(decode(head + GREY.tobytes())), GREY)


def test_levels_of_two_bytes_keep_their_range() -> None:
    levels = (np.arange(256) * 16).astype(">u2")
    assert decode(b"P5 16 16 4095\n" + levels.tobytes()).getextrema() == (0, 254)


@pytest.mark.parametrize("data", [b"P2 2 1 255\n1 2\n", b"P3 1 1 255\n1 2 3", b"P1 2 1\n0 1", b"P6 1 1 77\n\1\2\3"])
def test_what_is_read_number_by_number_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidDrawing, match="written as text, or its white is not 255"):
        decode(data)


@pytest.mark.parametrize(
    "data", [b"P5 ", b"P5\n" + b"#\n" * 2_000_000 + b"4 3 255\n", b"P5 4 3 255\n", b"P5 0 0 255\n"]
)
def test_what_is_broken_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidDrawing, match=r"broken|not a picture"):
        decode(data)
