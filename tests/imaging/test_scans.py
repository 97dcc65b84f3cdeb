import pytest

from app.imaging.drawing import MAX_SCANS, InvalidDrawing, decode
from app.imaging.scans import count_scans
from tests.pictures import draw_four, encode

SCAN = b"\xff\xda"


def progressive() -> bytes:
    return encode(draw_four(100).convert("RGB"), "JPEG", progressive=True)


def with_scans(count: int) -> bytes:
    """The last scan again and again, as a decoder reads them all."""
    picture = progressive()
    last = picture[picture.rindex(SCAN) : -2]
    return picture[:-2] + last * (count - count_scans(picture, 1000)) + picture[-2:]


def test_scans_are_counted() -> None:
    assert count_scans(encode(draw_four(28), "JPEG"), 1000) == 1
    assert count_scans(progressive(), 1000) == progressive().count(SCAN) == 10
    assert count_scans(with_scans(50), 1000) == 50
    assert count_scans(with_scans(50), 20) == 21


def test_what_only_looks_like_a_scan_is_none() -> None:
    thumbnail = encode(draw_four(28), "JPEG", exif=b"Exif\0\0" + SCAN * 500, comment=SCAN * 500)
    assert count_scans(thumbnail, 1000) == 1
    assert count_scans(thumbnail + SCAN * 500, 1000) == 1  # behind the picture's end


@pytest.mark.parametrize("data", [b"", b"\xff", SCAN, SCAN + b"\0", b"\xff" * 4_000_000, b"\xff\xd8" * 1000])
def test_bytes_that_end_anywhere(data: bytes) -> None:
    assert count_scans(data, 1000) == data.startswith(SCAN)


def test_a_picture_of_more_scans_than_any_camera_writes_is_refused() -> None:
    assert decode(with_scans(MAX_SCANS)).size == (100, 100)
    with pytest.raises(InvalidDrawing, match=r"drawn over itself more than 100 times.*Save it again"):
        decode(with_scans(MAX_SCANS + 1))
