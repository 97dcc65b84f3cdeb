"""On paper: a handout with every layer and one cell's arithmetic whole, or a worksheet with the results left blank."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, open_explorer
from tests.browser.test_explorer import MORE
from tests.browser.test_large_network import large_server, settle  # noqa: F401 - the fixture
from tests.browser.test_microscope import numbers, select

TERMS = "#microscope .microscope-term"
RESULTS = [
    ".answer-guess",
    ".bars span:last-child",
    "#microscope output",
    f"{TERMS} .microscope-partial",
    "#microscope .microscope-sum div:not(.is-given) dd",
]
COUNT_PRINTS = "() => { window.printed = 0; window.print = () => { window.printed += 1; }; }"
NOT_DRAWN = "article:is([data-pending], .is-outdated):not(.is-folded)"


@pytest.fixture
def paper(explorer: Page) -> Iterator[Page]:
    """The explorer with a cell of a convolution held, whose prints are only counted."""
    explorer.evaluate(COUNT_PRINTS)
    select(explorer, "conv_2", 5)
    yield explorer
    explorer.emulate_media(media="screen")


def print_as(page: Page, kind: str) -> None:
    """Choose it in the panel, wait until the browser is asked to print, and see the page as it would be printed."""
    page.click(MORE)
    page.get_by_role("button", name=kind).click()
    page.wait_for_function("() => window.printed === 1")
    page.emulate_media(media="print")
    page.evaluate("() => { dispatchEvent(new Event('beforeprint')); }")


def font_sizes(page: Page, selector: str) -> set[str]:
    sizes: list[str] = page.eval_on_selector_all(
        selector, "(elements) => elements.map((element) => getComputedStyle(element).fontSize)"
    )
    return set(sizes)


def test_a_handout_has_every_layer(paper: Page) -> None:
    print_as(paper, "Handout")
    expect(paper.locator(NOT_DRAWN)).to_have_count(0)
    for layer in ("conv_1", "pool_2", "digit"):
        expect(paper.locator(f"#layer-{layer} .maps img")).to_be_visible()
        expect(paper.locator(f"#layer-{layer} .maps-legend")).to_be_visible()


def test_a_handout_has_the_whole_arithmetic(paper: Page) -> None:
    expect(paper.locator(f"{TERMS}:not(.is-more)")).to_have_count(4)
    print_as(paper, "Handout")
    expect(paper.locator(f"{TERMS}:not(.is-more)")).to_have_count(16)
    total = numbers(paper, "#microscope .microscope-sum div:not(.is-result) dd")[0]
    assert sum(numbers(paper, f"{TERMS} .microscope-partial")) == pytest.approx(total, abs=1e-9)
    expect(paper.locator("#microscope .microscope-sum .is-result dd")).to_be_visible()


def test_a_handout_says_what_it_is_of(paper: Page) -> None:
    paper.check("input[value=min]", force=True)
    print_as(paper, "Handout")
    expect(paper.locator("#paper-title")).to_have_text("Layerglass: digits, min pooling")
    expect(paper.locator("#paper-title")).to_be_visible()
    expect(paper.locator("#paper-address")).to_have_text(paper.url)
    assert "#d=" in paper.url
    expect(paper.locator("#canvas")).to_be_visible()
    expect(paper.locator("#seen")).to_be_visible()
    expect(paper.locator(".bars li").last).to_be_visible()


@pytest.mark.parametrize(
    "selector",
    [".masthead", "form.switches", ".overview", ".pad-tools", ".microscope-controls", "[data-close]", ".help"],
)
def test_paper_has_no_controls(paper: Page, selector: str) -> None:
    paper.emulate_media(media="print")
    expect(paper.locator(selector).first).to_be_hidden()


def test_paper_is_black_on_white_whatever_the_theme(paper: Page) -> None:
    paper.emulate_media(media="print", color_scheme="dark")
    expect(paper.locator("html[data-theme=dark]")).to_have_count(1)
    read = (
        "() => { const { color, backgroundColor } = getComputedStyle(document.body); return [color, backgroundColor]; }"
    )
    assert paper.evaluate(read) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert paper.eval_on_selector("#canvas", "(canvas) => getComputedStyle(canvas).filter") == "none"


def test_signed_maps_are_fetched_in_the_colours_of_paper(paper: Page) -> None:
    paper.emulate_media(color_scheme="dark")
    expect(paper.locator("html[data-theme=dark]")).to_have_count(1)
    for_paper = b'name="columns"\r\n\r\n8\r\n'
    with paper.expect_request(lambda request: for_paper in (request.post_data_buffer or b"")) as asked:
        paper.click(MORE)
        paper.get_by_role("button", name="Handout").click()
    assert b'name="theme"\r\n\r\nlight\r\n' in (asked.value.post_data_buffer or b"")


def test_no_page_breaks_inside_a_layer(paper: Page) -> None:
    print_as(paper, "Handout")
    breaks = "(rows) => rows.map((row) => getComputedStyle(row).breakInside)"
    assert set(paper.eval_on_selector_all(".layers-row, .microscope-term", breaks)) == {"avoid"}
    pages = len(re.findall(rb"/Type\s*/Page\b", paper.pdf(format="A4")))
    assert 3 <= pages <= 9


def test_nothing_is_wider_than_the_paper(paper: Page) -> None:
    print_as(paper, "Handout")
    paper.set_viewport_size({"width": 680, "height": 1000})
    assert paper.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_page_is_as_before_afterwards(paper: Page) -> None:
    print_as(paper, "Handout")
    paper.emulate_media(media="screen")
    paper.evaluate("() => { dispatchEvent(new Event('afterprint')); }")
    expect(paper.locator(f"{TERMS}:not(.is-more)")).to_have_count(4)
    expect(paper.locator("#layer-conv_2 .maps")).to_have_attribute("data-place", re.compile(r"^0 16 16 "))
    expect(paper.locator("html[data-paper]")).to_have_count(0)
    expect(paper.locator("#paper-title")).to_be_hidden()


def test_a_worksheet_leaves_the_answer_and_the_results_blank(paper: Page) -> None:
    print_as(paper, "Worksheet")
    for selector in RESULTS:
        assert font_sizes(paper, selector) == {"0px"}, selector
    for selector in (".bars rect", "#layer-digit .maps", ".answer-reading >> nth=0"):
        expect(paper.locator(selector).first).to_be_hidden()
    expect(paper.get_by_text("Fill in the blanks")).to_be_visible()


def test_a_worksheet_gives_what_the_results_follow_from(paper: Page) -> None:
    print_as(paper, "Worksheet")
    expect(paper.locator(f"{TERMS} .microscope-matrix")).to_have_count(32)
    expect(paper.locator(f"{TERMS} .microscope-matrix").first).to_be_visible()
    assert font_sizes(paper, "#microscope .microscope-sum .is-given dd") != {"0px"}
    result = paper.locator("#microscope .is-result dt")
    assert result.evaluate("(words) => getComputedStyle(words, '::before').content") == '"ReLU: max(0, …)"'


@pytest.mark.parametrize(
    ("layer", "index", "blank"),
    [
        ("pool_1", 7, "#microscope .microscope-sum dd"),
        ("digit", 7, ".microscope-softmax tbody td:nth-child(n + 3)"),
        ("digit", 7, ".microscope-contributions:not(.microscope-softmax) tbody tr:not(.is-given) td:last-child"),
    ],
)
def test_a_worksheet_of_other_layers(paper: Page, layer: str, index: int, blank: str) -> None:
    select(paper, layer, index)
    print_as(paper, "Worksheet")
    assert font_sizes(paper, blank) == {"0px"}


def test_the_browser_s_own_print_says_what_is_missing(page: Page, base_url: str) -> None:
    page.route("**/exploration", lambda route: None)  # never answered, so that no more layers come
    page.goto("/")
    expect(page.locator(".maps-button").first).to_be_visible()  # the scripts have run
    missing = page.locator(NOT_DRAWN).count()
    assert missing > 0
    page.emulate_media(media="print")
    page.evaluate("() => { dispatchEvent(new Event('beforeprint')); }")
    expect(page.locator("#paper-left-out")).to_contain_text(f"{missing} of the layers were not on the screen yet")


def test_printing_can_be_stopped(paper: Page) -> None:
    paper.route("**/exploration", lambda route: None)  # never answered
    paper.click(MORE)
    paper.get_by_role("button", name="Handout").click()
    expect(paper.locator("#print-status")).to_have_text("Fetching every layer…")
    paper.get_by_role("button", name="Stop").click()
    expect(paper.locator("html[data-paper]")).to_have_count(0)
    expect(paper.get_by_role("button", name="Stop")).to_be_hidden()
    paper.unroute("**/exploration")


@pytest.mark.slow
def test_a_large_network_is_printed_as_it_is_unfolded(page: Page, large_server: Server, complaints: list[str]) -> None:  # noqa: F811
    open_explorer(page, large_server.url)
    settle(page)
    page.evaluate(COUNT_PRINTS)
    folded = page.locator("article.is-folded").count()
    assert folded > 0 and page.locator(NOT_DRAWN).count() > 0
    print_as(page, "Handout")
    expect(page.locator(NOT_DRAWN)).to_have_count(0)
    expect(page.locator("#paper-left-out")).to_have_text(
        f"Of 45 layers, {folded} are folded on the page, and only named here."
    )
    assert complaints == []
