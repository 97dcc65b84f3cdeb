"""Why this answer: asked beside the answer, live, and each part a link into the microscope."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.pen import draw


def open_why(page: Page, address: str = "/why") -> None:
    with page.expect_response("**/why"):
        page.goto(address)
    expect(page.locator(".why-summary h2")).to_be_visible()


def test_the_question_beside_the_answer_leads_there_and_a_part_back(page: Page, complaints: list[str]) -> None:
    page.goto("/")
    link = page.locator(".answer-why")
    question = link.inner_text()
    link.click()
    expect(page.locator(".why-summary h2")).to_have_text(question)
    part = page.locator(".why-shares a").first
    layer, channel, row, column = str(part.get_attribute("data-selection")).split()
    part.click()
    expect(page.locator("#microscope h2")).to_contain_text(layer)
    assert f"layer={layer}&channel={channel}&row={row}&column={column}" in page.url
    assert complaints == []


def test_it_follows_the_pen_and_the_choices(page: Page, complaints: list[str]) -> None:
    open_why(page)
    before = page.locator(".why-over").get_attribute("href")
    with page.expect_response("**/why"):
        draw(page, [[(80, 60), (80, 220)]])
    expect(page.locator(".why-over")).not_to_have_attribute("href", str(before))
    with page.expect_response("**/why"):
        page.locator("select[name=target]").select_option("3")
    expect(page.locator(".why-summary h2")).to_contain_text("Why 3, not")
    assert "target=3" in page.url
    assert complaints == []


def test_a_usual_picture_is_asked_for_and_dimmed_when_the_drawing_changes(page: Page, complaints: list[str]) -> None:
    open_why(page)
    with page.expect_response("**/why/attribution"):
        page.get_by_role("button", name="HiResCAM").click()
    picture = page.locator("#attribution")
    expect(picture.locator("figure")).to_have_count(2)
    expect(picture).to_contain_text("It does not say:")
    assert Axe().run(page).response["violations"] == []
    draw(page, [[(80, 60), (80, 220)]])
    expect(picture).to_have_class("is-stale")
    assert complaints == []


@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_accessible_and_nothing_overflows(page: Page, width: int, scheme: Literal["light", "dark"]) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    open_why(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert Axe().run(page).response["violations"] == []
