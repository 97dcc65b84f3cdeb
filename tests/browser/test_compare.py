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
MODES = ["max", "average", "min"]
TITLE, PLACE, STATE = "#microscope h2", "#microscope header .note", "#microscope-state"
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


def hold(page: Page, layer: str, mode: str, index: int) -> Locator:
    """Click a map, or a value, in a column, and return its button once the microscope shows it."""
    button = page.locator(f"#layer-{layer} [data-pooling={mode}] .maps-button[data-index='{index}']")
    button.scroll_into_view_if_needed()
    button.click()
    expect(page.locator(TITLE)).to_contain_text(layer)
    return button


def shown(page: Page, mode: str) -> Locator:
    """The column of the microscope for a pooling mode."""
    return page.locator(f"#microscope .compared-column[data-pooling={mode}]")


def numbers(column: Locator, selector: str) -> list[float]:
    return [float(text.replace("\N{MINUS SIGN}", "-")) for text in column.locator(selector).all_text_contents()]


def settle(page: Page) -> None:
    """Wait until nothing scrolls."""
    page.wait_for_function(
        "() => new Promise((done) => { const y = scrollY; setTimeout(() => done(y === scrollY), 150); })"
    )


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
    compare.hover("#layer-pool_1 [data-pooling=min] .maps-button[data-index='1']")
    expect(compare.locator("#lens")).to_contain_text("pool_1, min · map 1")


def test_every_map_of_every_column_is_named_and_reachable(compare: Page) -> None:
    for mode in MODES:
        names = compare.eval_on_selector_all(
            f"#layer-pool_1 [data-pooling={mode}] .maps-button",
            "buttons => buttons.map((button) => button.getAttribute('aria-label'))",
        )
        assert names == [f"pool_1, {mode}, map {index}" for index in range(16)]


def test_a_click_opens_the_same_cell_in_all_three_columns(compare: Page) -> None:
    hold(compare, "pool_1", "average", 3)
    expect(compare.locator(STATE)).to_have_text("map held")
    expect(compare.locator("#layer-pool_1 .maps-button.is-held")).to_have_count(3)
    marks = [shown(compare, mode).locator("[id^=microscope-map] .microscope-mark") for mode in MODES]
    assert len({(mark.get_attribute("x"), mark.get_attribute("y")) for mark in marks}) == 1
    for mode in MODES:
        highest, average, lowest = numbers(shown(compare, mode), ".microscope-sum dd")
        window = numbers(shown(compare, mode), ".microscope-matrix text")
        assert (highest, lowest) == (max(window), min(window))
        assert average == pytest.approx(sum(window) / 4, abs=1e-4)
        expect(shown(compare, mode).locator(".microscope-sum .is-result")).to_contain_text(f"{mode} in use")
        value = shown(compare, mode).locator("h3 span").inner_text().removeprefix("= ")
        assert float(value) == {"max": highest, "average": average, "min": lowest}[mode]


def test_the_three_sums_of_a_convolution_add_up_over_the_same_inputs(compare: Page) -> None:
    hold(compare, "conv_3", "min", 5)
    captions = {
        tuple(shown(compare, mode).locator(".microscope-term figcaption").all_text_contents()) for mode in MODES
    }
    assert len(captions) == 1 and len(captions.pop()) == 4
    for mode in MODES:
        partials = numbers(shown(compare, mode), ".microscope-partial")
        total, bias, before = numbers(shown(compare, mode), ".microscope-sum div:not(.is-result) dd")
        assert sum(partials) == pytest.approx(total, abs=1e-9)
        assert total + bias == pytest.approx(before, abs=1e-9)


def test_pointing_at_one_map_moves_all_three(compare: Page) -> None:
    hold(compare, "pool_1", "max", 3)
    picture = compare.locator("#microscope-map-min")
    box = picture.bounding_box()
    assert box is not None
    compare.mouse.move(box["x"] + 4.5 * box["width"] / 12, box["y"] + 7.5 * box["height"] / 12)
    expect(compare.locator(PLACE)).to_contain_text("row 7, column 4")
    for mode in MODES:
        mark = shown(compare, mode).locator("[id^=microscope-map] .microscope-mark")
        assert (mark.get_attribute("x"), mark.get_attribute("y")) == ("4", "7")
    compare.mouse.down()
    compare.mouse.up()
    expect(compare.locator(STATE)).to_have_text("cell held")
    compare.mouse.move(box["x"] + 2, box["y"] + 2)
    compare.wait_for_timeout(300)
    expect(compare.locator(PLACE)).to_contain_text("row 7, column 4")


