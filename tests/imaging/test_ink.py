from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from app.imaging.drawing import MAX_SIDE, InvalidDrawing, NothingDrawn
from app.imaging.ink import InkImage, find_ink, normalise, read_ink
from tests.pictures import draw_four, encode, four_png


def digit_in(drawing: bytes) -> NDArray[np.uint8]:
    return normalise(read_ink(drawing))


def difference(drawing: bytes) -> float:
    """Return the mean difference of a drawing's digit from the four, in grey levels of 255."""
    return float(np.abs(digit_in(drawing).astype(float) - digit_in(four_png())).mean())


def difference_but_for_a_shift(drawing: bytes) -> float:
    """The same where the digit may lie a pixel aside, since its centre of mass is rounded to one."""
    digit, four = digit_in(drawing).astype(float), digit_in(four_png())
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(float(np.abs(np.roll(digit, shift, axis=(0, 1)) - four).mean()) for shift in shifts)


def coverage() -> NDArray[np.float64]:
    """Return the share of each pixel that the four covers: (height, width) from 0 to 1."""
    return 1 - np.asarray(draw_four()) / 255


def blend(ink: tuple[int, int, int], paper: tuple[int, int, int]) -> Image.Image:
    covered = coverage()[..., np.newaxis]
    return Image.fromarray(np.round(covered * ink + (1 - covered) * paper).astype(np.uint8))


def on_transparent_ground(ink: tuple[int, int, int]) -> Image.Image:
    pixels = np.empty((280, 280, 4), dtype=np.uint8)
    pixels[..., :3] = ink
    pixels[..., 3] = np.round(coverage() * 255)
    return Image.fromarray(pixels)


def photograph() -> NDArray[np.uint8]:
    """The four in pencil on grey paper, with a camera's noise."""
    noise = np.random.default_rng(0).normal(0, 3, (280, 280))
    return np.clip(190 - 130 * coverage() + noise, 0, 255).astype(np.uint8)


def test_the_four_of_these_tests_is_a_digit_of_two_strokes() -> None:
    four = digit_in(four_png())
    assert four.shape == (28, 28)
    assert 0.05 < (four > 127).mean() < 0.3


@pytest.mark.parametrize(
    ("format", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("GIF", {}), ("BMP", {})],
    ids=["PNG", "lossless WebP", "GIF", "BMP"],
)
def test_every_lossless_format_gives_the_same_digit(format: str, options: dict[str, Any]) -> None:
    assert difference(encode(draw_four(), format, **options)) == 0


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_a_lossy_format_gives_nearly_the_same_digit(format: str) -> None:
    assert difference_but_for_a_shift(encode(draw_four(), format, quality=90)) < 10


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
def test_every_mode_of_png_gives_the_same_digit(mode: str) -> None:
    assert difference(encode(draw_four().convert(mode))) == 0


def test_one_bit_a_pixel_gives_nearly_the_same_digit() -> None:
    assert difference(encode(draw_four().convert("1", dither=Image.Dither.NONE))) < 3


def test_16_bit_grey_is_scaled_to_8_bits() -> None:
    grey = Image.fromarray(np.asarray(draw_four()).astype(np.uint16) * 257)
    assert difference(encode(grey)) == 0


def test_faint_16_bit_grey_is_not_clipped() -> None:
    grey = Image.fromarray(np.asarray(draw_four()).astype(np.uint16) * 40 + 20_000)
    assert difference(encode(grey)) < 3


def test_a_cmyk_jpeg_gives_nearly_the_same_digit() -> None:
    assert difference_but_for_a_shift(encode(draw_four().convert("RGB").convert("CMYK"), "JPEG", quality=90)) < 10


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (4, Image.Transpose.FLIP_TOP_BOTTOM),
        (5, Image.Transpose.TRANSPOSE),
        (6, Image.Transpose.ROTATE_90),
        (7, Image.Transpose.TRANSVERSE),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_exif_orientation_is_undone(orientation: int, undo: Image.Transpose) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    assert difference(encode(draw_four().transpose(undo), exif=exif)) == 0


