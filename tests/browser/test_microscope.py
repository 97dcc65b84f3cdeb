"""The microscope: from a grid to a map to a cell, by mouse, keyboard and touch."""

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_explorer

PANEL = "#microscope"
TITLE = "#microscope h2"
PLACE = "#microscope header .note"
MAP = "#microscope-map"


def select(page: Page, layer: str, index: int) -> None:
    page.locator(f"#layer-{layer}").scroll_into_view_if_needed()  # further down, it is not drawn yet
    page.click(f"#layer-{layer} .maps-overlay button[data-index='{index}']")
    expect(page.locator(TITLE)).to_contain_text(layer)


def numbers(page: Page, selector: str) -> list[float]:
    texts = page.locator(selector).all_text_contents()
    return [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts]


def test_every_map_is_reachable_and_named(explorer: Page) -> None:
    names = explorer.eval_on_selector_all(
        "#layer-conv_1 .maps-overlay button", "buttons => buttons.map((button) => button.getAttribute('aria-label'))"
    )
    assert names == [f"conv_1, map {index}" for index in range(len(names))]
    place = explorer.get_attribute("#layer-conv_1 .maps", "data-place") or ""
    assert len(names) == int(place.split()[1]) > 1


def test_a_click_holds_the_map_and_moves_nothing(explorer: Page) -> None:
    button = explorer.locator("#layer-conv_2 .maps-overlay button[data-index='5']")
    before = button.bounding_box()
    select(explorer, "conv_2", 5)
    assert button.bounding_box() == before
    expect(explorer.locator(f"#dock {PANEL}")).to_be_in_viewport()
    expect(explorer.locator("#microscope-state")).to_have_text("map held")
    expect(explorer.locator("#layer-conv_2 button.is-selected")).to_have_attribute("data-index", "5")


def test_the_shown_column_adds_up(explorer: Page) -> None:
    select(explorer, "conv_2", 5)
    partials = numbers(explorer, f"{PANEL} .microscope-partial")
    total, bias, before = numbers(explorer, f"{PANEL} .microscope-sum div:not(.is-result) dd")
    assert sum(partials) == pytest.approx(total, abs=1e-9)
    assert total + bias == pytest.approx(before, abs=1e-9)
    assert numbers(explorer, f"{PANEL} .microscope-sum .is-result dd") == [pytest.approx(max(before, 0), abs=1e-9)]


def test_arrow_keys_move_the_cell_on_every_picture(explorer: Page) -> None:
    select(explorer, "conv_2", 5)
    before = [int(explorer.get_attribute(PANEL, f"data-{axis}") or 0) for axis in ("row", "column")]
    marked = explorer.get_attribute(f"{PANEL} .microscope-term .microscope-mark", "x")
    explorer.focus(MAP)
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        explorer.keyboard.press(key)
    row, column = max(before[0] - 1, 0), before[1] - 2
    expect(explorer.locator(PLACE)).to_contain_text(f"row {row}, column {column}")
    expect(explorer.locator(MAP)).to_be_focused()
    assert explorer.get_attribute(f"{PANEL} .microscope-term .microscope-mark", "x") != marked


def test_pointing_ends_on_the_cell_under_the_pointer(explorer: Page) -> None:
    select(explorer, "conv_1", 0)
    explorer.locator(MAP).scroll_into_view_if_needed()
    box = explorer.locator(MAP).bounding_box()
    assert box is not None
    for row, column in [(2, 3), (20, 4), (11, 25), (7, 9)]:
        explorer.mouse.move(box["x"] + (column + 0.5) * box["width"] / 26, box["y"] + (row + 0.5) * box["height"] / 26)
    expect(explorer.locator(PLACE)).to_contain_text("row 7, column 9")


def test_pointing_previews_until_a_map_is_held(explorer: Page) -> None:
    explorer.hover("#layer-conv_1 .maps-overlay button[data-index='3']")
    expect(explorer.locator(TITLE)).to_contain_text("conv_1 · map 3")
    expect(explorer.locator("#microscope-state")).to_have_text("preview")
    assert "layer=" not in explorer.url
    select(explorer, "conv_1", 4)
    explorer.hover("#layer-conv_1 .maps-overlay button[data-index='6']")
    explorer.wait_for_timeout(300)
    expect(explorer.locator(TITLE)).to_contain_text("conv_1 · map 4")
    assert "channel=4" in explorer.url


