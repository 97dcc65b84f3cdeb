"""The first visit: hints in turn, gone for good, and a cell under the microscope to begin with."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_explorer

HINT = "#hints > div:visible"
PANEL = "#microscope"


@pytest.fixture
def is_first_visit() -> bool:
    return True


def test_each_hint_goes_once_it_was_followed(explorer: Page) -> None:
    expect(explorer.locator(HINT)).to_have_count(1)
    expect(explorer.locator(HINT)).to_contain_text("Draw")
    explorer.click("#canvas", position={"x": 60, "y": 60})
    expect(explorer.locator(HINT)).to_contain_text("Click a feature map")
    explorer.click("#layer-conv_1 [data-index='2']")
    expect(explorer.locator(HINT)).to_contain_text("Switch the pooling")
    explorer.check("[name=pooling][value=min]", force=True)
    expect(explorer.locator("#hints")).to_be_hidden()
    explorer.reload()
    expect(explorer.locator("#layer-conv_1 .maps-button").first).to_be_visible()
    expect(explorer.locator("#hints")).to_be_hidden()


def test_hints_can_be_put_away_at_once(page: Page, base_url: str) -> None:
    open_explorer(page)
    page.click("text=No hints")
    expect(page.locator("#hints")).to_be_hidden()
    open_explorer(page)
    expect(page.locator("#hints")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1280])
def test_is_accessible(page: Page, base_url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_explorer(page)
    expect(page.locator(HINT)).to_have_count(1)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_a_cell_is_under_the_microscope_until_the_pen_goes_down(explorer: Page) -> None:
    expect(explorer.locator("#microscope-state")).to_have_text("for instance")
    expect(explorer.locator(PANEL)).to_have_attribute("data-layer", "conv_1")
    expect(explorer.locator(".microscope-invitation")).to_be_visible()
    expect(explorer.locator(".microscope-sum .is-result")).to_be_in_viewport()
    expect(explorer.locator("#pad-region path").first).not_to_have_attribute("d", "")
    assert "layer=" not in explorer.url
    explorer.click("#canvas", position={"x": 60, "y": 60})
    expect(explorer.locator(PANEL)).to_have_count(0)
    expect(explorer.locator(".microscope-invitation")).to_be_visible()


def test_the_example_gives_way_to_what_is_chosen(explorer: Page) -> None:
    expect(explorer.locator("#microscope-state")).to_have_text("for instance")
    explorer.click("#layer-conv_2 [data-index='2']")
    expect(explorer.locator("#microscope-state")).to_have_text("map held")
    expect(explorer.locator(".microscope-invitation")).to_be_hidden()


@pytest.mark.parametrize("address", ["/?layer=conv_2&channel=3", "/?model=five-layer-dense"])
def test_there_is_no_example_beside_a_selection_or_without_maps(page: Page, base_url: str, address: str) -> None:
    open_explorer(page, address)
    expect(page.locator("#microscope-state:text('for instance')")).to_have_count(0)
    expect(page.locator(PANEL)).to_have_count(int("layer=" in address))


def test_no_sheet_covers_the_page_at_first(page: Page, base_url: str) -> None:
    page.set_viewport_size({"width": 768, "height": 1024})
    open_explorer(page)
    expect(page.locator(HINT)).to_have_count(1)
    expect(page.locator(PANEL)).to_have_count(0)
