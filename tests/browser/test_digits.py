"""The gallery of real digits: run, cancelled, filtered, and on the pad."""

import re
import time
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

STATUS, CHARTS = "#digits-status", ".digits-charts"


@pytest.fixture
def digits(page: Page, base_url: str, complaints: list[str]) -> Iterator[Page]:
    """The page after a run; whatever the browser complains of fails the test."""
    page.goto("/digits?count=1000")
    expect(page.locator(CHARTS)).to_be_visible()
    yield page
    assert complaints == []


def long_ones(server: Server) -> int:
    return len(server.app.state.long_computations)


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"select[name={name}]").select_option(value)


def test_a_run_shows_its_progress_and_cancel_ends_it(page: Page, server: Server, complaints: list[str]) -> None:
    page.goto("/digits?model=digits-average&pooling=min")
    expect(page.locator(".run-progress .note")).to_contain_text(re.compile(r"^\s*[1-9][\d,]* of 10,000 digits"))
    assert long_ones(server) == 1
    page.get_by_role("link", name="Cancel").click()
    again = page.get_by_role("button", name="Run digits-average over 10,000 digits")
    expect(again).to_be_visible()
    deadline = time.monotonic() + 5
    while long_ones(server):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)
    expect(page.locator("progress")).to_have_count(0)
    assert complaints == []


def test_leaving_the_page_ends_the_run(page: Page, server: Server) -> None:
    page.goto("/digits?model=digits-min&pooling=average")
    expect(page.locator(".run-progress .note")).to_contain_text(re.compile(r"^\s*[1-9]"))
    page.goto("/models")
    deadline = time.monotonic() + 5
    while long_ones(server):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)


def test_choices_are_in_the_address_and_keep_the_focus(digits: Page) -> None:
    digits.get_by_role("radio", name="wrong").focus()
    digits.keyboard.press("Space")
    expect(digits).to_have_url(re.compile(r"found=wrong"))
    expect(digits.locator(".digits-tile").first).to_have_class(re.compile("is-wrong"))
    expect(digits.get_by_role("radio", name="wrong")).to_be_focused()
    choose(digits, "order", "confidence")
    expect(digits).to_have_url(re.compile(r"found=wrong.*order=confidence"))
    wrong = digits.locator(".digits-tile").count()
    digits.reload()
    expect(digits.locator(".digits-tile")).to_have_count(wrong)
    digits.go_back()
    expect(digits).to_have_url(re.compile(r"found=wrong$"))
    expect(digits.locator("select[name=order]")).to_have_value("")


def test_a_cell_of_the_matrix_shows_its_digits(digits: Page) -> None:
    cell = digits.locator(".digits-matrix td:not(.is-right) a").first
    count = int(cell.inner_text())
    cell.press("Enter")
    expect(digits).to_have_url(re.compile(r"digit=\d&read=\d"))
    expect(digits.locator(".digits-tile")).to_have_count(count)
    expect(digits.locator(".digits-matrix td[aria-current]")).to_have_count(1)


def test_a_digit_goes_to_the_pad_with_model_and_pooling_and_gets_the_same_answer(
    digits: Page, complaints: list[str]
) -> None:
    digits.get_by_role("radio", name="average").click()
    expect(digits).to_have_url(re.compile("pooling=average"))
    expect(digits.locator(STATUS)).to_contain_text("with average pooling")
    choose(digits, "order", "confidence")
    expect(digits).to_have_url(re.compile("order=confidence"))
    tile = digits.locator(".digits-tile").first
    told = re.match(r"Test digit (\d+), a \d, read as (\d) with (\S+) %", tile.get_attribute("title") or "")
    assert told is not None
    number, read, confidence = told.groups()
    with digits.expect_response("**/exploration"):
        tile.press("Enter")
    expect(digits.locator("#picture-note")).to_have_text(f"Digit {number} of MNIST's test digits.")
    expect(digits.locator("#answer .answer-guess")).to_have_text(read)
    expect(digits.locator("#answer")).to_contain_text(f"{confidence} %")
    assert "pooling=average" in digits.url and f"digit=test-{number}" in digits.url
    digits.reload()
    expect(digits.locator("#answer .answer-guess")).to_have_text(read)
    expect(digits.locator("#picture-link")).to_be_hidden()
    digits.get_by_role("link", name="Compare").first.click()
    expect(digits).to_have_url(re.compile(f"/compare.*digit=test-{number}"))
    expect(digits.locator("#answer .answer-guess[data-pooling=average]")).to_contain_text(read)


def test_who_draws_on_a_digit_leaves_it(page: Page, base_url: str, complaints: list[str]) -> None:
    with page.expect_response("**/exploration"):
        page.goto("/?digit=training-7")
    expect(page.locator("#picture-note")).to_contain_text("training digits")
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(page).not_to_have_url(re.compile("digit="))
    expect(page.locator("#picture-link")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page).to_have_url(re.compile("digit=training-7"))
    assert complaints == []


def test_a_model_without_digits_says_why(digits: Page) -> None:
    choose(digits, "model", "five-layer-convolutional")
    expect(digits.locator(STATUS)).to_contain_text("cannot be tried on digits")
    expect(digits.locator(".digits-tile").first).to_be_visible()
    choose(digits, "model", "figure-6-3")
    expect(digits.locator(CHARTS)).to_be_visible()
    expect(digits.locator(".digits-matrix tbody tr")).to_have_count(2)


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_fits_every_screen(digits: Page, width: int) -> None:
    digits.set_viewport_size({"width": width, "height": 800})
    assert digits.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_accessible(digits: Page, scheme: Literal["light", "dark"], width: int) -> None:
    digits.emulate_media(color_scheme=scheme)
    digits.set_viewport_size({"width": width, "height": 800})
    digits.locator("summary").click()
    for query in ("?count=1000", "?count=1000&found=wrong", "?model=digits-min&pooling=max&count=1000"):
        digits.goto(f"/digits{query}")
        expect(digits.locator(CHARTS)).to_be_visible()
        results = Axe().run(digits)
        assert results.violations_count == 0, results.generate_report()


def test_loads_nothing_from_elsewhere(page: Page, base_url: str, complaints: list[str]) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto("/digits?count=1000")
    expect(page.locator(CHARTS)).to_be_visible()
    assert all(address.startswith((base_url, "data:", "blob:")) for address in addresses)
    assert complaints == []
