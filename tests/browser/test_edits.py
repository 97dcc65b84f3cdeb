"""Edits of the network: made in the microscope, told in the bar, kept in the address."""

import json
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.test_microscope import select

BIAS = ".edits-controls label:has-text('bias') input"


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


def test_a_kernel_is_dragged_stepped_and_chosen(explorer: Page) -> None:
    select(explorer, "conv_1", 0)
    explorer.click(".edits-controls summary")
    weight = explorer.locator(".edits-row input >> nth=4")
    explorer.fill(".edits-row input >> nth=4", "0.5")
    weight.press("Enter")
    expect(explorer.locator(".edits-made li")).to_have_count(1)
    box = weight.bounding_box()
    assert box
    explorer.mouse.move(box["x"] + 10, box["y"] + 8)
    explorer.mouse.down()
    explorer.mouse.move(box["x"] + 40, box["y"] + 8)
    explorer.mouse.move(box["x"] + 60, box["y"] + 8)
    expect(weight).to_have_value("1")
    explorer.mouse.up()
    weight.press("Shift+ArrowDown")
    expect(weight).to_have_value("0")
    weight.press("ArrowUp")
    expect(weight).to_have_value("0.1")
    assert edits(explorer).split("=")[1].split(",")[4] == "0.1"
    assert weight.bounding_box() == box
    for before in ("0", "1", "0.5"):  # a drag is one step
        explorer.click("[data-edits=undo]")
        expect(weight).to_have_value(before)
    explorer.select_option("[data-kernels]", label="identity, changes nothing")
    expect(explorer.locator(".edits-made li")).to_have_count(1)
    assert edits(explorer).endswith("=0,0,0,0,1,0,0,0,0")
    assert not Axe().run(explorer, context=".edits-controls").response["violations"]


def test_a_cell_is_set_and_let_go(explorer: Page) -> None:
    select(explorer, "conv_1", 3)
    cell = explorer.locator(".edits-controls label", has_text="this cell").locator("input")
    before = cell.input_value()
    cell.fill("4")
    cell.press("Enter")
    expect(explorer.locator(".microscope")).to_contain_text("This value was set by hand")
    expect(explorer.locator("#layer-conv_1 .edits-of-layer")).to_contain_text("conv_1 map 3 is 4 at row")
    assert edits(explorer).startswith("cell:conv_1.3.")
    explorer.click("text=Let the cell go")
    expect(cell).to_have_value(before)
    assert edits(explorer) == ""


def test_edits_are_saved_and_opened_again(explorer: Page, complaints: list[str], tmp_path: Path) -> None:
    select(explorer, "conv_1", 3)
    explorer.click(".edits-controls button >> text=Mute")
    with explorer.expect_download() as saved:
        explorer.click("text=Save as .keras")
    assert saved.value.suggested_filename.endswith("-edited.keras")
    assert zipfile.is_zipfile(saved.value.path())
    with explorer.expect_download() as saved:
        explorer.click("text=Save the edits")
    saved.value.save_as(tmp_path / "edits.json")
    explorer.click("[data-edits=reset]")
    expect(explorer.locator(".edits-made li")).to_have_count(0)
    explorer.set_input_files("#edits-file", tmp_path / "edits.json")
    expect(explorer.locator(".edits-made li")).to_contain_text(["conv_1 map 3 muted"])
    (tmp_path / "other.json").write_text('{"model": "other", "edits": []}')
    explorer.set_input_files("#edits-file", tmp_path / "other.json")
    expect(explorer.locator("#model-errors")).to_contain_text("These edits were made in “other”")
    complaints.clear()  # the browser's, of the answer 422
    expect(explorer.locator(".edits-made li")).to_have_count(1)


def test_so_many_edits_are_kept_out_of_the_address(explorer: Page, tmp_path: Path) -> None:
    many = [f"cell:conv_1.0.{row}.{column}=1" for row in range(20) for column in range(20)]
    name = explorer.input_value("select[name=model]")
    (tmp_path / "edits.json").write_text(json.dumps({"model": name, "edits": many}))
    explorer.set_input_files("#edits-file", tmp_path / "edits.json")
    expect(explorer.locator(".edits-made li")).to_have_count(400)
    expect(explorer.locator(".edits-too-many")).to_be_visible()
    expect(explorer.locator(".edits-cost")).to_be_hidden()
    assert edits(explorer) == ""


def test_the_bar_leads_to_what_the_edits_cost(explorer: Page) -> None:
    select(explorer, "conv_1", 3)
    explorer.click(".edits-controls button >> text=Mute")
    explorer.click("text=What do they cost?")
    expect(explorer.locator("#edits-cost")).to_have_text("Before and after the edits", timeout=60_000)
    assert not Axe().run(explorer, context=".digits-edits").response["violations"]


def test_another_model_starts_as_it_was_trained(explorer: Page) -> None:
    select(explorer, "conv_1", 3)
    explorer.click(".edits-controls button >> text=Solo")
    expect(explorer.locator(".edits-made li")).to_have_count(1)
    explorer.select_option("select[name=model]", index=1)
    expect(explorer.locator(".edits-bar")).to_be_hidden()
    assert edits(explorer) == ""
