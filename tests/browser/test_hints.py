"""The hints at the first visit: in turn, and gone for good."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_explorer

HINT = "#hints > div:visible"


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