def test_an_animated_gif_is_read_by_its_first_frame() -> None:
    blank = Image.new("L", (280, 280), 255)
    assert difference(encode(draw_four(), "GIF", save_all=True, append_images=[blank, blank])) == 0


def test_an_animated_webp_is_read_by_its_first_frame() -> None:
    blank = Image.new("RGB", (280, 280), "white")
    drawing = encode(draw_four().convert("RGB"), "WEBP", save_all=True, append_images=[blank], lossless=True)
    assert difference(drawing) == 0


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ((0, 0, 0), (255, 255, 255)),
        ((255, 255, 255), (0, 0, 0)),
        ((200, 0, 0), (255, 255, 255)),
        ((0, 0, 255), (255, 255, 0)),
        ((255, 255, 0), (0, 0, 128)),
        ((120, 120, 120), (200, 200, 200)),
    ],
)
def test_ink_and_paper_may_have_any_colours_of_different_brightness(
    ink: tuple[int, int, int], paper: tuple[int, int, int]
) -> None:
    assert difference(encode(blend(ink, paper))) < 0.1


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (220, 30, 30), (255, 255, 0)])
def test_ink_of_any_colour_on_transparent_ground(ink: tuple[int, int, int], format: str) -> None:
    assert difference(encode(on_transparent_ground(ink), format, lossless=True)) < 0.1


@pytest.mark.parametrize("ink", [0, 255])
def test_grey_ink_with_alpha(ink: int) -> None:
    alpha = Image.fromarray(np.round(coverage() * 255).astype(np.uint8))
    assert difference(encode(Image.merge("LA", (Image.new("L", alpha.size, ink), alpha)))) == 0


@pytest.mark.parametrize("ink", [(10, 10, 10), (250, 250, 250)])
@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_a_palette_with_one_transparent_colour(ink: tuple[int, int, int], format: str) -> None:
    picture = Image.fromarray((coverage() > 0.5).astype(np.uint8), mode="P")
    picture.putpalette([0, 255, 0, *ink])
    assert difference(encode(picture, format, transparency=0)) < 3


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("paper", [255, 0], ids=["white paper", "black paper"])
def test_smooth_ink_on_paper_that_is_transparent_by_its_colour(mode: str, paper: int) -> None:
    four = draw_four() if paper else Image.eval(draw_four(), lambda level: 255 - level)
    assert difference(encode(four.convert(mode), transparency=paper if mode == "L" else (paper,) * 3)) < 3


def test_smooth_ink_in_a_gif_whose_paper_is_transparent() -> None:
    assert difference(encode(draw_four(), "GIF", transparency=255)) < 3


def test_a_photograph_gives_nearly_the_same_digit() -> None:
    assert difference(encode(Image.fromarray(photograph()))) < 1


def test_specks_on_a_photograph_do_not_shrink_the_digit() -> None:
    pixels = photograph()
    pixels[5, 5] = pixels[275, 270] = 0
    assert difference(encode(Image.fromarray(pixels))) < 1


def test_a_photograph_that_is_cut_out_on_transparent_ground() -> None:
    alpha = np.zeros((280, 280), dtype=np.uint8)
    alpha[30:260, 50:240] = 255
    cut_out = Image.merge("LA", (Image.fromarray(photograph()), Image.fromarray(alpha)))
    assert difference(encode(cut_out)) < 1


def test_a_round_cut_out_of_a_photograph() -> None:
    rows, columns = np.ogrid[:280, :280]
    alpha = np.where((rows - 140) ** 2 + (columns - 140) ** 2 < 125**2, 255, 0).astype(np.uint8)
    cut_out = Image.merge("LA", (Image.fromarray(photograph()), Image.fromarray(alpha)))
    assert difference(encode(cut_out)) < 1


def test_a_large_picture_is_reduced_before_it_is_read() -> None:
    four = draw_four().resize((3000, 3000), Image.Resampling.BICUBIC)
    assert read_ink(encode(four)).size == (1000, 1000)
    assert difference(encode(four)) < 2