def test_a_held_cell_stays_while_the_pointer_travels(explorer: Page) -> None:
    select(explorer, "conv_1", 0)
    explorer.click(MAP, position={"x": 3, "y": 3})
    expect(explorer.locator(PLACE)).to_contain_text("row 0, column 0")
    explorer.hover(MAP, position={"x": 90, "y": 90})
    explorer.wait_for_timeout(300)
    expect(explorer.locator(PLACE)).to_contain_text("row 0, column 0")
    explorer.keyboard.press("Escape")
    explorer.hover(MAP, position={"x": 91, "y": 91})
    expect(explorer.locator(PLACE)).not_to_contain_text("row 0, column 0")


def test_an_input_map_leads_to_its_own_layer(explorer: Page) -> None:
    select(explorer, "conv_2", 5)
    term = explorer.locator(f"{PANEL} .microscope-term svg[data-link]").first
    layer, channel = (term.get_attribute("data-link") or "").split()
    term.click()
    expect(explorer.locator(TITLE)).to_contain_text(f"{layer} · map {channel}")
    expect(explorer.locator("#microscope-state")).to_have_text("cell held")


def test_a_dense_row_leads_to_the_cell_that_it_reads(explorer: Page) -> None:
    select(explorer, "dense_1", 6)
    row = explorer.locator(f"{PANEL} .microscope-link").first
    layer, channel, at, column = (row.get_attribute("data-link") or "").split()
    value = explorer.locator(f"{PANEL} .microscope-contributions tbody tr").first.locator("td").first.inner_text()
    row.click()
    expect(explorer.locator(TITLE)).to_contain_text(f"{layer} · map {channel}")
    expect(explorer.locator(PLACE)).to_contain_text(f"row {at}, column {column}")
    expect(explorer.locator(f"{PANEL} output")).to_have_text(f"= {value}")


def test_an_input_and_its_weight_are_marked_together(explorer: Page) -> None:
    select(explorer, "conv_2", 5)
    term = explorer.locator(f"{PANEL} .microscope-term").first
    term.locator(".microscope-matrix").first.locator("[data-at='1 2']").hover()
    expect(term.locator("[data-at].is-partner")).to_have_count(2)
    expect(term.locator(".microscope-picture .microscope-partner").first).to_have_attribute("visibility", "visible")


def test_the_receptive_field_is_drawn_where_one_looks(explorer: Page) -> None:
    select(explorer, "conv_2", 5)
    drawn = "picture => picture.firstElementChild.getAttribute('d') || ''"
    sees = [int(size) for size in re.findall(r"sees (\d+)×(\d+)", explorer.inner_text(".microscope-sees"))[0]]
    assert sees == [5, 5]
    assert re.fullmatch(r"M\d+ \d+h5v5h-5z", explorer.locator("#seen-region").evaluate(drawn))
    assert explorer.locator("#layer-conv_1 .maps-regions").evaluate(drawn).count("h3v3h-3z") == 16
    assert explorer.locator("#layer-conv_2 .maps-regions").evaluate(drawn).count("h1v1h-1z") == 1
    assert explorer.locator("#layer-pool_1 .maps-regions").evaluate(drawn) == ""


def test_pointing_at_the_input_means_the_window_that_is_centred_there(explorer: Page) -> None:
    select(explorer, "pool_1", 3)
    source = explorer.locator(f"{PANEL} .microscope-workings svg[data-cells]").first
    source.scroll_into_view_if_needed()
    box = source.bounding_box()
    assert box is not None
    explorer.mouse.move(box["x"] + 9.5 * box["width"] / 24, box["y"] + 4.5 * box["height"] / 24)
    expect(explorer.locator(PLACE)).to_contain_text("row 2, column 4")


def test_pooling_shows_all_three_values_and_marks_the_one_in_use(explorer: Page) -> None:
    select(explorer, "pool_1", 3)
    highest, average, lowest = numbers(explorer, f"{PANEL} .microscope-sum dd")
    window = numbers(explorer, f"{PANEL} .microscope-matrix text")
    assert (highest, lowest) == (max(window), min(window))
    assert average == pytest.approx(sum(window) / 4, abs=1e-4)
    expect(explorer.locator(f"{PANEL} .microscope-sum .is-result")).to_contain_text("max")
    explorer.check("input[value=min]", force=True)
    expect(explorer.locator(f"{PANEL} .microscope-sum .is-result")).to_contain_text("min")


