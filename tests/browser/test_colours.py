"""The pad in colour, for models that see it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.settings import Settings
from tests.browser.conftest import Server, open_explorer
from tests.browser.pen import draw
from tests.small_models import build_small, card, save

LINE = [(40, 60), (240, 60)]
BELOW = [(40, 220), (240, 220)]
RED, BLACK = [224, 36, 36, 255], [0, 0, 0, 255]


@pytest.fixture(scope="module")
def colour_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a model that sees colours, one that sees grey, and one whose input is filled."""
    folder: Path = tmp_path_factory.mktemp("colours")
    for name, shape, fit in (
        ("colour", (28, 28, 3), "fit"),
        ("grey", (28, 28, 1), "digit"),
        ("wide", (20, 50, 3), "fill"),
    ):
        model = build_small(shape, 10, "softmax")
        save(model, card(model, fit=fit, ink="bright" if fit == "digit" else "dark"), folder / f"{name}.keras")
    server = Server(Settings(built_in_models=folder))
    yield server
    server.stop()


@pytest.fixture
def colours(page: Page, colour_server: Server, complaints: list[str]) -> Iterator[Page]:
    open_explorer(page, f"{colour_server.url}/?model=colour")
    page.click("#clear")
    yield page
    assert complaints == []


def at(page: Page, x: int, y: int) -> list[int]:
    """The colour of the canvas at a place of the pad's 280 pixels: red, green, blue, alpha."""
    levels: list[int] = page.evaluate(
        "([x, y]) => [...document.getElementById('canvas').getContext('2d').getImageData(2 * x, 2 * y, 1, 1).data]",
        [x, y],
    )
    return levels


def choose(page: Page, model: str) -> None:
    with page.expect_response("**/exploration"):
        page.select_option("select[name=model]", model)


def test_a_stroke_has_the_colour_that_was_chosen(colours: Page) -> None:
    draw(colours, [LINE])
    colours.click("label[title=Red]")
    draw(colours, [BELOW])
    assert at(colours, 140, 60) == BLACK and at(colours, 140, 220) == RED


def test_the_address_keeps_the_colours(colours: Page) -> None:
    colours.click("label[title=Red]")
    draw(colours, [LINE])
    address = colours.evaluate("location.href")
    colours.goto("about:blank")
    open_explorer(colours, address)
    assert at(colours, 140, 60) == RED


def test_an_empty_pad_knows_its_model_too(colours: Page) -> None:
    colours.select_option("select[name=model]", "grey")
    expect(colours.locator("#colours")).to_be_hidden()
    colours.select_option("select[name=model]", "colour")
    expect(colours.locator("#colours")).to_be_visible()


def test_undo_and_eraser_work_on_colours(colours: Page) -> None:
    colours.click("label[title=Red]")
    draw(colours, [LINE, BELOW])
    colours.click("#undo")
    assert at(colours, 140, 220)[3] == 0 and at(colours, 140, 60) == RED
    colours.check("input[value=eraser]")
    draw(colours, [LINE])
    assert at(colours, 140, 60)[3] == 0


def test_to_choose_a_colour_is_to_take_the_pen(colours: Page) -> None:
    colours.check("input[value=eraser]")
    colours.click("label[title=Blue]")
    draw(colours, [LINE])
    assert at(colours, 140, 60)[3] == 255


def test_a_model_that_sees_no_colours_gets_black_strokes_and_another_the_colours_again(colours: Page) -> None:
    colours.click("label[title=Red]")
    draw(colours, [LINE])
    choose(colours, "grey")
    expect(colours.locator("#colours")).to_be_hidden()
    assert at(colours, 140, 60) == BLACK
    choose(colours, "colour")
    expect(colours.locator("#colours")).to_be_visible()
    assert at(colours, 140, 60) == RED


def test_a_frame_shows_what_of_the_pad_fills_an_input_that_is_not_square(colours: Page) -> None:
    expect(colours.locator("#frame")).to_be_hidden()
    choose(colours, "wide")
    expect(colours.locator("#frame")).to_be_visible()
    frame, pad = (colours.locator(name).bounding_box() for name in ("#frame", "#canvas"))
    assert frame is not None and pad is not None
    assert frame["height"] / pad["height"] == pytest.approx(20 / 50, abs=0.01)
    assert frame["width"] == pytest.approx(pad["width"], abs=2)


def test_the_only_model_there_is_may_see_colours(page: Page, complaints: list[str], tmp_path: Path) -> None:
    model = build_small((28, 28, 3), 10, "softmax")
    save(model, card(model, fit="fit", ink="dark"), tmp_path / "alone.keras")
    server = Server(Settings(built_in_models=tmp_path))
    try:
        open_explorer(page, server.url)
        expect(page.locator("#colours")).to_be_visible()
    finally:
        server.stop()
    assert complaints == []
