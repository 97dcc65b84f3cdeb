"""The explorer's switches, its address, and what it looks like on every screen."""

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import open_explorer
from tests.browser.pen import LINE_DOWN, RESULTS, draw, draw_digit, ink, until

POOL = "#layer-pool_1"
MORE = ".switches-more summary"
SCREENS = [(390, 844), (844, 390), (1280, 900), (1920, 1080)]


def choose(page: Page, value: str) -> None:
    page.check(f"input[value={value}]", force=True)


def wait_for_all_layers(page: Page) -> None:
    """Until nothing is asked for: every layer near the screen, in a high window all, is of the newest drawing."""
    page.set_viewport_size({"width": 1280, "height": 1600})
    expect(page.locator("#explorer.htmx-request, article:is([data-pending], .is-outdated)")).to_have_count(0)


def test_pooling_changes_everything_after_it(explorer: Page) -> None:
    wait_for_all_layers(explorer)
    sources = "() => [...document.querySelectorAll('img.maps-grid')].map((image) => image.src)"
    before = explorer.evaluate(sources)
    choose(explorer, "min")
    expect(explorer.locator(f"{POOL} .layer-words")).to_contain_text("the minimum of four")
    wait_for_all_layers(explorer)
    after = explorer.evaluate(sources)
    names = explorer.evaluate(
        "() => [...document.querySelectorAll('img.maps-grid')].map((image) => image.parentElement.dataset.layer)"
    )
    changed = [name for name, old, new in zip(names, before, after, strict=True) if old != new]
    assert changed == names[names.index("pool_1") :]


def test_a_choice_does_not_wait_for_the_drawing_s_answer(explorer: Page) -> None:
    wait_for_all_layers(explorer)
    held: list[Route] = []
    explorer.route(RESULTS, lambda route: held.append(route))
    draw(explorer, [LINE_DOWN])
    until(explorer, lambda: len(held) == 1)
    choose(explorer, "average")
    until(explorer, lambda: len(held) == 2)
    held[1].continue_()
    expect(explorer.locator(f"{POOL} .layer-words")).to_contain_text("the average of four")


def test_a_request_after_another_list_of_layers_knows_of_it(explorer: Page) -> None:
    """Else its answer would be for the list that the page had before, and layers would be called what they are not."""
    wait_for_all_layers(explorer)
    held: list[Route] = []
    explorer.route(RESULTS, lambda route: held.append(route))
    choose(explorer, "min")
    until(explorer, lambda: len(held) == 1)
    draw(explorer, [LINE_DOWN])
    held[0].continue_()
    until(explorer, lambda: len(held) == 2)
    listed = explorer.get_attribute("#rows", "data-listed")
    assert listed and "min" in listed
    assert f'name="listed"\r\n\r\n{listed}\r\n'.encode() in (held[1].request.post_data_buffer or b"")


def test_marks_the_pooling_that_it_was_trained_with(explorer: Page) -> None:
    expect(explorer.locator("#pooling label", has_text="as trained")).to_have_text("max as trained")
    assert explorer.is_checked("#pooling input[value=max]")


def test_retrained_weights_are_the_siblings(explorer: Page) -> None:
    choose(explorer, "min")
    choose(explorer, "retrained")
    expect(explorer.locator("#layers > .note")).to_contain_text("digits-min")
    choose(explorer, "same")
    expect(explorer.locator("#layers > .note")).to_have_count(0)


def test_another_model_starts_as_it_was_trained(explorer: Page) -> None:
    choose(explorer, "min")
    explorer.select_option("select[name=model]", "digits-average")
    expect(explorer.locator("#pooling label", has_text="as trained")).to_have_text("average as trained")
    expect(explorer.locator("#pooling input[value=average]")).to_be_checked()


@pytest.mark.parametrize(("name", "value"), [("colormap", "magma"), ("colormap", "gray")])
def test_colours(explorer: Page, name: str, value: str) -> None:
    explorer.click(MORE)
    explorer.select_option(f"select[name={name}]", value)
    expect(explorer.locator("#layer-conv_1 .maps-legend img")).to_have_attribute("src", f"/colormaps/{value}.png")


def test_scale_per_map_says_so(explorer: Page) -> None:
    explorer.click(MORE)
    choose(explorer, "map")
    expect(explorer.locator("#layer-conv_1 .maps-legend")).to_contain_text("of each map by itself")


def test_the_address_is_the_state(explorer: Page, page: Page) -> None:
    draw_digit(explorer, "3")
    choose(explorer, "average")
    explorer.click(MORE)
    explorer.select_option("select[name=colormap]", "cividis")
    expect(explorer).to_have_url(re.compile("pooling=average.*colormap=cividis.*#d="))
    drawn, address = ink(explorer), explorer.url
    page.goto("about:blank")
    open_explorer(page, address)
    expect(page.locator(".answer-guess")).to_have_text("3")
    expect(page.locator(f"{POOL} .layer-words")).to_contain_text("average pooling")
    assert page.input_value("select[name=colormap]") == "cividis"
    assert ink(page) == drawn


def test_a_broken_address_still_opens_with_a_digit(page: Page, base_url: str) -> None:
    open_explorer(page, "/#d=%00broken")
    expect(page.locator(".answer-guess")).to_have_text("7")


