"""A network of many layers: only what is on screen is drawn; it can be scrolled, paged and folded."""

import base64
import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from app.settings import Settings
from tests.browser.conftest import Server, open_explorer
from tests.browser.pen import LINE_DOWN, draw
from tests.large_model import save_large

pytestmark = pytest.mark.slow

SCREENS = [(390, 844), (1280, 900), (1920, 1080)]


@pytest.fixture(scope="module")
def large_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("large")
    save_large(folder)
    server = Server(Settings(built_in_models=folder))
    yield server
    server.stop()


@pytest.fixture
def large(page: Page, large_server: Server, complaints: list[str]) -> Iterator[Page]:
    """The explorer with the large network, at rest; whatever the browser complains of fails the test."""
    open_explorer(page, large_server.url)
    settle(page)
    yield page
    assert complaints == []


def settle(page: Page) -> None:
    """Wait until everything on screen is there and of the newest drawing, and no request is under way."""
    page.wait_for_timeout(250)
    page.wait_for_function(
        """() => !document.querySelector("#explorer.htmx-request")
          && [...document.querySelectorAll("article:is([data-pending], .is-outdated) figure")].every((figure) => {
            const { top, bottom, height } = figure.getBoundingClientRect();
            return !height || bottom <= 0 || top >= innerHeight;
          })""",
        timeout=60_000,
    )


def scroll_to(page: Page, layer: str) -> None:
    page.evaluate("(id) => document.getElementById(id).scrollIntoView({ block: 'center' })", f"layer-{layer}")


def grid(page: Page, layer: str) -> str:
    """The picture of a layer, as it stands."""
    return page.get_attribute(f"#layer-{layer} img.maps-grid", "src") or ""


