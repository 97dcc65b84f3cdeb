"""The lab in a browser: dragged, by keyboard, by touch, on every screen."""

import io
import re
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import open_explorer
from tests.browser.pen import draw
from tests.pictures import encode

SCREENS = [(390, 844), (844, 390), (768, 1024), (1280, 800), (1920, 1080)]
DIGIT = "/lab?picture=digit&chain="


def open_lab(page: Page, address: str = "/lab") -> None:
    """Open the page, and wait for the pictures that suit its width and theme."""
    with page.expect_response("**/lab/chain"):
        page.goto(address)
    expect(page.locator("#lab-steps .lab-frame").first).to_be_visible()


@pytest.fixture
def lab(page: Page, base_url: str, complaints: list[str]) -> Iterator[Page]:
    """A page; whatever the browser complains of fails the test."""
    yield page
    assert complaints == []


def operations(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "#lab-steps [data-operation]", "steps => steps.map(step => step.dataset.operation)"
    )
    return found


def chain_in(page: Page) -> str:
    found: str = page.evaluate("new URLSearchParams(location.search).get('chain')")
    return found


def expect_chain(page: Page, chain: str) -> None:
    """Wait until the page shows a chain, and the address says it."""
    expect(page.locator("#lab-steps")).to_have_attribute("data-chain", chain)
    page.wait_for_function("chain => new URLSearchParams(location.search).get('chain') === chain", arg=chain)


def size_of(page: Page, step: int) -> Locator:
    return page.locator(f"#step-{step} .lab-numbers div:has(dt:text-is('size')) dd")


def set_slider(page: Page, selector: str, value: int) -> None:
    """Move a slider to a value by the keyboard, one step at a time."""
    slider = page.locator(selector)
    slider.focus()
    for _ in range(80):
        now = int(slider.input_value())
        if now == value:
            return
        slider.press("ArrowRight" if now < value else "ArrowLeft")
    raise AssertionError(f"{selector} does not reach {value}")