def test_a_picture_of_the_largest_size_is_read() -> None:
    picture = Image.new("1", (MAX_SIDE, MAX_SIDE), 1)
    picture.paste(0, (1000, 1000, 1500, 3000))
    assert digit_in(encode(picture)).max() == 255


def test_ink_is_between_0_for_paper_and_255_for_the_strongest() -> None:
    ink = read_ink(encode(blend((90, 90, 90), (220, 220, 220))))
    assert ink.mode == "L"
    assert ink.getextrema() == (0, 255)
    np.testing.assert_allclose(np.asarray(ink) / 255, coverage(), atol=0.01)


def test_faint_ink_of_one_tone_is_as_strong_as_any() -> None:
    faint = np.zeros((28, 28, 2), dtype=np.uint8)
    faint[5:15, 5:15, 1], faint[15:20, 5:15, 1] = 100, 50
    ink = np.asarray(read_ink(encode(Image.fromarray(faint))))
    assert (ink[5:15, 5:15] == 255).all()
    assert (np.abs(ink[15:20, 5:15].astype(int) - 127.5) < 1).all()


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("L", (28, 28), 255),
        Image.new("L", (28, 28), 0),
        Image.new("RGB", (28, 28), (30, 90, 200)),
        Image.new("LA", (28, 28), (0, 0)),
        Image.new("RGBA", (28, 28), (255, 255, 255, 0)),
        Image.new("L", (1, 1), 0),
    ],
    ids=["white", "black", "blue", "transparent black", "transparent white", "one pixel"],
)
def test_a_picture_of_paper_alone_holds_no_drawing(picture: Image.Image) -> None:
    with pytest.raises(NothingDrawn, match="Nothing is drawn yet"):
        read_ink(encode(picture))


def test_paper_with_faint_stains_holds_no_drawing() -> None:
    picture = Image.new("L", (28, 28), 255)
    picture.putpixel((14, 14), 245)
    with pytest.raises(NothingDrawn):
        read_ink(encode(picture))


