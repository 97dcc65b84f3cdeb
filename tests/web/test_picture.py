"""A picture as it is read, for a browser that cannot show it."""

import io

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.pictures import draw_four, encode, png_claiming

PATH = "/api/picture.png"


def test_a_scan_is_answered_as_a_png(client: TestClient) -> None:
    levels = np.asarray(draw_four()).astype(np.uint16) * 16
    answer = client.post(PATH, files={"drawing": ("scan.tif", encode(Image.fromarray(levels), "TIFF"))})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert np.abs(np.asarray(shown).astype(int) - np.asarray(draw_four())).max() <= 1


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"%PDF-1.7", 422, "This is a PDF document"),
        (b"", 422, "an empty file"),
        (encode(draw_four(), "TIFF")[:99], 422, "This TIFF picture is broken"),
        (png_claiming(50_000, 9), 413, "50,000×9 pixels"),
    ],
)
def test_a_refusal_is_that_of_any_drawing(client: TestClient, data: bytes, status: int, words: str) -> None:
    for path in (PATH, "/api/models/digits/prediction"):
        answer = client.post(path, files={"drawing": ("drawing", data)})
        assert answer.status_code == status
        assert words in answer.json()["detail"]