def test_softmax_adds_up_to_one(explorer: Page) -> None:
    select(explorer, "digit", 7)
    shares = numbers(explorer, f"{PANEL} .microscope-softmax tbody tr td:last-child")
    assert sum(shares[:-1]) == pytest.approx(1, abs=6e-4)
    assert shares[-1] == 1


def test_more_terms_and_all_digits_on_demand(explorer: Page) -> None:
    select(explorer, "conv_2", 5)
    expect(explorer.locator(f"{PANEL} .microscope-matrix")).to_have_count(8)
    explorer.check(f"{PANEL} [data-all-terms]")
    expect(explorer.locator(f"{PANEL} .microscope-matrix")).to_have_count(32)
    explorer.check(f"{PANEL} [data-precise]")
    expect(explorer.locator(f"{PANEL} .microscope-matrix.is-precise")).to_have_count(32)


def test_follows_the_drawing(explorer: Page) -> None:
    select(explorer, "conv_1", 0)
    picture = f"{MAP} image"
    before = explorer.get_attribute(picture, "href")
    explorer.click("[data-sample='3']")
    expect(explorer.locator(".answer-guess")).to_have_text("3")
    expect(explorer.locator(picture)).not_to_have_attribute("href", before or "")


def test_the_address_holds_the_selection(explorer: Page, page: Page) -> None:
    select(explorer, "conv_2", 5)
    row = int(explorer.get_attribute(PANEL, "data-row") or 0)
    explorer.focus(MAP)
    explorer.keyboard.press("ArrowUp")
    expect(explorer.locator(PLACE)).to_contain_text(f"row {row - 1}")
    expect(explorer).to_have_url(re.compile(f"layer=conv_2&channel=5&row={row - 1}"))
    place, address = explorer.inner_text(PLACE), explorer.url
    page.goto("about:blank")
    open_explorer(page, address)
    expect(page.locator(TITLE)).to_contain_text("conv_2 · map 5")
    expect(page.locator(PLACE)).to_contain_text(place.split("=")[0].strip())
    expect(page.locator("#microscope-state")).to_have_text("cell held")


def test_plays_and_pauses(explorer: Page) -> None:
    select(explorer, "conv_1", 0)
    place = explorer.get_attribute(PANEL, "data-column")
    explorer.focus(MAP)
    explorer.keyboard.press("Space")
    expect(explorer.locator(f"{PANEL} [data-play]")).to_have_text("Pause")
    expect(explorer.locator(PANEL)).not_to_have_attribute("data-column", place or "")
    explorer.keyboard.press("Space")
    expect(explorer.locator(f"{PANEL} [data-play]")).to_have_text("Play")