@given(
    format=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP"]),
    changes=st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_no_change_of_a_picture_file_does_harm(format: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(encode(draw_four(40), format))
    for position, value in changes:
        data[position % len(data)] = value
    try:
        digit = digit_in(bytes(data))
    except InvalidDrawing:
        return
    assert digit.max() == 255


def box_of(digit: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """First row, last row, first column, last column that hold ink."""
    rows, columns = np.nonzero(digit)
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def centre_of(digit: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean row and column, weighted by the ink: pixel (r, c) lies at (r, c)."""
    places = np.moveaxis(np.indices(digit.shape), 0, -1).reshape(-1, 2)
    return np.average(places, axis=0, weights=digit.ravel())


def inks(max_side: int = 60) -> st.SearchStrategy[InkImage]:
    """Ink of any shape, mostly sparse: specks, hairlines, smears, from nearly nothing to full strength."""
    levels = st.one_of(st.integers(1, 255), st.integers(1, 3), st.just(255))
    return (
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=max_side)
        .flatmap(lambda shape: arrays.arrays(np.uint8, shape, elements=levels, fill=st.just(0)))
        .filter(lambda levels: bool(levels.any()))
        .map(Image.fromarray)
    )


FIELDS = st.sampled_from([(28, 28), (32, 32), (20, 40), (40, 20), (9, 7), (1, 1)])


def blot_with_specks() -> InkImage:
    """A flat blot and, far from it, specks that vanish in scaling."""
    ink = np.zeros((31, 119), dtype=np.uint8)
    ink[12:20, 30:80] = np.random.default_rng(0).integers(0, 256, (8, 50))
    ink[0, 118] = ink[30, 0] = 3
    return Image.fromarray(ink)


def strokes_beside_a_speck() -> InkImage:
    ink = np.zeros((60, 40), dtype=np.uint8)
    ink[40:48, 3:9] = 255
    ink[0, 39] = 1
    return Image.fromarray(ink)


@given(inks(), FIELDS)
@example(blot_with_specks(), (9, 7))
@example(strokes_beside_a_speck(), (28, 28))
def test_a_normalised_digit_stays_as_it_is(ink: InkImage, field: tuple[int, int]) -> None:
    once = normalise(ink, field)
    again = normalise(Image.fromarray(once), field)
    assert np.abs(again.astype(int) - once).max() <= 1


@given(inks(), FIELDS)
@example(blot_with_specks(), (9, 7))
@example(strokes_beside_a_speck(), (28, 28))
def test_the_longer_side_is_20_of_every_28_pixels(ink: InkImage, field: tuple[int, int]) -> None:
    digit = normalise(ink, field)
    top, bottom, left, right = box_of(digit)
    assert digit.shape == field
    assert max(bottom - top, right - left) + 1 == max(1, round(min(field) * 20 / 28))


@given(inks())
def test_the_centre_of_mass_lies_in_the_pixel_below_the_middle(ink: InkImage) -> None:
    digit = normalise(ink)
    top, bottom, left, right = box_of(digit)
    for first, last, centre in zip((top, left), (bottom, right), centre_of(digit), strict=True):
        clamped = first == 0 or last == 27
        assert clamped or abs(centre - 14) <= 0.5


@given(inks())
def test_the_strongest_ink_is_255(ink: InkImage) -> None:
    assert normalise(ink).max() == 255


def test_the_field_of_32_pixels_has_its_own_middle() -> None:
    digit = normalise(read_ink(four_png()), (32, 32))
    assert np.abs(centre_of(digit) - 16).max() <= 0.5


def test_a_field_that_is_not_square_has_its_own_middle() -> None:
    digit = normalise(read_ink(four_png()), (28, 60))
    assert np.abs(centre_of(digit) - (14, 30)).max() <= 0.5


def test_the_aspect_ratio_is_kept() -> None:
    ink = Image.new("L", (100, 100))
    ink.paste(255, (40, 10, 60, 90))
    top, bottom, left, right = box_of(normalise(ink))
    assert (bottom - top + 1, right - left + 1) == (20, 5)


def test_where_and_how_large_it_was_drawn_does_not_matter() -> None:
    ink = read_ink(four_png())
    moved = Image.new("L", (500, 700))
    moved.paste(ink, (120, 300))
    doubled = ink.resize((560, 560), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(normalise(moved), normalise(ink))
    assert np.abs(normalise(doubled).astype(float) - normalise(ink)).mean() < 1


def test_scaling_down_averages() -> None:
    ink = np.full((40, 40), 150, dtype=np.uint8)
    ink[::2, :20], ink[1::2, :20] = 200, 100  # each pixel of the digit covers two rows, here 150 on average as well
    assert (normalise(Image.fromarray(ink)) == 255).sum() == 400


def test_a_hairline_in_a_large_picture_is_drawn_in_all_its_tones() -> None:
    ink = np.zeros((1000, 1000), dtype=np.uint8)
    ink[:, 500], ink[0, 0] = np.linspace(1, 255, 1000), 255  # a pixel of the digit covers 50x50, nearly all paper
    digit = normalise(Image.fromarray(ink))
    assert len(np.unique(digit)) > 15
    assert digit.max() == 255


def test_a_dot_fills_its_box() -> None:
    ink = Image.new("L", (280, 280))
    ink.putpixel((200, 70), 255)
    digit = normalise(ink)
    assert (digit == 255).sum() == 400


def test_no_ink_cannot_be_normalised() -> None:
    with pytest.raises(NothingDrawn):
        normalise(Image.new("L", (28, 28)))


def test_a_faint_picture_of_several_tones_has_ink() -> None:
    faint = np.zeros((20, 20, 2), dtype=np.uint8)
    faint[5:15, 5:15] = (255, 100)
    faint[8:12, 8:12] = (0, 100)
    ink = find_ink(Image.merge("LA", [Image.fromarray(channel) for channel in np.moveaxis(faint, 2, 0).copy()]))
    assert ink.size == (10, 10)
    assert ink.getpixel((5, 5)) == 255
    assert ink.getpixel((0, 0)) == 0