def test_a_number_marks_its_partners_in_all_three_sums(compare: Page) -> None:
    hold(compare, "conv_3", "max", 5)
    term = shown(compare, "average").locator(".microscope-term").first
    term.locator(".microscope-matrix").first.locator("[data-at='1 2']").hover()
    expect(compare.locator("#microscope .compared-column [data-at='1 2'].is-partner")).to_have_count(6)
    expect(compare.locator("#microscope .compared-common .is-partner")).to_have_count(1)


def test_by_keyboard_from_a_map_to_a_cell_and_back(compare: Page) -> None:
    compare.focus("#layer-pool_1 [data-pooling=min] .maps-button[data-index='0']")
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        compare.keyboard.press(key)
    expect(compare.locator(TITLE)).to_contain_text("pool_1 · map 9")
    row = int(compare.get_attribute("#microscope", "data-row") or 0)
    compare.focus("#microscope-map-average")
    compare.keyboard.press("ArrowUp" if row else "ArrowDown")
    expect(compare.locator("#microscope")).to_have_attribute("data-row", str(row - 1 if row else 1))
    expect(compare.locator(STATE)).to_have_text("cell held")
    expect(compare.locator("#microscope-map-average")).to_be_focused()
    compare.keyboard.press("Escape")
    expect(compare.locator(STATE)).to_have_text("map held")
    compare.keyboard.press("Escape")
    expect(compare.locator("#microscope")).to_have_count(0)
    assert compare.evaluate("document.activeElement.getAttribute('aria-label')") == "pool_1, min, map 9"


def test_by_touch_alone(browser: object, base_url: str) -> None:
    context = browser.new_context(  # type: ignore[attr-defined]
        base_url=base_url, has_touch=True, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    open_compare(page)
    page.tap("#layer-pool_1 [data-pooling=average] .maps-button[data-index='2']")
    expect(page.locator(TITLE)).to_contain_text("pool_1 · map 2")
    page.locator("#microscope-map-min").scroll_into_view_if_needed()
    page.tap("#microscope-map-min", position={"x": 3, "y": 3})
    expect(page.locator(PLACE)).to_contain_text("row 0, column 0")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800), (1366, 633)])
