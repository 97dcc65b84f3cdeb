"""Two networks side by side: live, in the address, on every screen."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_choice_changes_where_they_part_and_the_address(
    page: Page, complaints: list[str], width: int, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    with page.expect_response("**/differences"):
        page.goto("/differences")
    heading = page.locator(".differences-summary h2")
    expect(heading).to_contain_text("They part at")
    with page.expect_response("**/differences"):
        page.locator("select[name=other_pooling]").select_option("")
    expect(heading).to_have_text("They do not part")
    with page.expect_response("**/differences"):
        page.locator("select[name=other_pooling]").select_option("average")
    expect(heading).to_contain_text("They part at")
    assert "other_pooling=average" in page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert Axe().run(page).response["violations"] == []
    assert complaints == []
