"""What the page says when an answer is not to be trusted."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pen import LINE_DOWN, draw, draw_digit

HASH = [[(100, 40), (100, 240)], [(180, 40), (180, 240)], [(40, 100), (240, 100)], [(40, 180), (240, 180)]]
DOUBT = ".answer-doubt"


def top_of_bars(page: Page) -> float:
    box = page.locator("#answer .bars").bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("size", [(1280, 800), (1280, 700), (390, 844)], ids=str)
def test_a_doubt_is_told_and_moves_nothing(explorer: Page, size: tuple[int, int]) -> None:
    explorer.set_viewport_size({"width": size[0], "height": size[1]})
    draw_digit(explorer, "3")
    expect(explorer.locator(".answer-guess")).to_have_text("3")
    expect(explorer.locator(DOUBT)).to_be_empty()
    before = top_of_bars(explorer)
    explorer.click("#clear")
    draw(explorer, HASH)
    expect(explorer.locator(f"{DOUBT} .answer-reason")).to_be_visible()
    expect(explorer.locator(DOUBT)).to_contain_text("Unlike any digit it was trained on")
    expect(explorer.locator(DOUBT)).to_have_role("status")
    assert top_of_bars(explorer) == pytest.approx(before, abs=1)
    draw_digit(explorer, "3")
    expect(explorer.locator(DOUBT)).to_be_empty()


def test_while_the_pen_is_down_it_only_says_that_there_is_no_digit_so_far(explorer: Page) -> None:
    explorer.click("#clear")
    draw(explorer, HASH[:3])
    draw(explorer, HASH[3:], lift=False)
    expect(explorer.locator(".answer-so-far")).to_be_visible()
    expect(explorer.locator(".answer-reason")).to_be_hidden()
    explorer.mouse.up()
    expect(explorer.locator(".answer-reason")).to_be_visible()
    expect(explorer.locator(".answer-so-far")).to_be_hidden()


def test_a_trusted_answer_says_how_often_such_answers_are_right(explorer: Page) -> None:
    explorer.click("#clear")
    draw(explorer, [LINE_DOWN])
    expect(explorer.locator(".answer-trust")).to_contain_text("of such answers are right")