def test_lens_shows_the_map_under_the_pointer(explorer: Page) -> None:
    grid = explorer.locator("#layer-conv_1 .maps")
    grid.hover(position={"x": 60, "y": 20})
    expect(explorer.locator("#lens")).to_contain_text("conv_1 · map 1")
    explorer.keyboard.press("Escape")
    expect(explorer.locator("#lens")).to_be_hidden()


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("figure-6-3", "probability that the digit is odd"),
        ("five-layer-dense", "probability that the digit is odd"),
        ("five-layer-convolutional", "and its answer: a picture"),
        ("section-6-3", "then"),
        ("untrained", "then"),
    ],
)
def test_each_kind_of_answer(explorer: Page, model: str, sentence: str) -> None:
    explorer.select_option("select[name=model]", model)
    expect(explorer.locator("#answer")).to_contain_text(sentence)


def test_a_network_without_feature_maps_says_so(explorer: Page) -> None:
    explorer.select_option("select[name=model]", "five-layer-dense")
    expect(explorer.locator("#layers > .note")).to_contain_text("This network has no feature maps")


def test_the_outline_network_takes_a_picture_of_any_size(explorer: Page) -> None:
    explorer.select_option("select[name=model]", "five-layer-convolutional")
    expect(explorer.locator("#layer-outline .layer-facts")).to_contain_text("280×280×1")


@pytest.mark.parametrize(("width", "height"), SCREENS)
@pytest.mark.parametrize("path", ["/", "/models"])
def test_nothing_overflows(page: Page, base_url: str, path: str, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_phone_has_fewer_maps_a_row(page: Page, base_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_explorer(page)
    expect(page.locator("#layer-conv_1 .maps")).to_have_attribute("data-place", re.compile(r"^0 \d+ 8 "))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/models"])
def test_is_accessible(page: Page, base_url: str, path: str, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("path", ["/", "/models", "/docs"])
def test_loads_nothing_from_elsewhere(page: Page, base_url: str, complaints: list[str], path: str) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert all(address.startswith((base_url, "data:", "blob:")) for address in addresses)
    assert complaints == []


def test_docs_show_the_api(page: Page, base_url: str) -> None:
    page.goto("/docs")
    expect(page.locator("#swagger-ui")).to_contain_text("/api/models/{model}/prediction")


LEGEND = f"{POOL} .maps-legend"


def test_the_scale_is_held_across_poolings(explorer: Page) -> None:
    expect(explorer.locator(LEGEND)).to_contain_text("the whole layer")
    ends = explorer.inner_text(LEGEND).split(",")[0]
    choose(explorer, "average")
    expect(explorer.locator(LEGEND)).to_have_text(re.compile("as trained"))
    assert explorer.inner_text(LEGEND).split(",")[0] == ends
    explorer.click(MORE)
    choose(explorer, "layer")
    expect(explorer.locator(LEGEND)).to_contain_text("the whole layer")
    assert explorer.inner_text(LEGEND).split(",")[0] != ends


def test_differences_from_as_trained(explorer: Page) -> None:
    choose(explorer, "min")
    explorer.click(MORE)
    explorer.check("[name=differences]")
    expect(explorer.locator(LEGEND)).to_contain_text("minus as trained")
    expect(explorer).to_have_url(re.compile("differences=on"))


def test_another_pooling_is_looked_at_while_its_button_is_held(explorer: Page) -> None:
    box = explorer.locator("label:has(> [value=min])").bounding_box()
    assert box is not None
    explorer.mouse.move(box["x"] + 10, box["y"] + 10)
    explorer.mouse.down()
    expect(explorer.locator(f"{POOL} .layer-words")).to_contain_text("min pooling")
    explorer.mouse.up()
    expect(explorer.locator(f"{POOL} .layer-words")).to_contain_text("max pooling")
    assert explorer.is_checked("[value=max]")


def test_another_pooling_is_looked_at_while_a_key_is_held(explorer: Page) -> None:
    choose(explorer, "average")
    explorer.keyboard.down("p")
    expect(explorer.locator(f"{POOL} .layer-words")).to_contain_text("max pooling")
    explorer.keyboard.up("p")
    expect(explorer.locator(f"{POOL} .layer-words")).to_contain_text("average pooling")


def test_only_another_model_is_said_to_be_opened(explorer: Page) -> None:
    explorer.route("**/exploration", lambda route: None)  # never answered
    choose(explorer, "min")
    expect(explorer.locator("#layers")).to_have_class(re.compile("is-stale"))
    explorer.wait_for_timeout(1300)  # longer than what is said of an opening takes to come
    expect(explorer.locator(".switches-opening")).to_be_hidden()
    explorer.select_option("select[name=model]", "digits-min")
    expect(explorer.locator(".switches-opening")).to_be_visible()


def test_what_is_chosen_shows_in_the_system_s_own_colours(page: Page, base_url: str) -> None:
    page.emulate_media(forced_colors="active")
    open_explorer(page)
    colour = "element => getComputedStyle(element).backgroundColor"
    chosen = page.locator("input[name=pooling]:checked + span").evaluate(colour)
    assert chosen != page.locator("input[name=pooling]:not(:checked) + span").first.evaluate(colour)


def test_nothing_moves_while_the_page_is_loaded(page: Page, base_url: str) -> None:
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => { for (const shift of list.getEntries()) "
        "window.moved += shift.value }).observe({ type: 'layout-shift', buffered: true })"
    )
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    open_explorer(page)
    assert page.evaluate("window.moved") < 0.02


def test_a_pointer_hits_every_sample(explorer: Page) -> None:
    for sample in explorer.locator(".pad-sample").all():
        box = sample.bounding_box()
        assert box and min(box["width"], box["height"]) >= 24
