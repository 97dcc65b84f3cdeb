import io
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.imaging.encoding import (
    encode_image,
    encode_levels,
    encode_npz,
    encode_palette,
    encode_palette_rows,
    stream_npz,
)
from tests.peaks import MEGABYTE, large, peak_of
from tests.pictures import decode_rgba

PALETTE = bytes([255, 0, 0, 0, 255, 0, 10, 20, 30])


def test_a_palette_png_holds_each_index_as_its_colour() -> None:
    indices = np.array([[0, 1, 2], [2, 0, 1]], dtype=np.uint8)
    expected = np.array([[255, 0, 0], [0, 255, 0], [10, 20, 30]])[indices]
    np.testing.assert_array_equal(decode_rgba(encode_palette(indices, PALETTE))[..., :3], expected)


def test_without_a_transparent_index_everything_is_opaque() -> None:
    png = encode_palette(np.zeros((2, 2), dtype=np.uint8), PALETTE)
    assert (decode_rgba(png)[..., 3] == 255).all()


def test_the_transparent_index_alone_is_see_through() -> None:
    indices = np.array([[0, 1, 2]], dtype=np.uint8)
    assert decode_rgba(encode_palette(indices, PALETTE, transparent=2))[0, :, 3].tolist() == [255, 255, 0]


def test_a_grey_png_holds_its_levels() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(8, 32)
    picture = Image.open(io.BytesIO(encode_levels(levels)))
    assert (picture.format, picture.mode) == ("PNG", "L")
    np.testing.assert_array_equal(np.asarray(picture), levels)


def test_a_picture_survives_as_png() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    np.testing.assert_array_equal(decode_rgba(encode_image(Image.fromarray(pixels))), pixels)


def test_lines_with_room_for_their_filter_are_the_same_picture() -> None:
    indices = np.random.default_rng(0).integers(0, 3, (5, 7), dtype=np.uint8)
    lines = np.pad(indices, [(0, 0), (1, 0)])
    assert encode_palette_rows(lines, PALETTE, transparent=0) == encode_palette(indices, PALETTE, transparent=0)


@pytest.mark.parametrize("shape", [(7, 8), (32, 176), (300, 400)])
def test_a_file_depends_on_pixels_alone(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, shape, dtype=np.uint8)
    room = rng.integers(0, 3, (shape[0] + 4, shape[1] * 2), dtype=np.uint8)
    room[3:-1, 1::2] = rows
    room_of_bytes = np.frombuffer(bytes(13) + rows.tobytes() + bytes(5), dtype=np.uint8)
    unaligned = room_of_bytes[13:-5].reshape(shape)
    layouts = [rows, room[3:-1, 1::2], np.asfortranarray(rows), unaligned]
    assert len({encode_palette_rows(layout, PALETTE) for layout in layouts}) == 1


def test_a_file_does_not_depend_on_what_memory_held_before() -> None:
    """A compressor that reads memory which it has not set is caught by malloc filling it with something else."""
    program = """
        import hashlib, numpy as np
        from app.imaging.encoding import encode_palette
        rng, found = np.random.default_rng(0), hashlib.sha256()
        for levels, side in ((2, 80), (4, 80), (250, 80), (9, 600)) * 100:
            shape = rng.integers(side // 20, side, 2)
            found.update(encode_palette(rng.integers(0, levels, shape, dtype=np.uint8), bytes(768)))
        print(found.hexdigest())
    """
    found = set()
    for byte in ("0", "7", "29", "101", "173", "245"):
        command = [sys.executable, "-c", textwrap.dedent(program)]
        environment = os.environ | {"MALLOC_PERTURB_": byte}
        found.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert len(found) == 1


def test_numpy_loads_every_array_under_its_name() -> None:
    arrays: dict[str, NDArray[np.float32]] = {
        "file": np.arange(6, dtype=np.float32).reshape(2, 3),
        "conv/1": np.full((1, 2, 3), 3, np.float32),
    }
    loaded = np.load(io.BytesIO(encode_npz(arrays)))
    assert set(loaded) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_a_large_array_is_encoded_in_parts_and_given_back() -> None:
    arrays: dict[str, NDArray[np.float32]] = {
        "large": large(3, 1000, 1000),
        "small": np.array([[1, 2]], dtype=np.float32).T,
        "none": np.zeros((0, 3), np.float32),
    }
    released = 0

    def release() -> None:
        nonlocal released
        released += 1

    parts = list(stream_npz(arrays, release))
    assert max(map(len, parts)) < 3 * MEGABYTE
    assert released == 1  # after the large one; it is too small to be given back before its end
    loaded = np.load(io.BytesIO(b"".join(parts)))
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)


def test_encoding_needs_no_copy_of_a_large_array() -> None:
    arrays = {"a": large(2**23), "b": large(64, 1024, 128)}
    assert peak_of(lambda: sum(map(len, stream_npz(arrays)))) < 6 * MEGABYTE


def test_much_of_an_array_is_given_back_before_its_end() -> None:
    released = 0

    def release() -> None:
        nonlocal released
        released += 1

    given_back = [released for _ in stream_npz({"a": large(2**23)}, release)]
    assert given_back[-1] == 3
    assert given_back.count(0) <= 17 and given_back.count(1) <= 17  # parts of a megabyte
