from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from app.cnn.card import Card, Ink
from app.cnn.network import Network
from app.explore.forward_passes import make_input, preprocess
from app.imaging.drawing import DEFAULT_LIMITS, Box, NothingDrawn
from app.imaging.ink import normalise, read_ink
from app.library.library import Library
from tests.pictures import draw_four, encode
from tests.small_models import build_logistic, build_picture, card

RNG = np.random.default_rng(0)


@pytest.fixture
def digits(library: Library) -> Network:
    return library.network("digits")


def test_a_digit_is_seen_as_mnist_would_hold_it(digits: Network, four: bytes) -> None:
    seen = preprocess(four, digits.card)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen[..., 0], normalise(read_ink(four)) / 255, atol=1e-6)


@pytest.mark.parametrize(("paper", "full"), [(0, 1), (1, 0), (-1, 1), (0, 255)])
def test_paper_and_ink_become_what_the_card_says(four: bytes, paper: float, full: float) -> None:
    seen = preprocess(four, card(build_logistic(), value_range=(paper, full)))
    digit = normalise(read_ink(four))[..., np.newaxis]
    assert (seen[digit == 0] == paper).all()
    assert (seen[digit == 255] == full).all()
    np.testing.assert_allclose(seen, paper + digit / 255 * (full - paper), rtol=1e-5, atol=1e-5)


def test_a_model_that_sees_colours_gets_three_like_channels(four: bytes) -> None:
    seen = preprocess(four, card(build_logistic(), input_shape=(28, 28, 3)))
    assert seen.shape == (28, 28, 3)
    assert (np.ptp(seen, axis=2) == 0).all()


def test_a_digit_fits_an_input_that_is_not_square(four: bytes) -> None:
    assert preprocess(four, card(build_logistic(), input_shape=(20, 24, 1))).shape == (20, 24, 1)


def test_a_digit_for_an_input_of_any_size_has_mnist_s(four: bytes) -> None:
    assert preprocess(four, card(build_picture(), fit="digit")).shape == (28, 28, 1)


def test_a_model_for_any_size_sees_the_drawing_at_its_own(four: bytes) -> None:
    seen = preprocess(four, card(build_picture(), fit="original"))
    np.testing.assert_allclose(seen[..., 0], np.asarray(read_ink(four)) / 255, atol=1e-6)


def test_nothing_drawn_cannot_be_seen(digits: Network) -> None:
    with pytest.raises(NothingDrawn):
        preprocess(encode(Image.new("L", (28, 28), 255)), digits.card)


def two_drawings() -> bytes:
    """The four at the left, and at the right a filled square."""
    both = Image.new("L", (560, 280), 255)
    both.paste(draw_four())
    both.paste(0, (350, 100, 450, 200))
    return encode(both)


def test_a_digit_in_a_region_is_seen_as_if_it_were_alone(digits: Network, four: bytes) -> None:
    seen = preprocess(two_drawings(), digits.card, region=Box(0, 0, 280, 280))
    np.testing.assert_array_equal(seen, preprocess(four, digits.card))


@pytest.mark.parametrize("fit", ["fit", "original"])
def test_a_picture_is_seen_within_its_region(fit: str, four: bytes) -> None:
    facts = card(build_picture(), fit=fit)
    seen = preprocess(two_drawings(), facts, region=Box(0, 0, 280, 280))
    np.testing.assert_array_equal(seen, preprocess(four, facts))


def colours(height: int, width: int) -> NDArray[np.uint8]:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def of_shape(*shape: int | None, **facts: Any) -> Card:
    return card(build_logistic(), input_shape=shape, **facts)


def test_a_picture_in_colour_is_seen_value_for_value() -> None:
    pixels = colours(20, 30)
    facts = of_shape(20, 30, 3, fit="fit", ink="dark", value_range=(0, 255))
    np.testing.assert_array_equal(preprocess(encode(Image.fromarray(pixels)), facts), pixels)


def test_bright_ink_inverts_a_picture_but_not_its_alpha() -> None:
    pixels = np.concatenate([colours(8, 8), np.full((8, 8, 1), 200, dtype=np.uint8)], axis=2)
    facts = of_shape(8, 8, 4, fit="stretch", ink="bright", value_range=(0, 255))
    seen = preprocess(encode(Image.fromarray(pixels)), facts)
    np.testing.assert_array_equal(seen[..., :3], 255 - pixels[..., :3])
    assert (seen[..., 3] == 200).all()


def test_a_photograph_that_lies_on_its_side_is_seen_upright() -> None:
    upright = Image.fromarray(np.kron(colours(4, 6), np.ones((8, 8, 1), dtype=np.uint8)))
    exif = Image.Exif()
    exif[274] = 6
    lying = encode(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=100, subsampling=0)
    facts = of_shape(32, 48, 3, fit="fit", ink="dark", value_range=(0, 255))
    expected = preprocess(encode(upright, "JPEG", quality=100, subsampling=0), facts)
    assert np.abs(preprocess(lying, facts) - expected).max() <= 3