def test_does_not_play_where_motion_is_reduced(page: Page, base_url: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_explorer(page)
    select(page, "conv_1", 0)
    expect(page.locator(f"{PANEL} [data-play]")).to_be_disabled()


def test_from_a_blank_pad_to_a_cell_by_keyboard_alone(explorer: Page) -> None:
    explorer.focus("#canvas")
    for key in ["Delete", "Space", *["ArrowDown"] * 22, "Space"]:
        explorer.keyboard.press(key)
    expect(explorer.locator(".answer-guess")).to_have_text("1")
    for _ in range(60):
        explorer.keyboard.press("Tab")
        if explorer.evaluate("document.activeElement.classList.contains('maps-button')"):
            break
    explorer.keyboard.press("ArrowRight")
    explorer.keyboard.press("Enter")
    expect(explorer.locator(TITLE)).to_contain_text("conv_1 · map 1")
    for _ in range(20):
        explorer.keyboard.press("Tab")
        if explorer.evaluate("document.activeElement.id") == "microscope-map":
            break
    row = int(explorer.get_attribute(PANEL, "data-row") or 0)
    explorer.keyboard.press("ArrowUp" if row else "ArrowDown")
    expect(explorer.locator(PANEL)).to_have_attribute("data-row", str(row - 1 if row else 1))
    expect(explorer.locator(f"{PANEL} .microscope-path .microscope-mark")).to_have_count(1)
    explorer.keyboard.press("Escape")
    expect(explorer.locator("#microscope-state")).to_have_text("map held")
    explorer.keyboard.press("Escape")
    expect(explorer.locator(PANEL)).to_have_count(0)
    assert explorer.evaluate("document.activeElement.getAttribute('aria-label')") == "conv_1, map 1"


def test_by_touch_alone(browser: object, base_url: str) -> None:
    context = browser.new_context(  # type: ignore[attr-defined]
        base_url=base_url, has_touch=True, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    open_explorer(page)
    page.tap("#layer-conv_1 .maps-overlay button[data-index='2']")
    expect(page.locator(TITLE)).to_contain_text("conv_1 · map 2")
    page.locator(MAP).scroll_into_view_if_needed()
    page.tap(MAP, position={"x": 3, "y": 3})
    expect(page.locator(PLACE)).to_contain_text("row 0, column 0")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_is_accessible(explorer: Page, scheme: Literal["light", "dark"]) -> None:
    explorer.emulate_media(color_scheme=scheme)
    for layer, index in [("conv_2", 5), ("pool_1", 3), ("digit", 7)]:
        select(explorer, layer, index)
        results = Axe().run(explorer)
        assert results.violations_count == 0, results.generate_report()


def test_what_a_cell_sees_is_marked_in_the_drawing(explorer: Page) -> None:
    """The sample 7 is 120 pixels broad and 180 high, and its stroke is scaled to 20 of 28 pixels."""
    select(explorer, "conv_1", 3)
    box = explorer.locator(MAP).bounding_box()
    assert box is not None
    explorer.mouse.click(box["x"] + 13.5 * box["width"] / 26, box["y"] + 13.5 * box["height"] / 26)
    expect(explorer.locator(PLACE)).to_contain_text("row 13, column 13")
    inside = explorer.evaluate(
        """() => {
          const { x, y, width, height } = document.querySelector("#pad-region path").getBBox();
          const canvas = document.getElementById("canvas");
          const ink = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const seen = document.getElementById("seen");
          const small = new OffscreenCanvas(28, 28).getContext("2d");
          small.drawImage(seen, 0, 0);
          // The ink of the 3×3 pixels that the cell sees, and of what is marked on the pad: both from 0 to 1.
          const given = small.getImageData(13, 13, 3, 3).data;
          let [drawn, count] = [0, 0];
          for (let row = Math.round(2 * y); row < 2 * (y + height); row++)
            for (let column = Math.round(2 * x); column < 2 * (x + width); column++, count++)
              drawn += ink[4 * (row * canvas.width + column) + 3] / 255;
          const levels = [...given].filter((_, at) => at % 4 === 0);
          return [width / height, drawn / count, levels.reduce((sum, each) => sum + each, 0) / levels.length / 255];
        }"""
    )
    shape, drawn, seen = inside
    assert shape == pytest.approx(1, abs=0.01)
    assert drawn == pytest.approx(seen, abs=0.08)
    explorer.keyboard.press("Escape")
    explorer.keyboard.press("Escape")
    expect(explorer.locator("#pad-region path").first).to_have_attribute("d", "")


def test_the_keyboard_previews_a_map_and_a_screen_reader_hears_of_it(explorer: Page) -> None:
    explorer.focus("#layer-conv_1 .layer-fold")
    explorer.keyboard.press("Tab")
    expect(explorer.locator("#microscope-state")).to_have_text("preview")
    expect(explorer.locator(f"{PANEL} [aria-live]").first).to_contain_text(re.compile("conv_1, map 0: .*mean"))


def test_tab_stops_once_at_each_layer_s_maps_and_leaves_them_both_ways(explorer: Page) -> None:
    focused = "document.activeElement.getAttribute('aria-label')"
    explorer.focus("#layer-conv_1 .layer-fold")
    explorer.keyboard.press("Tab")
    assert explorer.evaluate(focused) == "conv_1, map 0"
    explorer.keyboard.press("ArrowRight")
    assert explorer.evaluate(focused) == "conv_1, map 1"
    explorer.keyboard.press("Shift+Tab")
    assert explorer.evaluate("document.activeElement.className") == "layer-fold"
    explorer.keyboard.press("Tab")  # back to where it was
    assert explorer.evaluate(focused) == "conv_1, map 1"
    explorer.keyboard.press("Tab")
    assert not explorer.evaluate("Boolean(document.activeElement.closest('.maps-overlay'))")


def test_a_link_to_a_held_map_holds_the_map_and_no_cell(explorer: Page, page: Page) -> None:
    select(explorer, "conv_2", 3)
    expect(explorer.locator("#microscope-state")).to_have_text("map held")
    address = explorer.url
    assert "channel=3" in address and "row=" not in address
    page.goto(address)
    expect(page.locator("#microscope-state")).to_have_text("map held")
    assert page.url.partition("#")[0] == address.partition("#")[0]
