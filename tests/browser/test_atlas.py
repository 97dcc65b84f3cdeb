"""What maps look for, and the cloud of digits, in the browser."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.pen import LINE_DOWN, draw

SIZES = [(390, 844), (1280, 800), (1920, 1080)]


@pytest.fixture
def atlas(page: Page, base_url: str, complaints: list[str]) -> Iterator[Page]:
    yield page
    assert complaints == []


def test_it_runs_by_itself_and_a_digit_leads_to_its_cell_and_back(atlas: Page) -> None:
    atlas.goto("/atlas?model=figure-6-3&channel=1")
    cards = atlas.locator(".atlas-card")
    expect(cards.first.get_by_role("heading")).to_have_text("Map 1")
    expect(atlas.locator("#run-progress")).to_have_count(0)
    check(atlas)
    link = cards.first.get_by_role("link").first
    value = (link.get_attribute("title") or "").partition("value ")[2].split(" ")[0]
    link.click()
    expect(atlas.locator("#microscope output").first).to_contain_text(value[:4])
    atlas.get_by_role("link", name="What this map looks for").click()
    expect(atlas.locator(".atlas-card").first.get_by_role("heading")).to_have_text("Map 1")


def test_layers_are_chosen_by_links_and_maps_ordered_by_cost(atlas: Page) -> None:
    atlas.goto("/atlas?model=figure-6-3")
    expect(atlas.locator(".atlas-card").first).to_be_visible()
    atlas.get_by_role("button", name="Order by what muting costs").click()
    expect(atlas.locator(".atlas-cost").first).to_be_visible()
    assert "order=cost" in atlas.url
    last = atlas.locator(".atlas-layers a").last
    last.click()
    expect(atlas.locator(".atlas-card").first.get_by_role("heading")).to_have_text(re.compile("Unit"))
    expect(last).to_have_attribute("aria-current", "true")


def test_an_image_is_made_beside_the_best_real_digit(atlas: Page) -> None:
    atlas.goto("/atlas?model=figure-6-3")
    card = atlas.locator(".atlas-card").first
    make = card.get_by_role("button", name="Make an image that excites it")
    make.focus()
    atlas.keyboard.press("Enter")
    pictures = card.locator(".atlas-made-row figure")
    expect(pictures).to_have_count(3)
    expect(pictures.nth(0)).to_contain_text("the best real one")
    expect(pictures.nth(2)).to_contain_text("made without penalties")
    best = card.get_by_role("link").first.get_attribute("title") or ""
    value = best.partition("value ")[2].split(" ")[0]
    assert value.startswith(pictures.nth(0).locator("strong").inner_text())
    check(atlas)
    card.get_by_role("button", name="For the mean of the map").click()
    expect(card.locator(".note").last).to_contain_text("The mean of the map")
    expect(pictures).to_have_count(3)


def test_the_nearest_digits_follow_the_drawing_and_open(atlas: Page) -> None:
    atlas.goto("/atlas/cloud?model=figure-6-3")
    near = atlas.locator(".cloud-nearest li")
    expect(near).to_have_count(9)
    before = near.first.inner_html()
    draw(atlas, [LINE_DOWN])
    expect(near.first).not_to_have_js_property("innerHTML", before)
    name = (near.nth(3).get_by_role("link").get_attribute("href") or "").partition("digit=")[2]
    near.nth(3).get_by_role("link").click()
    expect(atlas).to_have_url(re.compile(f"digit={name}"))
    expect(near.first.get_by_role("link")).to_have_attribute("href", re.compile(f"digit={name}$"))


def test_the_drawing_is_a_ring_that_moves_with_the_pen_among_digits_that_open(atlas: Page) -> None:
    atlas.goto("/atlas/cloud?model=figure-6-3")
    ring = atlas.locator("#cloud-drawing")
    expect(ring).to_be_attached()
    expect(atlas.locator("[data-digit]")).to_have_count(1000)
    check(atlas)
    before = ring.get_attribute("cx")
    draw(atlas, [LINE_DOWN], lift=False)
    expect(ring).not_to_have_attribute("cx", before or "")
    atlas.mouse.up()
    expect(atlas.locator("[data-digit]")).to_have_count(1000)
    atlas.locator("#cloud-plane").focus()
    atlas.keyboard.press("ArrowRight")
    atlas.keyboard.press("ArrowUp")
    named = re.search(r"test-\d+", atlas.locator("#cloud-named").inner_text())
    assert named
    atlas.keyboard.press("Enter")
    expect(atlas).to_have_url(re.compile(f"digit={named[0]}"))
    mark = atlas.locator(f"[data-digit={named[0]}]")
    expect(ring).to_have_attribute("cx", re.compile(re.escape((mark.get_attribute("x") or "")[:-1])))


def test_another_layer_or_model_has_another_cloud(atlas: Page) -> None:
    atlas.goto("/atlas/cloud?model=figure-6-3")
    expect(atlas.locator("#cloud-drawing")).to_be_attached()
    layers = atlas.locator("select[name=layer]")
    name = layers.locator("option").first.get_attribute("value") or ""
    layers.select_option(name)
    expect(atlas.locator(".cloud-words strong").first).to_have_text(name)
    expect(atlas.locator("#cloud-drawing")).to_be_attached()
    atlas.select_option("select[name=model]", "five-layer-dense")
    expect(layers.locator("option").first).not_to_have_attribute("value", name)
    expect(atlas.locator("#cloud-drawing")).to_be_attached()
    assert "model=five-layer-dense" in atlas.url


def check(page: Page) -> None:
    """Nothing is amiss on any screen."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 1280, "height": 900})
