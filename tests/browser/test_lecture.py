"""In front of a class: full screen, twice as large, a spotlight, and the theme by a key."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_explorer
from tests.browser.test_microscope import select

FONT_SIZES = "(elements) => elements.map((element) => parseFloat(getComputedStyle(element).fontSize))"
# The zoom of the boxes around it counts as well.
SEEN_SIZES = """(elements) => elements.map((element) => {
  let size = parseFloat(getComputedStyle(element).fontSize);
  for (let each = element; each; each = each.parentElement) size *= Number(getComputedStyle(each).zoom);
  return size;
})"""
FITS = "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"


@pytest.fixture
def lecture(page: Page, base_url: str, complaints: list[str]) -> Page:
    """The explorer on a projector, in lecture mode."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    open_explorer(page)
    page.keyboard.press("l")
    expect(page.locator("html[data-lecture]")).to_have_count(1)
    return page


def is_full_screen(page: Page) -> bool:
    full: bool = page.evaluate("document.fullscreenElement === document.documentElement")
    return full


def test_a_key_enters_and_leaves_it(explorer: Page) -> None:
    explorer.keyboard.press("l")
    expect(explorer.locator("html[data-lecture]")).to_have_count(1)
    explorer.wait_for_function("() => document.fullscreenElement !== null")
    explorer.keyboard.press("l")
    expect(explorer.locator("html[data-lecture]")).to_have_count(0)
    explorer.wait_for_function("() => document.fullscreenElement === null")


def test_its_button_says_what_it_does(explorer: Page) -> None:
    explorer.get_by_role("button", name="Lecture mode: full screen, twice as large").click()
    explorer.get_by_role("button", name="Leave lecture mode").click()
    expect(explorer.locator("html[data-lecture]")).to_have_count(0)


def test_it_works_where_full_screen_is_refused(explorer: Page) -> None:
    explorer.evaluate(
        "() => { document.documentElement.requestFullscreen = () => Promise.reject(new TypeError('refused')); }"
    )
    explorer.keyboard.press("l")
    expect(explorer.locator("html[data-lecture]")).to_have_count(1)
    assert not is_full_screen(explorer)
    explorer.keyboard.press("Escape")
    expect(explorer.locator("html[data-lecture]")).to_have_count(0)


def test_whoever_leaves_full_screen_leaves_it(explorer: Page) -> None:
    explorer.keyboard.press("l")
    explorer.wait_for_function("() => document.fullscreenElement !== null")
    explorer.evaluate("document.exitFullscreen()")
    expect(explorer.locator("html[data-lecture]")).to_have_count(0)


def test_escape_leaves_it_and_lets_go_of_nothing(lecture: Page) -> None:
    select(lecture, "conv_2", 5)
    lecture.keyboard.press("Escape")
    expect(lecture.locator("html[data-lecture]")).to_have_count(0)
    expect(lecture.locator("#microscope-state")).to_have_text("map held")
    lecture.keyboard.press("Escape")
    expect(lecture.locator("#microscope")).to_have_count(0)


def test_escape_closes_the_help_first(lecture: Page) -> None:
    lecture.keyboard.press("?")
    lecture.keyboard.press("Escape")
    expect(lecture.locator("#help")).to_be_hidden()
    expect(lecture.locator("html[data-lecture]")).to_have_count(1)


def test_a_key_that_is_typed_is_no_shortcut(explorer: Page) -> None:
    explorer.focus("select[name=model]")
    explorer.keyboard.press("l")
    explorer.focus("#canvas")
    explorer.keyboard.press("Control+l")
    expect(explorer.locator("html[data-lecture]")).to_have_count(0)


def test_text_is_twice_as_large(page: Page, base_url: str) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    open_explorer(page)
    places = "body, .layer h2, .layer-words, .bars li, .masthead-wordmark"
    before = page.eval_on_selector_all(places, FONT_SIZES)
    page.keyboard.press("l")
    expect(page.locator("html[data-lecture]")).to_have_count(1)
    after = page.eval_on_selector_all(places, FONT_SIZES)
    assert after == pytest.approx([2 * size for size in before])


@pytest.mark.parametrize(("layer", "index"), [("conv_2", 5), ("pool_1", 7), ("digit", 7)])
def test_numbers_in_the_microscope_can_be_read_from_the_last_row(lecture: Page, layer: str, index: int) -> None:
    select(lecture, layer, index)
    numbers = "#microscope :is(output, .microscope-matrix text, .microscope-partial, dd, td, figcaption)"
    lecture.wait_for_timeout(300)
    assert min(lecture.locator(numbers).evaluate_all(SEEN_SIZES)) >= 22
    assert lecture.evaluate(FITS)
    assert lecture.evaluate(
        "document.getElementById('dock').scrollWidth <= document.getElementById('dock').clientWidth"
    )


def test_the_whole_sum_is_in_view(lecture: Page) -> None:
    select(lecture, "conv_2", 5)
    for part in (".microscope-term >> nth=0", ".microscope-term >> nth=-1", ".microscope-sum .is-result"):
        expect(lecture.locator(f"#microscope {part}")).to_be_in_viewport(ratio=0.9)


