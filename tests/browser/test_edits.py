"""Edits of the network: made in the microscope, told in the bar, kept in the address."""

from urllib.parse import parse_qs, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.test_microscope import select

BIAS = ".edits-controls label input"


def edits(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("edits", [""])[0]


def test_a_map_is_muted_and_a_bias_set_and_both_undone(explorer: Page) -> None:
    made, answer = explorer.locator(".edits-made li"), explorer.locator("#answer")
    select(explorer, "conv_1", 3)
    expect(explorer.locator(".edits-bar")).to_be_hidden()
    before = answer.inner_text()
    bias = explorer.input_value(BIAS)
    explorer.fill(BIAS, "0.50")
    explorer.press(BIAS, "Enter")
    expect(made).to_have_text(["conv_1 map 3 has the bias 0.5 ×"])
    explorer.click(".edits-controls button >> text=Mute")
    expect(made).to_have_count(2)
    expect(explorer.locator("#layer-conv_1 .edits-of-layer")).to_contain_text("conv_1 map 3 muted")
    expect(explorer.locator(BIAS)).to_have_count(0)
    expect(answer).not_to_have_text(before)
    assert edits(explorer) == "bias:conv_1.3=0.50;mute:conv_1.3"
    assert not Axe().run(explorer, context="#edits, .edits-controls").response["violations"]

    explorer.reload()  # the address is the state
    expect(made).to_have_count(2)
    explorer.click(".edits-made button >> nth=1")
    expect(made).to_have_count(1)
    expect(explorer.locator(BIAS)).to_have_value("0.5")
    explorer.click("[data-edits=undo]")
    expect(made).to_have_count(2)
    explorer.click("[data-edits=redo]")
    expect(made).to_have_count(1)
    explorer.click("[data-edits=reset]")
    expect(made).to_have_count(0)
    expect(explorer.locator(BIAS)).to_have_value(bias)
    assert edits(explorer) == ""


def test_one_layer_pools_in_a_mode_of_its_own(explorer: Page) -> None:
    select(explorer, "pool_1", 2)
    explorer.select_option(".edits-controls select", "min")
    expect(explorer.locator("#layer-pool_1 .layer-words")).to_contain_text("min pooling")
    expect(explorer.locator("#layer-pool_2 .layer-words")).to_contain_text("max pooling")
    explorer.check("#pooling input[value=average]", force=True)
    expect(explorer.locator("#layer-pool_2 .layer-words")).to_contain_text("average pooling")
    expect(explorer.locator("#layer-pool_1 .layer-words")).to_contain_text("min pooling")


def test_a_kernel_is_set_in_the_microscope(explorer: Page) -> None:
    select(explorer, "conv_1", 0)
    explorer.click(".edits-controls summary")
    explorer.fill(".edits-row input >> nth=4", "2")
    explorer.press(".edits-row input >> nth=4", "Enter")
    expect(explorer.locator(".edits-made li")).to_contain_text(["conv_1 map 0 reads channel 0 with another kernel"])
    expect(explorer.locator(".edits-row input >> nth=4")).to_be_visible()
    assert edits(explorer).split("=")[1].split(",")[4] == "2"


def test_another_model_starts_as_it_was_trained(explorer: Page) -> None:
    select(explorer, "conv_1", 3)
    explorer.click(".edits-controls button >> text=Solo")
    expect(explorer.locator(".edits-made li")).to_have_count(1)
    explorer.select_option("select[name=model]", index=1)
    expect(explorer.locator(".edits-bar")).to_be_hidden()
    assert edits(explorer) == ""
