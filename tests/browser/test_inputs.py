"""The inputs beside the drawing: sliders, a kept drawing, and the one that is drawn into."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.settings import Settings
from tests.browser.conftest import Server, open_explorer
from tests.small_models import save_models_of_several_inputs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with models of several inputs."""
    folder: Path = tmp_path_factory.mktemp("several")
    save_models_of_several_inputs(folder)
    server = Server(Settings(built_in_models=folder))
    yield server.url
    server.stop()


@pytest.fixture
def opened(page: Page, complaints: list[str]) -> Iterator[Page]:
    yield page
    assert complaints == []


def values(page: Page, layer: str) -> Locator:
    return page.locator(f"#figure-{layer} .maps-units li")


def test_a_slider_is_answered_as_it_moves(opened: Page, several: str) -> None:
    open_explorer(opened, f"{several}/?model=decoder")
    expect(opened.locator("#canvas")).to_be_hidden()
    picture = opened.locator("#answer img[alt^='The network']")
    before = picture.get_attribute("src")
    slider = opened.locator("input[data-index='1']")
    slider.focus()
    slider.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", before or "")
    expect(values(opened, "as_the_model_takes_it").nth(1)).to_contain_text("0.01")
    opened.click("[data-random]")
    expect(opened.locator("[data-seed]")).to_have_value("1")
    expect(slider).not_to_have_value("0.01")
    drawn = slider.input_value()
    opened.reload()  # the address holds the numbers
    expect(opened.locator("input[data-index='1']")).to_have_value(drawn)
    opened.click("[data-zero]")
    expect(opened.locator("input[data-index='1']")).to_have_value("0")
    assert "held" not in opened.url


def test_a_class_is_chosen_one_hot(opened: Page, several: str) -> None:
    open_explorer(opened, f"{several}/?model=conditional")
    opened.select_option("[data-input=label] [data-one-hot]", "3")
    expect(values(opened, "label").nth(3)).to_contain_text("1")
    expect(opened.locator("[data-input=label] input[data-index='3']")).to_have_value("1")
    expect(opened.locator("[data-input=noise] input[data-index]")).to_have_count(100)


def test_a_drawing_is_kept_in_the_other_input(opened: Page, several: str) -> None:
    open_explorer(opened, f"{several}/?model=siamese")
    probability = opened.locator("#answer .bars li").first
    alone = probability.inner_text()
    opened.click("[data-keep]")
    expect(probability).not_to_have_text(alone, use_inner_text=True)
    same = probability.inner_text()
    opened.click("[data-sample='4']")
    expect(probability).not_to_have_text(same, use_inner_text=True)
    apart = probability.inner_text()
    address = opened.url
    opened.select_option("select[name=input]", "right")
    # Each input keeps its drawing, and the answer is the same.
    expect(opened.locator("[data-input=left] img")).to_be_visible()
    expect(opened.locator("#layer-left")).to_be_visible()
    expect(probability).to_have_text(apart, use_inner_text=True)
    assert "input=right" in opened.url
    opened.goto("about:blank")  # else only the fragment would be another one
    open_explorer(opened, address)
    expect(opened.locator("[data-input=right] img")).to_be_visible()
    expect(probability).not_to_have_text(alone, use_inner_text=True)  # points in an address are kept to half a pixel
    held = probability.inner_text()
    opened.click("[data-input=right] [data-clear]")
    expect(opened.locator("[data-input=right] img")).to_be_hidden()
    expect(probability).not_to_have_text(held, use_inner_text=True)


def test_another_model_has_other_inputs(opened: Page, several: str) -> None:
    open_explorer(opened, f"{several}/?model=siamese&input=right")
    opened.click("[data-keep]")
    opened.select_option("select[name=model]", "facts")
    expect(opened.locator("[data-input=facts] input[data-index]")).to_have_count(4)
    expect(opened.locator("select[name=input]")).to_have_count(0)
    expect(opened.locator("#layer-facts")).to_be_visible()
    expect(opened.locator("#errors")).to_be_empty()
    assert "input=" not in opened.url.replace("held.", "")


def test_the_comparison_holds_them_too(opened: Page, several: str) -> None:
    with opened.expect_response("**/comparison"):
        opened.goto(f"{several}/compare?model=siamese")
    opened.click("[data-keep]")
    expect(opened.locator("#layer-apart")).to_contain_text("0")
    expect(opened.locator("[data-input=right] img")).to_be_visible()
    expect(opened.locator("#errors")).to_be_empty()
