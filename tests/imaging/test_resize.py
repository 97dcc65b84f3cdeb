"""Any picture into any shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from app.imaging.drawing import NothingDrawn
from app.imaging.resize import MAX_FREE_SIDE, MIN_FREE_SIDE, ResizeMode, choose_size, pad, resize

EVERY_MODE = pytest.mark.parametrize("mode", list(ResizeMode))
RNG = np.random.default_rng(0)


def noise(*shape: int) -> NDArray[np.uint8]:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def halves(width: int = 40, height: int = 20) -> Image.Image:
    """The left half red, the right half blue."""
    picture = Image.new("RGB", (width, height), (255, 0, 0))
    picture.paste((0, 0, 255), (width // 2, 0, width, height))
    return picture


@EVERY_MODE
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_picture_of_the_input_s_size_passes_unchanged(mode: ResizeMode, channels: int) -> None:
    pixels = noise(9, 14, channels)
    picture = Image.fromarray(pixels.squeeze())
    np.testing.assert_array_equal(resize(picture, (9, 14), mode, channels), pixels)


def test_grey_in_three_channels_stays_the_same_grey() -> None:
    pixels = noise(5, 6)
    as_colour = Image.fromarray(np.repeat(pixels[..., np.newaxis], 3, axis=2))
    np.testing.assert_array_equal(resize(as_colour, (5, 6), ResizeMode.FIT, 1)[..., 0], pixels)
    np.testing.assert_array_equal(resize(Image.fromarray(pixels), (5, 6), ResizeMode.FIT, 3), np.asarray(as_colour))


def test_one_channel_is_luminance_and_more_than_four_repeat_it() -> None:
    picture = Image.new("RGB", (2, 2), (255, 0, 0))
    assert (resize(picture, (2, 2), ResizeMode.FIT, 1) == 76).all()
    assert (resize(picture, (2, 2), ResizeMode.FIT, 7) == 76).all()
    assert resize(picture, (2, 2), ResizeMode.FIT, 7).shape == (2, 2, 7)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_see_through_is_white_paper(channels: int) -> None:
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (0, 0, 0, 128))
    levels = resize(picture, (1, 2), ResizeMode.FIT, channels)
    assert (levels[0, 0] == 255).all() and (levels[0, 1] == 127).all()


def test_alpha_is_a_channel_where_there_are_two_or_four() -> None:
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (255, 255, 255, 255))
    assert resize(picture, (1, 2), ResizeMode.FIT, 2)[0].tolist() == [[0, 0], [255, 255]]
    assert resize(picture, (1, 2), ResizeMode.FIT, 4)[0].tolist() == [[0, 0, 0, 0], [255] * 4]
    assert (resize(halves(), (10, 10), ResizeMode.FIT, 4)[..., 3] == 255).all()


def test_fit_keeps_all_of_the_picture_with_a_margin_of_paper() -> None:
    levels = resize(halves(), (20, 20), ResizeMode.FIT, 3)
    assert (levels[:5] == 255).all() and (levels[15:] == 255).all()
    assert (levels[5:15, :9] == (255, 0, 0)).all() and (levels[5:15, 11:] == (0, 0, 255)).all()


def test_the_margin_of_a_picture_that_is_see_through_is_see_through() -> None:
    picture = halves().convert("RGBA")
    picture.putpixel((0, 0), (0, 0, 0, 0))
    levels = resize(picture, (20, 20), ResizeMode.FIT, 4)
    assert (levels[:5] == 0).all() and (levels[15:] == 0).all()


def test_fill_covers_the_field_with_the_middle() -> None:
    levels = resize(halves(), (10, 10), ResizeMode.FILL, 3)
    assert (levels[:, :4] == (255, 0, 0)).all() and (levels[:, 6:] == (0, 0, 255)).all()
    striped = Image.new("L", (30, 10), 0)
    striped.paste(255, (10, 0, 20, 10))
    assert (resize(striped, (10, 10), ResizeMode.FILL, 1) == 255).all()


def test_stretch_distorts() -> None:
    levels = resize(halves(), (40, 40), ResizeMode.STRETCH, 3)
    assert (levels[:, :19] == (255, 0, 0)).all() and (levels[:, 21:] == (0, 0, 255)).all()


@EVERY_MODE
def test_making_it_smaller_averages(mode: ResizeMode) -> None:
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 255
    small = resize(Image.fromarray(checks.astype(np.uint8)), (8, 8), mode, 1)
    assert np.abs(small.astype(int) - 127).max() <= 3


def test_a_shape_that_rounds_to_the_field_s_has_no_margin() -> None:
    assert (resize(Image.new("L", (1001, 751)), (384, 512), ResizeMode.FIT, 1) == 0).all()


@EVERY_MODE
@pytest.mark.parametrize("size", [(1, 1), (4096, 1), (1, 4096), (3, 2000)])
@pytest.mark.parametrize("field", [(1, 1), (8, 8), (40, 100), (1024, 3)])
def test_thin_and_tiny_pictures(mode: ResizeMode, size: tuple[int, int], field: tuple[int, int]) -> None:
    levels = resize(Image.new("RGB", size, (9, 8, 7)), field, mode, 3)
    assert levels.shape == (*field, 3)
    assert (levels == (9, 8, 7)).all(axis=2).any()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_picture_that_is_see_through_everywhere_shows_nothing(channels: int) -> None:
    with pytest.raises(NothingDrawn):
        resize(Image.new("RGBA", (5, 5)), (8, 8), ResizeMode.FIT, channels)


def test_a_white_picture_is_a_picture() -> None:
    assert (resize(Image.new("L", (5, 5), 255), (8, 8), ResizeMode.FIT, 1) == 255).all()


@pytest.mark.parametrize(
    ("picture", "height", "width", "expected"),
    [
        ((100, 50), 8, 9, (8, 9)),
        ((100, 50), None, None, (50, 100)),
        ((100, 50), 64, None, (64, 128)),
        ((100, 50), None, 64, (32, 64)),
        ((4096, 2048), None, None, (256, 512)),
        ((1, 1), None, None, (MIN_FREE_SIDE, MIN_FREE_SIDE)),
        ((4096, 1), None, 64, (MIN_FREE_SIDE, 64)),
        ((1, 4096), None, 64, (MAX_FREE_SIDE, 64)),
    ],
)
def test_a_free_side_follows_from_the_picture(
    picture: tuple[int, int], height: int | None, width: int | None, expected: tuple[int, int]
) -> None:
    assert choose_size(Image.new("L", picture), height, width) == expected


def test_a_margin_where_a_side_is_short() -> None:
    levels = pad(np.ones((3, 8), dtype=np.float32), 6, paper=0)
    assert levels.shape == (6, 8)
    assert levels.sum() == 24 and (levels[1:4] == 1).all()


@given(
    pixels=arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4]))),
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    mode=st.sampled_from(ResizeMode),
    channels=st.integers(1, 6),
)
def test_any_picture_fills_any_field(
    pixels: NDArray[np.uint8], size: tuple[int, int], mode: ResizeMode, channels: int
) -> None:
    picture = Image.fromarray(pixels)
    if pixels.shape[2] == 4 and not pixels[..., 3].any():
        with pytest.raises(NothingDrawn):
            resize(picture, size, mode, channels)
        return
    levels = resize(picture, size, mode, channels)
    assert levels.dtype == np.uint8 and levels.shape == (*size, channels)
