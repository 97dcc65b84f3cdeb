"""Three poolings side by side: live, marked, swapped, and on every screen."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server, open_explorer
from tests.browser.pen import LINE_DOWN, draw, draw_digit, ink

SCREENS = [(390, 844), (844, 390), (1280, 900), (1920, 1080)]
QUERIES = ["", "?model=figure-6-3&differences=on", "?model=section-6-3&invert=on", "?model=five-layer-dense"]


def open_compare(page: Page, address: str = "/compare") -> None:
    """Open the page and wait for the answer to the drawing that it opens with."""
    with page.expect_response("**/comparison"):
        page.goto(address)


@pytest.fixture
def compare(page: Page, base_url: str, complaints: list[str]) -> Iterator[Page]:
    """The page, open, with its script at work; whatever the browser complains of fails the test."""
    open_compare(page)
    yield page
    assert complaints == []


def verdict(page: Page, mode: str) -> Locator:
    return page.locator(f"#answer .answer-guess[data-pooling={mode}]")


def pictures(page: Page, layer: str) -> list[str]:
    selector, sources = f"#layer-{layer} img.maps-grid", "images => images.map((image) => image.src)"
    found: list[str] = page.eval_on_selector_all(selector, sources)
    return found


def test_opens_with_a_digit_in_three_columns(compare: Page) -> None:
    expect(verdict(compare, "max")).to_have_text("7")
    expect(compare.locator("#layer-pool_1 img.maps-grid")).to_have_count(3)
    assert len(set(pictures(compare, "pool_1"))) == 3
    assert compare.locator("#layer-conv_1").count() == 0


def test_answers_before_the_pen_is_lifted(compare: Page) -> None:
    compare.click("#clear")
    draw(compare, [LINE_DOWN], lift=False)
    expect(verdict(compare, "max")).to_have_text("1")
    compare.mouse.up()


def test_columns_stand_side_by_side(compare: Page) -> None:
    boxes = [image.bounding_box() for image in compare.locator("#layer-pool_1 img.maps-grid").all()]
    assert all(box is not None for box in boxes)
    assert len({box["y"] for box in boxes if box}) == 1
    assert [box["x"] for box in boxes if box] == sorted(box["x"] for box in boxes if box)


def test_swapping_ink_and_paper(compare: Page) -> None:
    before = compare.get_attribute("#seen", "src")
    with compare.expect_response("**/comparison"):
        compare.check("input[name=invert]")
    expect(compare.locator("#comparison")).to_contain_text("The ink is dark")
    expect(compare.locator("#seen")).not_to_have_attribute("src", before or "")
    expect(compare).to_have_url(re.compile("invert=on"))
    compare.uncheck("input[name=invert]")
    expect(compare.locator("#comparison")).to_contain_text("The ink is bright")


def test_differences_on_demand(compare: Page) -> None:
    maps = pictures(compare, "pool_2")
    compare.check("input[name=differences]")
    expect(compare.locator("#layer-pool_2 .compare-legends")).to_contain_text("minus as trained")
    apart = pictures(compare, "pool_2")
    assert [old == new for old, new in zip(maps, apart, strict=True)] == [True, False, False]
    compare.uncheck("input[name=differences]")
    expect(compare.locator("#layer-pool_2 .compare-legends")).not_to_contain_text("minus as trained")
    assert pictures(compare, "pool_2") == maps


def test_the_farthest_layer_is_named_and_one_key_away(compare: Page) -> None:
    jump = compare.locator("#comparison .compare-jump")
    name = jump.inner_text()
    badge = compare.locator(f"#layer-{name} .compare-badge", has_text="differs most of all")
    expect(badge).to_have_count(1)
    address = compare.url
    jump.focus()
    compare.keyboard.press("Enter")
    expect(badge).to_be_in_viewport()
    expect(compare.locator(f"#layer-{name}")).to_be_focused()
    assert compare.url == address


def test_the_outlined_map_is_the_one_that_is_named(compare: Page) -> None:
    cell = compare.locator("#layer-pool_1 [data-pooling=min]")
    named = re.search(r"map (\d+)", cell.locator(".compare-apart").inner_text())
    assert named
    number = int(named[1])
    image, mark = cell.locator("img.maps-grid").bounding_box(), cell.locator("rect").bounding_box()
    assert image and mark
    column = int((mark["x"] + mark["width"] / 2 - image["x"]) / image["width"] * 8)
    place = cell.locator(".maps").get_attribute("data-place") or ""
    rows = int(place.split()[1]) // 8
    row = int((mark["y"] + mark["height"] / 2 - image["y"]) / image["height"] * rows)
    assert row * 8 + column == number


def test_the_way_from_the_explorer_and_back_keeps_the_drawing(page: Page, base_url: str) -> None:
    open_explorer(page, "/?model=digits-average")
    draw_digit(page, "3")
    expect(page).to_have_url(re.compile("#d="))
    drawn = ink(page)
    with page.expect_response("**/comparison"):
        page.click("text=Compare poolings")
    expect(page).to_have_url(re.compile("/compare.*model=digits-average.*#d="))
    expect(page.locator("#comparison")).to_contain_text("digits-average was trained with average")
    assert ink(page) == drawn
    expect(page.locator("nav a", has_text="Explore")).to_have_attribute("href", re.compile("#d="))
    with page.expect_response("**/exploration"):
        page.click("nav >> text=Explore")
    assert ink(page) == drawn


def test_the_address_is_the_state(compare: Page, page: Page) -> None:
    draw_digit(compare, "4")
    compare.check("input[name=differences]")
    compare.select_option("select[name=colormap]", "magma")
    expect(compare).to_have_url(re.compile("colormap=magma.*differences=on.*#d="))
    drawn, address = ink(compare), compare.url
    page.goto("about:blank")
    open_compare(page, address)
    expect(verdict(page, "max")).to_have_text("4")
    assert page.is_checked("input[name=differences]")
    assert ink(page) == drawn


@pytest.mark.parametrize("model", ["five-layer-dense", "five-layer-convolutional"])
def test_a_model_without_pooling_says_so_and_leads_on(compare: Page, model: str) -> None:
    compare.select_option("select[name=model]", model)
    expect(compare.locator("#comparison")).to_contain_text(f"{model} has no pooling layer")
    expect(compare.locator("#errors")).to_be_empty()
    compare.click("#comparison >> text=section-6-3")
    expect(compare.locator("#comparison")).to_contain_text("section-6-3 was trained with max")
    assert "#d=" in compare.url


def test_a_lone_logistic_neuron(compare: Page) -> None:
    compare.select_option("select[name=model]", "figure-6-3")
    expect(verdict(compare, "min")).to_have_text(re.compile("odd|even"))
    expect(compare.locator(".compare-value")).to_have_count(3)


@pytest.mark.slow
def test_survives_a_server_that_goes_away(page: Page, server: Server) -> None:
    open_compare(page)
    server.stop()
    try:
        draw_digit(page, "2")
        expect(page.locator("#errors")).to_contain_text("The server does not answer")
    finally:
        server.start()
    expect(page.locator("#errors")).to_be_empty()
    expect(verdict(page, "max")).to_have_text("2")


def test_a_wiped_pad_says_so(compare: Page) -> None:
    compare.click("#clear")
    expect(compare.locator("#comparison")).to_contain_text("Nothing is drawn yet")
    expect(compare.locator("#errors")).to_be_empty()


def test_a_model_is_no_picture(compare: Page, tmp_path: Path) -> None:
    """Models are opened on the explorer; here their files are refused with a sentence, and the drawing stays."""
    before = ink(compare)
    (tmp_path / "mine.keras").write_bytes(b"a model")
    compare.set_input_files("#picture", tmp_path / "mine.keras")
    expect(compare.locator("#errors")).to_contain_text("not a picture that can be read")
    assert ink(compare) == before


def test_lens_shows_the_map_under_the_pointer(compare: Page) -> None:
    compare.locator("#layer-pool_1 img.maps-grid").nth(2).hover(position={"x": 50, "y": 10})
    expect(compare.locator("#lens")).to_contain_text("pool_1, min · map 1")


@pytest.mark.parametrize(("width", "height"), SCREENS)
@pytest.mark.parametrize("query", QUERIES)
def test_nothing_overflows(page: Page, base_url: str, query: str, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"/compare{query}")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", QUERIES)
def test_is_accessible(page: Page, base_url: str, query: str, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"/compare{query}")
    page.wait_for_load_state("networkidle")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_loads_nothing_from_elsewhere(page: Page, base_url: str, complaints: list[str]) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto("/compare")
    page.wait_for_load_state("networkidle")
    assert all(address.startswith((base_url, "data:", "blob:")) for address in addresses)
    assert complaints == []
