"""What the address carries is what static/carried_picture.js reads."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from app.imaging.drawing import InvalidDrawing
from app.notebook.address import page_path


def read_carried(path: str) -> bytes:
    text = path.partition("#p=")[2]
    assert not set(text) & set("+/=")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_small_picture_is_carried_byte_by_byte(four: bytes) -> None:
    assert read_carried(page_path("digits", four)) == four


def test_a_large_one_is_reduced() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (900, 1800, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    carried = read_carried(page_path("digits", file.getvalue()))
    assert len(carried) < len(file.getvalue()) / 4
    assert Image.open(io.BytesIO(carried)).size == (1024, 512)


def test_a_model_s_name_may_hold_anything() -> None:
    assert page_path("a&b c=ü") == "/?model=a%26b+c%3D%C3%BC"
    assert page_path() == "/"


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(InvalidDrawing, match="not a picture"):
        page_path("digits", b"hello")
