"""Digits on photographs and screenshots give nearly the digit that was written."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.imaging.ink import normalise, read_ink
from tests.pictures import draw_four, encode, four_png

Grey = NDArray[np.float64]
HEIGHT, WIDTH = 420, 560
RNG = np.random.default_rng(0)


def difference(picture: Grey, format: str = "PNG") -> float:
    """Return the mean difference of a picture's digit from the four, in grey levels of 255, but for a shift by one."""
    drawing = encode(Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)), format)
    digit, four = normalise(read_ink(drawing)).astype(float), normalise(read_ink(four_png())).astype(float)
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(float(np.abs(np.roll(digit, shift, axis=(0, 1)) - four).mean()) for shift in shifts)


def sheet(paper: float = 225, ink: float = 45, left: int = 150, top: int = 60) -> Grey:
    """The four on a sheet of paper, somewhat right of the middle."""
    picture = np.full((HEIGHT, WIDTH), float(paper))
    covered = 1 - np.asarray(draw_four()) / 255
    part = picture[top : top + 280, left : left + 280]
    part += (ink - part) * covered
    return picture


def light(kind: str) -> Grey:
    """Return the share of its light that each pixel gets."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] / WIDTH
    lights: dict[str, Grey] = {
        "even": np.ones((HEIGHT, WIDTH)),
        "falling off": 1 - 0.6 * columns,
        "hard shadow": np.where(rows + 0.3 * columns > 0.5, 0.45, 1.0),
        "soft shadow": 0.45 + 0.55 / (1 + np.exp(-12 * (columns - 0.5))),
        "dark corners": 1 - 0.9 * ((rows - 0.375) ** 2 + (columns - 0.5) ** 2),
    }
    return lights[kind]


def noise(strength: float = 3) -> Grey:
    return RNG.normal(0, strength, (HEIGHT, WIDTH))


@pytest.mark.parametrize("kind", ["even", "falling off", "hard shadow", "soft shadow", "dark corners"])
@pytest.mark.parametrize("grain", [0, 4])
def test_the_light_may_be_uneven(kind: str, grain: float) -> None:
    assert difference(sheet() * light(kind) + noise(grain)) < 8


@pytest.mark.parametrize("kind", ["even", "falling off"])
def test_ink_may_be_brighter_than_its_paper(kind: str) -> None:
    assert difference(sheet(paper=40, ink=220) * light(kind) + noise()) < 8


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("grain", [0, 2])
def test_lines_on_the_paper_are_not_ink(squared: bool, grain: float) -> None:
    picture = sheet()
    lines = np.zeros(picture.shape, bool)
    lines[10::35] = lines[11::35] = True
    if squared:
        lines[:, 20::35] = True
    picture[lines] = np.minimum(picture, 165)[lines]
    assert difference(picture + noise(grain)) < 8


@pytest.mark.parametrize("tone", [60, 120])
def test_a_table_around_the_paper_is_not_ink(tone: float) -> None:
    picture = sheet()
    table = tone + noise(8)
    inside = Image.new("1", (WIDTH, HEIGHT))
    ImageDraw.Draw(inside).polygon([(90, 40), (500, 20), (520, 380), (110, 400)], fill=1)
    assert difference(np.where(np.asarray(inside), picture, table) + noise(2)) < 8


def test_a_finger_in_the_corner_is_not_ink() -> None:
    picture = sheet()
    picture[330:, 470:] = 120
    assert difference(picture + noise()) < 8


def test_a_box_around_the_digit_is_not_ink() -> None:
    picture = Image.fromarray(sheet().astype(np.uint8))
    ImageDraw.Draw(picture).rectangle((130, 50, 450, 360), outline=70, width=3)
    assert difference(np.asarray(picture) * light("falling off") + noise()) < 8


@pytest.mark.parametrize(("paper", "bar", "ink"), [(250, 215, 30), (30, 60, 235)], ids=["bright", "dark"])
@pytest.mark.parametrize("outlined", [False, True])
def test_a_window_s_title_bar_is_not_ink(paper: int, bar: int, ink: int, outlined: bool) -> None:
    picture = Image.fromarray(sheet(paper, ink).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, WIDTH, 30), fill=bar)
    pen.text((10, 8), "Untitled - Notes", fill=ink)
    pen.ellipse((530, 8, 544, 22), fill=(paper + ink) // 2)
    if outlined:
        pen.rectangle((0, 0, WIDTH - 1, HEIGHT - 1), outline=bar)
    assert difference(np.asarray(picture).astype(float)) < 8


def test_a_thin_stroke_in_a_large_photograph_is_found() -> None:
    paper = Image.new("L", (1024, 768), 225)
    ImageDraw.Draw(paper).line([(500, 200), (500, 500)], fill=60, width=3)
    grain = RNG.normal(0, 3, (768, 1024))
    picture = Image.fromarray(np.clip(np.asarray(paper) + grain, 0, 255).astype(np.uint8))
    box = read_ink(encode(picture, "JPEG", quality=85)).getbbox()
    assert box is not None
    assert np.abs(np.array(box) - (499, 200, 502, 501)).max() <= 4


def test_a_digit_that_reaches_the_edge_of_a_plain_drawing_is_read_whole() -> None:
    picture = np.asarray(draw_four().crop((70, 40, 210, 240))).astype(float)
    assert difference(picture) < 1