@pytest.mark.parametrize(("layer", "index"), [("pool_1", 1), ("conv_3", 45), ("digit", 7)])
def test_the_panel_never_covers_what_was_clicked(
    page: Page, base_url: str, width: int, height: int, layer: str, index: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_compare(page)
    button = hold(page, layer, "average", index)
    settle(page)
    on_top = """button => {
        const box = button.getBoundingClientRect();
        const at = (y) => document.elementFromPoint(box.left + box.width / 2, y) === button;
        return at(box.top + 2) && at(box.bottom - 2);
    }"""
    assert button.evaluate(on_top)


def test_pointing_previews_and_leaving_closes(compare: Page) -> None:
    compare.evaluate("document.querySelector('#layer-pool_1').scrollIntoView()")
    settle(compare)
    compare.hover("#layer-pool_1 [data-pooling=max] .maps-button[data-index='3']")
    expect(compare.locator(TITLE)).to_contain_text("pool_1 · map 3")
    expect(compare.locator(STATE)).to_have_text("preview")
    assert "layer=" not in compare.url
    compare.hover("#microscope h2")
    compare.wait_for_timeout(900)
    expect(compare.locator(STATE)).to_have_text("preview")
    compare.hover("#canvas")
    expect(compare.locator("#microscope")).to_have_count(0)


def test_a_map_where_the_panel_would_come_is_not_previewed(compare: Page) -> None:
    compare.locator("#layer-pool_1").evaluate("layer => scrollBy(0, layer.getBoundingClientRect().top - 600)")
    settle(compare)
    compare.hover("#layer-pool_1 [data-pooling=max] .maps-button[data-index='3']")
    compare.wait_for_timeout(500)
    expect(compare.locator("#microscope")).to_have_count(0)


def test_an_input_map_leads_to_a_layer_before_the_pooling(compare: Page) -> None:
    hold(compare, "pool_1", "max", 3)
    shown(compare, "min").locator(".microscope-workings svg[data-link]").first.click()
    expect(compare.locator(TITLE)).to_contain_text("conv_2 · map 3")
    expect(compare.locator("#microscope")).to_contain_text("before the first pooling layer")
    assert len({shown(compare, mode).locator("h3 span").inner_text() for mode in MODES}) == 1
    compare.go_back()
    expect(compare.locator(TITLE)).to_contain_text("pool_1 · map 3")


def test_the_panel_follows_the_drawing_and_the_swap(compare: Page) -> None:
    hold(compare, "pool_2", "max", 3)
    picture = "#microscope-map-max image"
    first = compare.get_attribute(picture, "href") or ""
    compare.click("[data-sample='3']")
    expect(compare.locator(picture)).not_to_have_attribute("href", first)
    second = compare.get_attribute(picture, "href") or ""
    compare.check("input[name=invert]")
    expect(compare.locator(picture)).not_to_have_attribute("href", second)
    third = compare.get_attribute(picture, "href") or ""
    compare.focus("#microscope-map-max")
    column = int(compare.get_attribute("#microscope", "data-column") or 0)
    with compare.expect_response("**/compared-cell"):  # the panel alone
        compare.keyboard.press("ArrowLeft" if column else "ArrowRight")
    expect(compare.locator("#microscope")).to_have_attribute("data-column", str(column - 1 if column else 1))
    assert compare.get_attribute(picture, "href") == third


def test_the_address_holds_the_selection(compare: Page, page: Page) -> None:
    hold(compare, "conv_4", "min", 41)
    row = int(compare.get_attribute("#microscope", "data-row") or 0)
    compare.focus("#microscope-map-min")
    compare.keyboard.press("ArrowUp" if row else "ArrowDown")
    row = row - 1 if row else 1
    expect(compare.locator("#microscope")).to_have_attribute("data-row", str(row))
    expect(compare).to_have_url(re.compile(f"layer=conv_4&channel=41&row={row}"))
    place, address = compare.inner_text(PLACE).split("\n")[0], compare.url
    page.goto("about:blank")
    open_compare(page, address)
    expect(page.locator(TITLE)).to_contain_text("conv_4 · map 41")
    expect(page.locator(PLACE)).to_contain_text(place)
    settle(page)
    box = page.locator("#layer-conv_4 [data-pooling=min] .maps-button.is-held").bounding_box()
    sheet = page.locator("#dock").bounding_box()
    assert box and sheet
    assert box["y"] > 0 and box["y"] + box["height"] <= sheet["y"]


def test_another_model_closes_the_panel(compare: Page) -> None:
    hold(compare, "pool_1", "max", 3)
    compare.select_option("select[name=model]", "figure-6-3")
    expect(compare.locator("#microscope")).to_have_count(0)
    assert "layer=" not in compare.url
    compare.click("#comparison .maps:has(.compare-value) .maps-button >> nth=1")
    expect(compare.locator(TITLE)).to_contain_text("unit 0")


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


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_is_accessible(compare: Page, scheme: Literal["light", "dark"], width: int) -> None:
    compare.set_viewport_size({"width": width, "height": 800})
    compare.emulate_media(color_scheme=scheme)
    for layer, index in [("pool_1", 3), ("conv_3", 5), ("digit", 7)]:
        hold(compare, layer, "average", index)
        settle(compare)
        results = Axe().run(compare)
        compare.click("[data-close]")
        assert results.violations_count == 0, results.generate_report()


def test_loads_nothing_from_elsewhere(page: Page, base_url: str, complaints: list[str]) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto("/compare")
    page.wait_for_load_state("networkidle")
    assert all(address.startswith((base_url, "data:", "blob:")) for address in addresses)
    assert complaints == []