def test_the_held_layer_stays_in_view(explorer: Page) -> None:
    select(explorer, "conv_4", 5)
    explorer.keyboard.press("l")
    expect(explorer.locator("#name-conv_4")).to_be_in_viewport()
    explorer.keyboard.press("l")
    expect(explorer.locator("#name-conv_4")).to_be_in_viewport()


def test_maps_are_larger_too(lecture: Page) -> None:
    expect(lecture.locator("#layer-conv_1 .maps")).to_have_attribute("data-place", "0 16 4 26 26 1")
    box = lecture.locator("#layer-conv_1 .maps-button").first.bounding_box()
    assert box and box["width"] >= 2 * 58


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1280, 800), (1366, 633), (1920, 1080), (3840, 2160)])
def test_it_fits_every_projector(explorer: Page, width: int, height: int) -> None:
    explorer.set_viewport_size({"width": width, "height": height})
    explorer.keyboard.press("l")
    select(explorer, "conv_2", 5)
    assert explorer.evaluate(FITS)
    expect(explorer.locator(".bars li").last).to_be_in_viewport(ratio=0.5)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (768, 1024)])
def test_it_fits_what_is_no_projector(explorer: Page, width: int, height: int) -> None:
    explorer.set_viewport_size({"width": width, "height": height})
    explorer.keyboard.press("l")
    assert explorer.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_goes_on_over_another_page(lecture: Page) -> None:
    lecture.goto("/compare")
    expect(lecture.locator("html[data-lecture]")).to_have_count(1)
    lecture.keyboard.press("Escape")
    lecture.goto("/")
    expect(lecture.locator("html:not([data-lecture])")).to_have_count(1)


def spot(page: Page) -> list[float]:
    """The middle of the spotlight, and how far it reaches, in pixels."""
    return [
        float(
            page.eval_on_selector(".spotlight", f"(shade) => parseFloat(shade.style.getPropertyValue('--spot-{name}'))")
        )
        for name in ("x", "y", "radius")
    ]


def test_the_spotlight_follows_the_pointer_and_lets_clicks_through(lecture: Page) -> None:
    lecture.mouse.move(700, 600)
    lecture.keyboard.press("s")
    assert spot(lecture)[:2] == [700, 600]
    lecture.mouse.move(900, 500)
    assert spot(lecture)[:2] == [900, 500]
    select(lecture, "conv_1", 3)
    lecture.keyboard.press("s")
    expect(lecture.locator(".spotlight")).to_have_count(0)


def test_the_spotlight_is_on_what_has_the_focus(lecture: Page) -> None:
    lecture.get_by_role("button", name="Spotlight").click()
    expect(lecture.get_by_role("button", name="Spotlight")).to_have_attribute("aria-pressed", "true")
    lecture.keyboard.press("Tab")
    x, y, radius = spot(lecture)
    left, top, width, height = lecture.evaluate(
        "() => { const box = document.activeElement.getBoundingClientRect(); "
        "return [box.left, box.top, box.width, box.height]; }"
    )
    assert [x, y] == pytest.approx([left + width / 2, top + height / 2], abs=1)
    assert radius > width / 2


def test_the_spotlight_ends_with_the_lecture(lecture: Page) -> None:
    lecture.keyboard.press("s")
    lecture.keyboard.press("Escape")
    expect(lecture.locator(".spotlight")).to_have_count(0)
    lecture.keyboard.press("s")
    expect(lecture.locator(".spotlight")).to_have_count(0)


def test_the_theme_goes_round_and_says_which(explorer: Page) -> None:
    for name, next_one, theme in [("system", "light", "light"), ("light", "dark", "light"), ("dark", "system", "dark")]:
        button = explorer.get_by_role("button", name=f"Theme: {name}. Switch to {next_one}")
        expect(button).to_contain_text(name.capitalize())
        expect(explorer.locator(f"html[data-theme={theme}]")).to_have_count(1)
        button.click()
    explorer.emulate_media(color_scheme="dark")
    expect(explorer.locator("html[data-theme=dark]")).to_have_count(1)


def test_the_theme_is_kept(explorer: Page) -> None:
    explorer.click("[data-theme-switch]")
    explorer.click("[data-theme-switch]")
    open_explorer(explorer)
    expect(explorer.get_by_role("button", name="Theme: dark")).to_be_visible()
    expect(explorer.locator("html[data-theme=dark]")).to_have_count(1)


def test_the_theme_has_a_key_in_a_lecture(lecture: Page) -> None:
    lecture.keyboard.press("t")
    lecture.keyboard.press("t")
    expect(lecture.locator("html[data-theme=dark]")).to_have_count(1)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_accessible(page: Page, base_url: str, scheme: Literal["light", "dark"]) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.emulate_media(color_scheme=scheme)
    open_explorer(page)
    page.keyboard.press("l")
    select(page, "conv_2", 5)
    page.wait_for_load_state("networkidle")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
