"""Experiments in the browser: they run, can be cancelled, and show what they found on every screen."""

import csv
import io
import time
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

SCREENS = [(390, 844), (768, 1024), (1280, 800), (1920, 1080)]
SMALL = "?model=figure-6-3&digits=500"


@pytest.fixture
def experiments(page: Page, base_url: str, complaints: list[str]) -> Iterator[Page]:
    yield page
    assert complaints == []


def run(page: Page, name: str, query: str = SMALL) -> None:
    """Open an experiment's page and wait for what it found."""
    page.goto(f"/experiments/{name}{query}")
    expect(page.locator(".experiments-conclusion")).to_contain_text("The claim")


def test_it_runs_by_itself_and_its_address_shows_the_same(experiments: Page) -> None:
    run(experiments, "darkness")
    expect(experiments.locator("#run-progress")).to_have_count(0)
    sentence = experiments.locator(".experiments-conclusion").inner_text()
    assert "“figure-6-3” reads" in sentence
    expect(experiments.locator("svg.chart-picture")).to_have_count(1)
    expect(experiments.locator(".experiments-table tbody tr")).to_have_count(18)
    experiments.reload()
    expect(experiments.locator(".experiments-conclusion")).to_have_text(sentence)


def test_a_choice_runs_it_anew_and_is_in_the_address(experiments: Page) -> None:
    run(experiments, "ink")
    experiments.get_by_role("radio", name="2,000").check(force=True)
    expect(experiments.locator(".experiments-caption")).to_contain_text("on 2,000 of")
    assert experiments.url.endswith("/experiments/ink?model=figure-6-3&digits=2000")
    experiments.select_option("select[name=model]", "five-layer-dense")
    expect(experiments.locator(".experiments-caption")).to_contain_text("“five-layer-dense”")
    experiments.go_back()
    expect(experiments.locator(".experiments-caption")).to_contain_text("“figure-6-3”")


def test_who_cannot_be_asked_is_told_and_another_can_be_chosen(page: Page) -> None:
    page.goto("/experiments/poolings?model=five-layer-dense&digits=500")
    expect(page.locator("#experiment-status")).to_contain_text("has no pooling layer")
    page.select_option("select[name=model]", "figure-6-3")
    expect(page.locator(".experiments-conclusion")).to_contain_text("“figure-6-3”")
    page.select_option("select[name=model]", "five-layer-convolutional")
    expect(page.locator("#experiment-status")).to_contain_text("its answer is not one of several classes")
    expect(page.locator(".experiments-conclusion")).to_have_count(0)


def test_a_long_run_shows_how_far_it_is_and_can_be_cancelled(experiments: Page, server: Server) -> None:
    experiments.goto("/experiments/maps?model=digits&digits=10000")
    bar = experiments.locator("#run-progress progress")
    expect(bar).not_to_have_attribute("value", "0")
    assert len(server.app.state.long_computations) == 1
    experiments.get_by_role("link", name="Cancel").click()
    expect(experiments.get_by_role("button", name="Run it with digits on 10,000 digits")).to_be_visible()
    expect(bar).to_have_count(0)
    deadline = time.monotonic() + 30
    while len(server.app.state.long_computations) and time.monotonic() < deadline:
        experiments.wait_for_timeout(100)
    assert len(server.app.state.long_computations) == 0  # it has ended, and not only its picture
    assert experiments.url.endswith("/experiments/maps?model=digits&digits=10000")


def test_the_table_is_downloaded_and_the_command_copied(experiments: Page) -> None:
    experiments.context.grant_permissions(["clipboard-read", "clipboard-write"])
    run(experiments, "ink")
    with experiments.expect_download() as started:
        experiments.get_by_role("link", name="Table as CSV").click()
    rows = list(csv.DictReader(io.StringIO(started.value.path().read_text())))
    assert started.value.suggested_filename == "ink-500.csv" and len(rows) == 6
    experiments.get_by_role("button", name="Copy").click()
    expect(experiments.get_by_role("button", name="Copied")).to_be_visible()
    copied = experiments.evaluate("navigator.clipboard.readText()")
    assert copied == "layerglass experiment ink --model figure-6-3 --digits 500"


def test_the_list_leads_to_each_and_back(experiments: Page) -> None:
    run(experiments, "shifts")
    experiments.get_by_role("link", name="All experiments").click()
    card = experiments.locator(".experiments-card", has_text="moves by a pixel")
    expect(card.locator("svg.chart-picture")).to_have_count(1)
    experiments.locator(".experiments-card", has_text="How many weights").get_by_role("link").click()
    expect(experiments.locator(".experiments-conclusion")).to_contain_text("98,500 weights")


def test_a_table_can_be_scrolled_by_keyboard(experiments: Page) -> None:
    experiments.set_viewport_size({"width": 390, "height": 844})
    run(experiments, "resolution")
    region = experiments.get_by_role("region", name="The numbers")
    region.focus()
    experiments.keyboard.press("ArrowRight")
    experiments.wait_for_timeout(300)
    assert region.evaluate("element => element.scrollLeft") > 0


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SCREENS, ids=str)
def test_on_every_screen_nothing_is_amiss(
    experiments: Page, size: tuple[int, int], theme: Literal["light", "dark"]
) -> None:
    experiments.set_viewport_size({"width": size[0], "height": size[1]})
    experiments.emulate_media(color_scheme=theme)
    for name in ("resolution", "ink", "noise", "parameters", "neighbours"):
        run(experiments, name)
        check(experiments)
    experiments.goto("/experiments?model=figure-6-3")
    check(experiments)


def check(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    # No text of a chart reaches beyond its picture.
    beyond = page.eval_on_selector_all(
        "svg.chart-picture text",
        """texts => texts.filter((text) => {
          const [inner, outer] = [text, text.ownerSVGElement].map((each) => each.getBoundingClientRect());
          return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
        }).map((text) => text.textContent)""",
    )
    assert beyond == []