def on_screen(page: Page) -> list[str]:
    """The layers whose figures are in view."""
    names: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("article[data-layer] figure")].filter((figure) => {
          const { top, bottom, height } = figure.getBoundingClientRect();
          return height && bottom > 0 && top < innerHeight;
        }).map((figure) => figure.closest("article").dataset.layer)"""
    )
    return names


def test_only_layers_near_the_screen_are_drawn(large: Page) -> None:
    drawn = large.locator("article:not([data-pending])").count()
    assert 2 <= drawn < 20
    expect(large.locator("article")).to_have_count(45)


def test_what_scrolls_into_view_is_drawn_without_a_jump(large: Page) -> None:
    expect(large.locator("#layer-conv8[data-pending]")).to_have_count(1)
    height = large.evaluate("document.documentElement.scrollHeight")
    scroll_to(large, "conv8")
    expect(large.locator("#layer-conv8 img.maps-grid")).to_be_visible()
    settle(large)
    assert large.evaluate("document.documentElement.scrollHeight") == pytest.approx(height, abs=60)
    assert "conv8" in on_screen(large)


def test_scrolling_brings_the_layers_of_the_same_drawing(large: Page) -> None:
    seen = large.get_attribute("#seen", "src")
    with large.expect_response("**/exploration") as response:
        scroll_to(large, "add9")
    text = response.value.text()
    assert 'id="figure-add9"' in text and 'id="figure-stem"' not in text
    expect(large.locator("#layer-add9 img.maps-grid")).to_be_visible()
    assert large.get_attribute("#seen", "src") == seen


def test_drawing_changes_all_that_is_on_screen_and_what_is_scrolled_to_later(large: Page) -> None:
    before = grid(large, "stem")
    scroll_to(large, "conv4")
    expect(large.locator("#layer-conv4 img.maps-grid")).to_be_visible()
    settle(large)
    old = grid(large, "conv4")
    large.click("#clear")
    draw(large, [LINE_DOWN])
    settle(large)
    expect(large.locator("#layer-conv4 img.maps-grid")).not_to_have_attribute("src", old)
    scroll_to(large, "stem")
    expect(large.locator("#layer-stem figure")).to_be_visible()
    settle(large)
    expect(large.locator("#layer-stem img.maps-grid")).not_to_have_attribute("src", before)


def test_layers_that_are_left_out_of_an_answer_are_asked_for_next(large: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    scroll_to(large, "conv4")
    settle(large)
    names = on_screen(large)
    before = {name: grid(large, name) for name in names}
    assert len(names) > 2
    monkeypatch.setattr("app.web.layer_list._ANSWER_PIXELS", 1)
    large.click("#clear")
    draw(large, [LINE_DOWN])
    settle(large)
    assert all(grid(large, name) != before[name] for name in names)


def test_pages_of_a_wide_layer(large: Page) -> None:
    scroll_to(large, "wide")
    pager = large.locator("#layer-wide .maps-pager")
    expect(pager).to_contain_text("maps 0 to 63 of 200")
    expect(pager.locator("button").first).to_be_disabled()
    expect(pager.locator("button").last).to_be_enabled()
    pager.locator("button").last.focus()
    large.keyboard.press("Enter")
    expect(pager).to_contain_text("maps 64 to 127 of 200")
    expect(pager.locator("button").last).to_be_focused()
    names = large.eval_on_selector_all(
        "#layer-wide .maps-overlay button", "buttons => buttons.map((button) => button.getAttribute('aria-label'))"
    )
    assert names == [f"wide, map {index}" for index in range(64, 128)]


def test_a_page_of_maps_is_saved_as_it_is_shown_or_all_of_them(large: Page) -> None:
    scroll_to(large, "wide")
    settle(large)
    large.locator("#layer-wide [data-page]").last.click()
    settle(large)
    shown = base64.b64decode(grid(large, "wide").partition(",")[2])
    large.click("[data-save]")
    files = []
    large.select_option("#save-zoom", "1")
    for label in ("wide, maps 64 to 127", "wide, all of its maps"):
        large.select_option("#save-what", label=label)
        with large.expect_download() as download:
            large.click("[data-now]")
        files.append(Path(download.value.path()).read_bytes())
    assert files[0] == shown
    page, whole = (Image.open(io.BytesIO(data)).height for data in files)
    assert page < whole


def test_the_page_stays_while_drawing_goes_on(large: Page) -> None:
    scroll_to(large, "wide")
    large.locator("#layer-wide .maps-pager button").last.click()
    expect(large.locator("#layer-wide .maps-pager")).to_contain_text("maps 64 to 127 of 200")
    old = grid(large, "wide")
    draw(large, [LINE_DOWN])
    settle(large)
    expect(large.locator("#layer-wide .maps-pager")).to_contain_text("maps 64 to 127 of 200")
    expect(large.locator("#layer-wide img.maps-grid")).not_to_have_attribute("src", old)


def test_lens_and_microscope_name_the_true_map_of_a_page(large: Page) -> None:
    scroll_to(large, "wide")
    large.locator("#layer-wide .maps-pager button").last.click()
    expect(large.locator("#layer-wide .maps-pager")).to_contain_text("maps 64 to 127 of 200")
    button = large.locator("#layer-wide button[data-index='85']")
    button.hover()
    expect(large.locator("#lens")).to_contain_text("wide · map 85")
    button.click()
    expect(large.locator("#microscope h2")).to_contain_text("wide · map 85")
    expect(large.locator("#layer-wide button.is-selected")).to_have_attribute("data-index", "85")
    large.keyboard.press("Escape")
    expect(large.locator("#microscope")).to_have_count(0)


def test_arrow_keys_walk_over_a_page_s_maps(large: Page) -> None:
    scroll_to(large, "wide")
    large.locator("#layer-wide .maps-pager button").last.click()
    large.locator("#layer-wide button[data-index='64']").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowUp", "ArrowDown"):
        large.keyboard.press(key)
    assert large.evaluate("document.activeElement.dataset.index") == "81"


def test_the_address_leads_to_the_page_of_the_selected_map(page: Page, large_server: Server) -> None:
    open_explorer(page, f"{large_server.url}/?layer=wide&channel=150")
    expect(page.locator("#layer-wide .maps-pager")).to_contain_text("maps 128 to 191 of 200")
    expect(page.locator("#microscope h2")).to_contain_text("map 150")
    expect(page.locator("#layer-wide button.is-selected")).to_have_attribute("data-index", "150")


def test_folding_by_keyboard_survives_drawing(large: Page) -> None:
    button = large.locator("#layer-stem .layer-fold")
    button.focus()
    large.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(large.locator("#layer-stem figure")).to_be_hidden()
    settle(large)
    with large.expect_response("**/exploration") as response:
        draw(large, [LINE_DOWN])
    text = response.value.text()
    assert 'id="figure-conv0"' in text and 'id="figure-stem"' not in text
    settle(large)
    expect(button).to_have_attribute("aria-expanded", "false")
    large.check("input[value=min]", force=True)
    expect(large.locator("#pooling input[value=min]")).to_be_checked()
    settle(large)
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    expect(large.locator("#layer-stem img.maps-grid")).to_be_visible()


def test_what_starts_folded_is_drawn_when_it_is_unfolded(large: Page) -> None:
    button = large.locator("#layer-bn0 .layer-fold")
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    expect(large.locator("#layer-bn0 img.maps-grid")).to_be_visible()


def test_fold_all_and_unfold_all(large: Page) -> None:
    large.get_by_role("button", name="Fold all", exact=True).click()
    expect(large.locator("article:not(.is-folded)")).to_have_count(0)
    large.get_by_role("button", name="Unfold all", exact=True).click()
    expect(large.locator("article.is-folded")).to_have_count(0)
    expect(large.locator("#layer-bn0 img.maps-grid")).to_be_visible()


def test_the_table_of_contents_leads_to_a_layer(large: Page) -> None:
    address = large.url
    large.select_option("select[data-contents]", "layer-relu7")
    expect(large.locator("#layer-relu7 img.maps-grid")).to_be_in_viewport()
    expect(large.locator("#layer-relu7 .layer-fold")).to_be_focused()
    assert large.url == address


def test_every_line_of_a_row_meets_the_next_row_s(large: Page) -> None:
    """Each lane at the lower edge of a row's picture is a lane at the upper edge of the next one's."""
    edges = large.evaluate(
        """() => [...document.querySelectorAll(".rail")].map((rail) => {
          const places = (line) => ["x1", "y1"].map((name) => line.getAttribute(name));
          const lines = [...rail.querySelectorAll("line")].map(places);
          const box = rail.getBoundingClientRect();
          const paths = [...rail.querySelectorAll("path")].map((path) => path.getAttribute("d"));
          const entering = paths.map((path) => /M([\\d.]+)/.exec(path)[1]);
          return {
            above: [...new Set([...lines.filter(([, y]) => y === "-1").map(([x]) => x), ...entering])].sort(),
            below: lines.map(([x]) => x).sort(),
            top: box.top,
            bottom: box.bottom,
          };
        })"""
    )
    assert len(edges) == 45
    for row, following in pairwise(edges):
        assert row["below"] == following["above"]
        assert row["bottom"] == pytest.approx(following["top"], abs=0.5)


@pytest.mark.parametrize(("width", "height"), SCREENS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_accessible_and_nothing_overflows(
    page: Page, large_server: Server, width: int, height: int, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    open_explorer(page, large_server.url)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
