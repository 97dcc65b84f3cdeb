import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.scripting.file_names import file_names
from app.scripting.pictures import InvalidPicture, name_picture, read_picture


def pixels(picture: bytes) -> list[object]:
    levels: list[object] = np.asarray(Image.open(io.BytesIO(picture))).tolist()
    return levels


GREY = np.array([[0, 51], [255, 102]], np.uint8)


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        GREY[..., np.newaxis],
        GREY.astype(np.int64),
        (GREY / 255).astype(np.float32),
        (GREY / 255).astype(np.float16),
    ],
)
def test_an_array_becomes_its_levels(array: NDArray[Any]) -> None:
    assert pixels(read_picture(array)) == GREY.tolist()


def test_true_is_white() -> None:
    assert pixels(read_picture(GREY > 100)) == [[0, 0], [255, 255]]


@pytest.mark.parametrize("channels", [3, 4])
def test_an_array_may_be_in_colour(channels: int) -> None:
    array = np.arange(4 * channels, dtype=np.uint8).reshape(2, 2, channels)
    assert pixels(read_picture(array)) == array.tolist()


def test_files_and_bytes_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"anything")
    assert read_picture(tmp_path / "picture.png") == read_picture(str(tmp_path / "picture.png")) == b"anything"
    assert read_picture(b"anything") == b"anything"


def test_an_image_of_pillow_is_taken() -> None:
    assert pixels(read_picture(Image.fromarray(GREY))) == GREY.tolist()


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (np.zeros(3), "shape"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.zeros((0, 2)), "shape"),
        (np.zeros((5, 2, 2, 3)), "Give several pictures as a list"),
        (np.full((2, 2), 256), "integers goes from 0 .* to 255"),
        (np.full((2, 2), -1), "integers goes from 0"),
        (np.full((2, 2), 1.5), "floats goes from 0 .* to 1 "),
        (np.full((2, 2), np.nan), "floats goes from 0"),
        (np.full((2, 2), 1j), "complex"),
        (3, "An? int is no picture"),
        (None, "NoneType is no picture"),
    ],
)
def test_what_is_no_picture_is_said(picture: object, sentence: str) -> None:
    with pytest.raises(InvalidPicture, match=sentence):
        read_picture(picture)  # type: ignore[arg-type]


def test_a_picture_is_named_by_its_file() -> None:
    assert [name_picture("a/cat.png", 0), name_picture(b"", 1)] == ["cat", "1"]


def test_names_of_files_differ_and_hold_nothing_odd() -> None:
    assert file_names(["a/b", "a b", "A-B", "..", "conv_1"]) == ["a-b", "a-b-2", "A-B-3", "unnamed", "conv_1"]