def test_the_first_visit_shows_a_photograph_halved(lab: Page) -> None:
    open_lab(lab)
    expect(size_of(lab, 0)).to_contain_text("1,200×1,600×3")
    expect(size_of(lab, 1)).to_contain_text("600×800×3")
    expect(lab.locator("#step-1 .lab-numbers")).to_contain_text("25.0 %")
    expect(lab.locator("#step-2 figcaption")).to_contain_text("mean of red, green and blue")
    assert operations(lab) == ["max", "convolution", "activation", "max"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_every_screen_has_room_and_axe_finds_nothing(
    lab: Page, width: int, height: int, theme: Literal["light", "dark"]
) -> None:
    lab.set_viewport_size({"width": width, "height": height})
    lab.emulate_media(color_scheme=theme)
    open_lab(lab, f"{DIGIT}convolution:kernel=random,lp:window=3,stochastic,polyphase&step=1&row=4&column=5")
    expect(lab.locator("#microscope")).to_be_visible()
    assert lab.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(lab).response["violations"]
    assert found == [], [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]


def test_pictures_follow_a_dragged_slider(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max,swap")
    slider = lab.locator("#c-1-window")
    box = slider.bounding_box()
    assert box is not None
    lab.evaluate("window.swaps = 0; document.addEventListener('htmx:after:swap', () => window.swaps++)")
    y = box["y"] + box["height"] / 2
    lab.mouse.move(box["x"] + 8, y)
    lab.mouse.down()
    for share in (0.2, 0.4, 0.6):
        lab.mouse.move(box["x"] + share * box["width"], y, steps=4)
        value = int(slider.input_value())
        expect(size_of(lab, 2)).to_contain_text(f"{28 // value}×{28 // value}")  # while the button is down
    lab.mouse.up()
    assert lab.evaluate("window.swaps") >= 3
    expect_chain(lab, f"max:window={slider.input_value()},swap")
    expect(lab.locator(".lab-later")).to_have_count(0)


def test_a_slider_never_reaches_an_impossible_state(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max,max:window=7")
    slider = lab.locator("#c-1-window")
    slider.focus()
    slider.press("End")
    expect_chain(lab, "max:window=4,max:window=7")
    expect(lab.locator("#c-1-window-limit")).to_have_text("up to 4: with more, step 2 would not fit")
    expect(size_of(lab, 2)).to_contain_text("1×1")
    expect(lab.locator("#errors")).to_be_empty()


def test_a_stride_follows_the_window_until_it_is_let_go(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max")
    expect(lab.locator("#c-1-stride")).to_be_disabled()
    lab.locator("#c-1-stride-follows").uncheck()
    expect_chain(lab, "max:stride=2")
    set_slider(lab, "#c-1-stride", 1)
    expect_chain(lab, "max:stride=1")
    expect(size_of(lab, 1)).to_contain_text("27×27")
    lab.locator("#c-1-stride-follows").check()
    expect_chain(lab, "max")


def test_a_chain_is_put_together_by_keyboard(lab: Page) -> None:
    open_lab(lab, DIGIT)
    for name in ("average", "convolution", "swap"):
        lab.locator("#lab-add").focus()
        lab.locator("#lab-add").select_option(name)
        expect(lab.locator("#lab-steps [data-operation]").last).to_have_attribute("data-operation", name)
    expect_chain(lab, "average,convolution,swap")
    lab.locator("#up-3").press("Enter")
    expect_chain(lab, "average,swap,convolution")
    expect(lab.locator("#up-2")).to_be_focused()
    lab.keyboard.press("Enter")
    expect_chain(lab, "swap,average,convolution")
    expect(lab.locator("#down-1")).to_be_focused()  # it cannot go further up
    lab.locator("#remove-2").press("Enter")
    expect_chain(lab, "swap,convolution")
    expect(lab.locator("#remove-2")).to_be_focused()


def test_another_operation_keeps_what_both_have(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max:window=4:stride=3:padding=same")
    lab.locator("#step-1 [data-kind]").select_option("median")
    expect_chain(lab, "median:window=4:stride=3:padding=same")


def test_a_step_is_dragged_by_its_number(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max,swap")
    lab.locator("#step-2").scroll_into_view_if_needed()
    handle, goal = lab.locator("#step-2 [data-handle]").bounding_box(), lab.locator("#step-1").bounding_box()
    assert handle and goal
    lab.mouse.move(handle["x"] + 9, handle["y"] + 9)
    lab.mouse.down()
    lab.mouse.move(handle["x"] + 9, goal["y"] - 40, steps=5)
    lab.mouse.up()
    expect_chain(lab, "swap,max")


def test_back_and_forward_lead_through_the_states(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max")
    lab.locator("#lab-add").select_option("swap")
    expect_chain(lab, "max,swap")
    set_slider(lab, "#c-1-window", 3)
    expect_chain(lab, "max:window=3,swap")
    lab.locator("input[name=picture][value=rings]").check(force=True)
    expect(size_of(lab, 0)).to_contain_text("512×512")
    lab.go_back()
    expect(size_of(lab, 0)).to_contain_text("28×28")
    expect(lab.locator("input[name=picture][value=digit]")).to_be_checked()
    lab.go_back()
    expect_chain(lab, "max,swap")
    expect(lab.locator("#c-1-window")).to_have_value("2")
    lab.go_back()
    expect_chain(lab, "max")
    lab.go_forward()
    expect_chain(lab, "max,swap")


def test_a_copied_address_shows_the_same(lab: Page, base_url: str) -> None:
    chain = "convolution:kernel=0_1_0;1_-4_1;0_1_0:padding=reflect,max:window=3:stride=2"
    open_lab(lab, f"{DIGIT}{chain}&step=2&row=5&column=6&grey=true")
    expect(lab.locator("#microscope")).to_have_attribute("data-row", "5")
    expect(lab.locator("#microscope-state")).to_have_text("held")
    expect_chain(lab, chain)
    expect(lab.locator("input[name=grey]")).to_be_checked()
    assert "%" not in lab.url.partition("?")[2]  # readable


def test_a_kernel_is_typed(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}convolution")
    rows = lab.locator("#c-1-kernel-rows")
    rows.fill("1 2\n3 4")
    rows.press("Tab")
    expect_chain(lab, "convolution:kernel=1_2;3_4")
    expect(lab.locator("#c-1-kernel")).to_have_value("typed")
    rows.fill("1 2\n3 x")
    rows.press("Tab")
    expect(lab.locator("#errors")).to_contain_text("This is no matrix of numbers")
    expect(rows).to_have_value("1 2\n3 x")  # nothing is lost
    expect_chain(lab, "convolution:kernel=1_2;3_4")
    lab.locator("#c-1-kernel").select_option("blur")
    expect_chain(lab, "convolution:kernel=blur")
    expect(rows).to_have_value(re.compile("^0.0625 0.125"))


def test_pointing_looks_a_click_holds_arrows_step_and_escape_lets_go(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max")
    frame, panel = lab.locator("#step-1 .lab-frame"), lab.locator("#microscope")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box is not None
    place = {"x": box["width"] * 7.5 / 14, "y": box["height"] * 3.5 / 14}
    frame.hover(position=place)  # type: ignore[arg-type]
    expect(panel).to_have_attribute("data-row", "3")
    expect(panel).to_have_attribute("data-column", "7")
    expect(lab.locator("#step-0 .lab-window")).to_be_visible()
    expect(lab.locator("#microscope-state")).to_have_text("click to hold")
    frame.click(position=place)  # type: ignore[arg-type]
    expect(lab.locator("#microscope-state")).to_have_text("held")
    frame.hover(position={"x": 3, "y": 3})
    expect(panel).to_have_attribute("data-column", "7")
    frame.focus()
    lab.keyboard.press("ArrowRight")
    lab.keyboard.press("ArrowDown")
    expect(panel).to_have_attribute("data-row", "4")
    expect(panel).to_have_attribute("data-column", "8")
    assert "row=4&column=8" in lab.url
    shown = float((lab.locator("#microscope .is-result dd").text_content() or "").replace("\N{MINUS SIGN}", "-"))
    values = [float(text) for text in lab.locator("#microscope .microscope-matrix text").all_text_contents()]
    assert len(values) == 4 and max(values) == shown
    lab.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(lab.locator("#step-1 .lab-cell")).to_be_hidden()
    assert "row=" not in lab.url


def test_the_microscope_follows_a_setting(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max&step=1&row=2&column=2")
    expect(lab.locator("#microscope .microscope-matrix text")).to_have_count(4)
    set_slider(lab, "#c-1-window", 3)
    expect(lab.locator("#microscope .microscope-matrix text")).to_have_count(9)


def test_a_touch_holds_a_value_in_a_sheet(browser: Any, base_url: str) -> None:
    context = browser.new_context(base_url=base_url, viewport={"width": 390, "height": 844}, has_touch=True)
    try:
        page = context.new_page()
        open_lab(page, f"{DIGIT}max")
        page.locator("#step-1 .lab-frame").tap()
        expect(page.locator("#microscope-state")).to_have_text("held")
        expect(page.locator("#dock")).to_be_in_viewport()
        page.locator("[data-close]").tap()
        expect(page.locator("#microscope")).to_have_count(0)
    finally:
        context.close()


def picture_file(size: tuple[int, int] = (60, 44)) -> dict[str, Any]:
    data = encode(Image.effect_noise(size, 80).convert("L"))
    return {"name": "noise.png", "mimeType": "image/png", "buffer": data}


def test_a_picture_of_ones_own_is_kept_while_the_tab_is_open(lab: Page) -> None:
    open_lab(lab, "/lab?chain=max")
    lab.set_input_files("#picture", picture_file())  # type: ignore[arg-type]
    expect(size_of(lab, 0)).to_contain_text("44×60")
    expect(lab.locator("#lab-about")).to_contain_text("No address can hold it")
    assert "picture=own" in lab.url
    lab.locator("#step-1 .lab-frame").click()
    expect(lab.locator("#microscope")).to_be_visible()
    lab.reload()
    expect(size_of(lab, 0)).to_contain_text("44×60")
    expect(size_of(lab, 1)).to_contain_text("22×30")


def test_a_picture_is_sent_once_and_again_where_the_server_forgot_it(lab: Page, server: Any) -> None:
    open_lab(lab, "/lab?chain=max")
    lab.set_input_files("#picture", picture_file((70, 50)))  # type: ignore[arg-type]
    expect(size_of(lab, 0)).to_contain_text("50×70")
    with lab.expect_request("**/lab/chain") as request:
        lab.locator("#lab-add").select_option("swap")
    assert "noise" not in (request.value.post_data or "") and 'name="digest"' in (request.value.post_data or "")
    expect_chain(lab, "max,swap")
    server.app.state.laboratory._remembered.clear()
    lab.locator("#remove-2").click()
    expect_chain(lab, "max")
    expect(size_of(lab, 0)).to_contain_text("50×70")


def test_a_link_without_its_picture_says_so(lab: Page) -> None:
    open_lab(lab, "/lab?picture=own&chain=min")
    expect(lab.locator("#lab-picture-note")).to_contain_text("no address can hold")
    assert operations(lab) == ["min"]


def test_what_is_no_picture_is_refused_and_nothing_is_lost(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max")
    lab.set_input_files("#picture", {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(lab.locator("#errors")).to_contain_text("picture")
    expect(size_of(lab, 0)).to_contain_text("28×28")


def test_a_picture_too_large_is_made_smaller_and_said_so(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max")
    lab.set_input_files("#picture", picture_file((5000, 40)))  # type: ignore[arg-type]
    expect(lab.locator("#lab-picture-note")).to_contain_text("Reduced here from 5,000×40")
    expect(size_of(lab, 0)).to_contain_text("16×2,048")


def test_the_pads_drawing_comes_along_and_goes_back(lab: Page) -> None:
    open_explorer(lab)
    draw(lab, [[(20, 20), (250, 250)]])
    lab.wait_for_function("location.hash.length > 10")
    fragment = lab.evaluate("location.hash")
    lab.click("nav a[href^='/lab']")
    expect(lab.locator("#lab-drawing")).to_be_visible()
    lab.locator("#lab-drawing").click()
    expect(size_of(lab, 0)).to_contain_text("280×280")
    assert "picture=drawing" in lab.url and lab.evaluate("location.hash") == fragment
    lab.reload()
    expect(size_of(lab, 0)).to_contain_text("280×280")
    assert lab.locator("nav a[href^='/?']").get_attribute("href").endswith(fragment)  # type: ignore[union-attr]


def test_a_picture_is_saved(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max,swap")
    with lab.expect_download() as download:
        lab.locator("[data-save='2']").click()
    assert download.value.suggested_filename == "lab-step-2.png"
    assert Image.open(io.BytesIO(download.value.path().read_bytes())).size == (14, 14)
    with lab.expect_download() as download:
        lab.click("#lab-npz")
    with np.load(io.BytesIO(download.value.path().read_bytes())) as arrays:
        assert set(arrays) == {"picture", "step_1_max", "step_2_swap"}


def test_a_difference_is_shown_on_demand(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}max")
    lab.locator("#difference-1").check()
    expect(lab.locator("#step-1 .lab-difference > img")).to_be_visible()
    lab.locator("#difference-1").uncheck()
    expect(lab.locator("#step-1 .lab-difference")).to_have_count(0)


def test_zero_has_the_colour_of_the_page_in_either_theme(lab: Page) -> None:
    open_lab(lab, f"{DIGIT}convolution")
    before = lab.locator("#step-1 .lab-frame img").get_attribute("src")
    lab.evaluate("document.documentElement.dataset.theme = 'dark'; document.dispatchEvent(new CustomEvent('theme'))")
    expect(lab.locator("#step-1 .lab-frame img")).not_to_have_attribute("src", before or "")