@pytest.mark.parametrize("fit", ["fit", "fill", "stretch"])
def test_the_pad_is_black_ink_on_white_paper_or_the_other_way_round(fit: str) -> None:
    pad = Image.new("RGBA", (10, 10))
    pad.putpixel((4, 4), (0, 0, 0, 255))
    dark = preprocess(encode(pad), of_shape(10, 10, 3, fit=fit, ink="dark"))
    bright = preprocess(encode(pad), of_shape(10, 10, 3, fit=fit, ink="bright"))
    assert dark[4, 4].tolist() == [0, 0, 0] and dark[0, 0].tolist() == [1, 1, 1]
    np.testing.assert_array_equal(bright, 1 - dark)


@pytest.mark.parametrize("fit", ["fit", "fill", "stretch", "digit"])
def test_an_empty_pad_cannot_be_seen(fit: str) -> None:
    with pytest.raises(NothingDrawn):
        preprocess(encode(Image.new("RGBA", (10, 10))), of_shape(20, 40, 3, fit=fit))


def test_a_digit_in_dark_ink_is_the_same_in_negative(four: bytes) -> None:
    bright, dark = (preprocess(four, of_shape(28, 28, 1, ink=ink)) for ink in ("bright", "dark"))
    np.testing.assert_allclose(dark, 1 - bright, atol=1e-6)


@pytest.mark.parametrize("channels", [2, 4])
def test_a_digit_where_there_is_alpha_is_opaque(four: bytes, channels: int) -> None:
    seen = preprocess(four, of_shape(28, 28, channels))
    assert (seen[..., -1] == 1).all()
    np.testing.assert_array_equal(seen[..., :1], preprocess(four, of_shape(28, 28, 1)))


@pytest.mark.parametrize(
    ("shape", "fit", "expected"),
    [
        ((None, None, 3), "original", (60, 90, 3)),
        ((None, None, 3), "fit", (60, 90, 3)),
        ((40, None, 3), "fit", (40, 60, 3)),
        ((None, 45, 1), "fill", (32, 45, 1)),
    ],
)
def test_a_free_side_follows_the_picture(
    shape: tuple[int | None, ...], fit: str, expected: tuple[int, int, int]
) -> None:
    assert preprocess(encode(Image.fromarray(colours(60, 90))), of_shape(*shape, fit=fit, ink="dark")).shape == expected


def test_a_tiny_drawing_at_its_own_size_has_room_for_a_window() -> None:
    dot = Image.new("L", (3, 3), 255)
    dot.putpixel((1, 1), 0)
    seen = preprocess(encode(dot), card(build_picture(), fit="original"))
    assert seen.shape == (32, 32, 1) and seen.sum() == 1


@given(
    pixels=arrays.arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30), st.sampled_from([3, 4]))),
    height=st.sampled_from([None, 1, 8, 33]),
    width=st.sampled_from([None, 1, 8, 40]),
    channels=st.integers(1, 5),
    fit=st.sampled_from(["digit", "fit", "fill", "stretch"]),
    ink=st.sampled_from(list(Ink)),
    value_range=st.sampled_from([(0.0, 1.0), (1.0, -1.0), (0.0, 255.0), (-123.4, 0.1)]),
)
def test_any_picture_is_seen_in_any_shape(
    pixels: NDArray[np.uint8],
    height: int | None,
    width: int | None,
    channels: int,
    fit: str,
    ink: Ink,
    value_range: tuple[float, float],
) -> None:
    own = of_shape(height, width, channels, fit=fit, ink=ink, value_range=value_range)
    try:
        seen = preprocess(encode(Image.fromarray(pixels)), own)
    except NothingDrawn:
        assert fit == "digit" or not pixels[..., 3:].any()
        return
    assert seen.dtype == np.float32 and np.isfinite(seen).all()
    assert seen.shape[2] == channels
    assert height is None or seen.shape[0] == height
    assert width is None or seen.shape[1] == width
    assert seen.min() >= np.float32(min(value_range)) and seen.max() <= np.float32(max(value_range))


@pytest.mark.parametrize("fit", ["digit", "fit", "stretch"])
@pytest.mark.parametrize("ink", ["bright", "dark"])
def test_a_transposed_picture_has_rows_where_columns_were(fit: str, ink: str, four: bytes) -> None:
    """Its input is 20 high and 30 wide, so the drawing is fitted to a picture 30 high and 20 wide."""
    upright = preprocess(four, of_shape(30, 20, 1, fit=fit, ink=ink))
    seen = preprocess(four, of_shape(20, 30, 1, fit=fit, ink=ink, transposed=True))
    assert seen.shape == (20, 30, 1)
    np.testing.assert_array_equal(seen, upright.transpose(1, 0, 2))


def test_a_transposed_drawing_at_its_own_size() -> None:
    pixels = colours(40, 60)
    told: list[tuple[int, ...]] = []

    def choose_factor(shape: tuple[int, ...]) -> int:
        told.append(shape)
        return 1

    facts = of_shape(None, None, 3, fit="fit", ink="dark", transposed=True)
    seen = make_input(encode(Image.fromarray(pixels)), facts, DEFAULT_LIMITS, choose_factor).image
    assert told == [(60, 40, 3)] == [seen.shape]
    np.testing.assert_allclose(seen, pixels.transpose(1, 0, 2) / 255, atol=1e-6)
