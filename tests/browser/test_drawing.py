"""Drawing on the pad, and what the page makes of it."""

import base64
import io
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from app.explore.exploration import draw_image
from app.explore.forward_passes import preprocess
from app.explore.prediction import predict
from app.imaging.drawing import SAMPLES, draw_sample, draw_strokes
from app.imaging.encoding import encode_image
from tests.browser.conftest import Server, open_explorer
from tests.browser.pen import LINE_DOWN, RESULTS, draw, draw_digit, ink, pad_as_png, until
from tests.pictures import draw_row

GUESS = ".answer-guess"


def test_opens_with_a_digit_and_all_its_layers(explorer: Page) -> None:
    expect(explorer.locator(GUESS)).to_have_text("7")
    widths = explorer.eval_on_selector_all("img.maps-grid", "images => images.map((image) => image.naturalWidth)")
    assert len(widths) >= 4
    assert all(width > 0 for width in widths)


def test_answers_before_the_pen_is_lifted(explorer: Page) -> None:
    explorer.click("#clear")
    draw(explorer, [LINE_DOWN], lift=False)
    expect(explorer.locator(GUESS)).to_have_text("1")
    explorer.mouse.up()


SHOWN = """() => Object.fromEntries([...document.querySelectorAll("[data-live]")].map((each) =>
  [each.dataset.live, [each.textContent.trim(), each.getAttribute("src"), each.getAttribute("width"), each.hidden]]))"""


def test_what_a_move_of_the_pen_changes_is_what_the_whole_answer_shows(explorer: Page) -> None:
    """The whole answer comes when the pen rests, and with it what screen readers say of the pictures."""
    types: list[str] = []
    explorer.click("#clear")
    draw(explorer, [LINE_DOWN[:30]], lift=False)
    expect(explorer.locator(GUESS)).to_have_text("1")
    explorer.wait_for_timeout(500)
    maps, shown = explorer.locator("#layer-conv_1 img.maps-grid"), explorer.evaluate(SHOWN)
    words = maps.get_attribute("alt") or ""
    whole: list[Route] = []
    explorer.route("**/exploration", lambda route: whole.append(route))
    explorer.on("response", lambda response: types.append(response.headers["content-type"]))
    box = explorer.locator("#canvas").bounding_box()
    assert box is not None
    explorer.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.75 * box["height"])
    until(explorer, lambda: len(whole) == 1)
    assert set(types) == {"application/json"}
    expect(maps).to_have_attribute("alt", words)
    moved = explorer.evaluate(SHOWN)
    assert moved["maps conv_1"] != shown["maps conv_1"]
    assert moved["percent 1"] != shown["percent 1"]
    whole[0].continue_()
    expect(maps).not_to_have_attribute("alt", words)
    on_screen = [name for name in moved if f"maps {name.split()[-1]}" not in moved or name.split()[-1] == "conv_1"]
    rested = explorer.evaluate(SHOWN)
    assert {name: rested[name] for name in on_screen} == {name: moved[name] for name in on_screen}
    explorer.unroute("**/exploration")
    explorer.mouse.up()


LONG_FIELD = """explorer.append(Object.assign(document.createElement("input"),
  { type: "hidden", name: "note", value: "-".repeat(4000) }))"""


@pytest.mark.parametrize(
    ("before", "path"),
    [
        pytest.param("", "/live", id="as it is"),
        pytest.param(LONG_FIELD, "/exploration", id="long fields"),
        pytest.param("document.querySelector('#layer-conv_1 .maps-button').click()", "/exploration", id="microscope"),
    ],
)
def test_a_move_of_the_pen_asks_for_no_more_than_it_needs(explorer: Page, before: str, path: str) -> None:
    draw(explorer, [LINE_DOWN[:30]], lift=False)
    explorer.wait_for_timeout(500)
    explorer.evaluate(before)
    explorer.wait_for_timeout(500)
    asked: list[str] = []
    explorer.on("request", lambda request: asked.append(urlsplit(request.url).path))
    box = explorer.locator("#canvas").bounding_box()
    assert box is not None
    with explorer.expect_response(RESULTS):
        explorer.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.75 * box["height"])
    assert asked[0] == path
    explorer.mouse.up()


@pytest.mark.slow
def test_ends_on_the_newest_drawing(explorer: Page, server: Server) -> None:
    draw_digit(explorer, "2")
    draw_digit(explorer, "3")
    expect(explorer.locator(GUESS)).to_have_text("3")
    expect_the_newest(explorer, server)


def expect_the_newest(page: Page, server: Server) -> None:
    """What the network sees on the page is what the pad holds now."""
    card = server.app.state.library.default.card
    newest = "data:image/png;base64," + base64.b64encode(draw_image(preprocess(pad_as_png(page), card), card)).decode()
    expect(page.locator("#seen")).to_have_attribute("src", newest)


@pytest.mark.parametrize("digit", SAMPLES)
def test_reads_each_sample(explorer: Page, digit: str) -> None:
    explorer.click(f"[data-sample='{digit}']")
    expect(explorer.locator(GUESS)).to_have_text(digit)


@pytest.mark.slow
def test_canvas_and_api_agree(explorer: Page, server: Server) -> None:
    """The same strokes, on the canvas and drawn by Pillow, give the same answer with nearly the same certainty."""
    network = server.app.state.library.default
    for digit, strokes in SAMPLES.items():
        draw_digit(explorer, digit)
        expect_the_newest(explorer, server)
        image = preprocess(encode_image(draw_strokes(strokes)), network.card)
        prediction = predict(network, network.run(image))
        assert prediction.probability is not None
        expect(explorer.locator(GUESS)).to_have_text(prediction.label)
        shown = float(explorer.inner_text(".bars .is-best span:last-child").lstrip("> "))
        assert shown == pytest.approx(100 * prediction.probability, abs=3)


def test_a_drawing_is_sent_as_large_as_the_network_can_use(explorer: Page) -> None:
    """A quarter of its pixels for 28×28, which reads as well; all of them for an input of any size."""
    explorer.click("#canvas", position={"x": 60, "y": 60})  # an untouched sample is the server's own picture
    for model, side in [("five-layer-convolutional", 280), ("digits", 140)]:
        chosen = f'name="model"\r\n\r\n{model}\r\n'.encode()
        # Not one that was under way: the page asks for layers further down by itself.
        with explorer.expect_request(lambda request: chosen in (request.post_data_buffer or b"")) as sent:  # noqa: B023
            explorer.select_option("select[name=model]", model)
        body = sent.value.post_data_buffer or b""
        with Image.open(io.BytesIO(body[body.index(b"\x89PNG") :])) as picture:
            assert picture.size == (side, side)


def test_morphs_pictures_in_place(explorer: Page) -> None:
    explorer.evaluate("window.kept = document.querySelector('#layer-conv_1 img')")
    before = explorer.evaluate("window.kept.src")
    explorer.click("[data-sample='3']")
    expect(explorer.locator(GUESS)).to_have_text("3")
    assert explorer.evaluate("window.kept === document.querySelector('#layer-conv_1 img')")
    assert explorer.evaluate("window.kept.src") != before


def test_undo_redo_and_clear(explorer: Page) -> None:
    explorer.click("[data-sample='3']")
    expect(explorer.locator(GUESS)).to_have_text("3")
    full = ink(explorer)
    explorer.click("#clear")
    assert ink(explorer) == 0
    explorer.click("#undo")
    assert ink(explorer) == full
    explorer.keyboard.press("Control+Shift+Z")
    assert ink(explorer) == 0
    explorer.keyboard.press("Control+Z")
    explorer.keyboard.press("Control+Z")
    expect(explorer.locator(GUESS)).to_have_text("7")


def test_a_press_leaves_a_dot(explorer: Page) -> None:
    explorer.click("#clear")
    draw(explorer, [[(140, 140)]], lift=False)
    assert ink(explorer) > 0
    expect(explorer.locator("#answer")).to_contain_text("A dot or a blot")


def test_eraser_takes_ink_away(explorer: Page) -> None:
    before = ink(explorer)
    explorer.check("input[value=eraser]", force=True)
    draw(explorer, [[(100, 60), (180, 60)]])
    assert 0 < ink(explorer) < before


def test_pen_width_changes_the_stroke(explorer: Page) -> None:
    explorer.click("#clear")
    draw(explorer, [LINE_DOWN])
    thin = ink(explorer)
    explorer.click("#clear")
    explorer.locator("#pen-width").fill("36")
    draw(explorer, [LINE_DOWN])
    assert ink(explorer) > 1.5 * thin


def test_draws_by_keyboard(explorer: Page) -> None:
    explorer.focus("#canvas")
    for key in ["Delete", "Space", *["ArrowDown"] * 22, "Space"]:
        explorer.keyboard.press(key)
    expect(explorer.locator(GUESS)).to_have_text("1")


def test_draws_by_touch(explorer: Page) -> None:
    explorer.click("#clear")
    box = explorer.locator("#canvas").bounding_box()
    assert box is not None
    touch = explorer.context.new_cdp_session(explorer)
    for index, (x, y) in enumerate(LINE_DOWN):
        place = {"x": box["x"] + x * box["width"] / 280, "y": box["y"] + y * box["height"] / 280}
        kind = "touchMove" if index else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(explorer.locator(GUESS)).to_have_text("1")


def test_an_empty_pad_is_no_error(explorer: Page) -> None:
    height = explorer.evaluate("document.getElementById('layer-conv_1').getBoundingClientRect().top")
    explorer.click("#clear")
    expect(explorer.locator("#answer")).to_contain_text("Nothing is drawn yet")
    expect(explorer.locator("#errors")).to_be_empty()
    assert explorer.evaluate("document.getElementById('layer-conv_1').getBoundingClientRect().top") == height
    explorer.check("input[value=min]", force=True)
    expect(explorer.locator("#layer-pool_1")).to_contain_text("min pooling")
    draw(explorer, [LINE_DOWN])
    expect(explorer.locator(GUESS)).to_have_text("1")


def test_a_drawing_that_is_rubbed_out_is_no_error(explorer: Page) -> None:
    explorer.check("input[value=eraser]", force=True)
    explorer.locator("#pen-width").fill("36")
    draw(explorer, [[(x, y) for y in range(20, 270, 16) for x in (20, 270)]])
    expect(explorer.locator("#answer")).to_contain_text("Nothing is drawn yet")
    expect(explorer.locator("#errors")).to_be_empty()


def test_what_is_of_another_drawing_is_dimmed_soon(explorer: Page) -> None:
    explorer.route(RESULTS, lambda route: None)  # the server never answers
    draw(explorer, [LINE_DOWN])
    for place in ("#layers", "#answer", "#overview"):
        expect(explorer.locator(place)).to_have_class(re.compile("is-stale"))


def test_back_and_forward_walk_through_the_selections(explorer: Page) -> None:
    before = ink(explorer)
    for layer, index in (("conv_1", 3), ("conv_2", 5)):
        explorer.click(f"#layer-{layer} [data-index='{index}']")
        expect(explorer.locator("#microscope h2")).to_have_text(f"{layer} · map {index}")
    explorer.click("#microscope-map", position={"x": 60, "y": 60})
    expect(explorer).to_have_url(re.compile("row="))
    explorer.go_back()
    expect(explorer).not_to_have_url(re.compile("row="))
    explorer.go_back()
    expect(explorer.locator("#microscope h2")).to_have_text("conv_1 · map 3")
    explorer.go_forward()
    expect(explorer.locator("#microscope h2")).to_have_text("conv_2 · map 5")
    for _ in range(2):
        explorer.go_back()
    expect(explorer.locator("#microscope")).to_have_count(0)
    assert ink(explorer) == before


def test_opens_a_picture(explorer: Page, tmp_path: Path) -> None:
    (tmp_path / "four.png").write_bytes(draw_sample("4"))
    explorer.set_input_files("#picture", tmp_path / "four.png")
    expect(explorer.locator(GUESS)).to_have_text("4")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_takes_a_dropped_or_pasted_picture(explorer: Page, way: str) -> None:
    explorer.evaluate(
        """([way, text]) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "five.png", { type: "image/png" }));
          const event = way === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
          document.body.dispatchEvent(event);
        }""",
        [way, base64.b64encode(draw_sample("5")).decode()],
    )
    expect(explorer.locator(GUESS)).to_have_text("5")


def test_a_file_that_is_no_picture_leaves_the_drawing(explorer: Page, tmp_path: Path) -> None:
    before = ink(explorer)
    (tmp_path / "seven.png").write_bytes(b"not a picture")
    explorer.set_input_files("#picture", tmp_path / "seven.png")
    expect(explorer.locator("#errors")).to_contain_text("not a picture that can be read")
    assert ink(explorer) == before
    expect(explorer.locator("#layers")).to_have_class("layers")
    explorer.check("input[value=min]", force=True)
    expect(explorer.locator("#errors")).to_be_empty()


@pytest.mark.slow
def test_survives_a_server_that_goes_away(page: Page, server: Server) -> None:
    open_explorer(page)
    server.stop()
    try:
        draw_digit(page, "3")
        expect(page.locator("#errors")).to_contain_text("The server does not answer")
        before = ink(page)
    finally:
        server.start()
    expect(page.locator("#errors")).to_be_empty()
    expect(page.locator(GUESS)).to_have_text("3")
    assert ink(page) == before > 0


WATCH = """
  globalThis.seen = [];
  const events = { "htmx:before:request": "asked", move: "asked", "htmx:after:swap": "shown", live: "shown" };
  for (const [name, what] of Object.entries(events))
    document.addEventListener(name, ({ target }) => target.id === "explorer" && seen.push(what), { capture: true });
"""


def test_the_next_stroke_leaves_before_the_answer_is_on_the_page(explorer: Page) -> None:
    explorer.evaluate(WATCH)
    held: list[Route] = []
    explorer.route(RESULTS, lambda route: held.append(route) if len(held) < 2 else route.continue_())
    draw(explorer, [LINE_DOWN[:20]])
    until(explorer, lambda: len(held) == 1)
    draw(explorer, [LINE_DOWN[20:]])
    assert len(held) == 1  # what is drawn meanwhile waits
    held[0].continue_()
    until(explorer, lambda: len(held) == 2)
    held[1].continue_()
    since = "seen.slice(seen.indexOf('asked'))"  # before it, the answer that the page opened with
    until(explorer, lambda: len(explorer.evaluate(since)) >= 4)
    assert explorer.evaluate(since)[:4] == ["asked"] * 2 + ["shown"] * 2
    explorer.wait_for_timeout(1500)  # longer than the patience after which the page says that it waits
    expect(explorer.locator("#explorer")).not_to_have_class(re.compile("waits-long|htmx-request"))


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 503])
def test_waits_as_long_as_a_busy_server_asks_and_goes_on_by_itself(explorer: Page, status: int) -> None:
    refused: list[float] = []
    busy = True

    def answer(route: Route) -> None:
        if not busy:
            return route.continue_()
        refused.append(time.monotonic())
        headers = {"Retry-After": "2", "Content-Type": "text/html"}
        route.fulfill(status=status, headers=headers, body="<p>The server is busy.</p>")

    explorer.route(RESULTS, answer)
    draw_digit(explorer, "3")
    expect(explorer.locator("#errors")).to_contain_text("The server is busy.")
    expect(explorer.locator("#layers")).to_have_class("layers is-stale")
    before = ink(explorer)
    while len(refused) < 3:
        explorer.wait_for_timeout(50)
    busy = False
    expect(explorer.locator(GUESS)).to_have_text("3")
    expect(explorer.locator("#errors")).to_be_empty()
    expect(explorer.locator("#layers")).to_have_class("layers")
    assert ink(explorer) == before > 0
    # Not once for every move of the pen: after each pause one is sent, and what had waited behind that one.
    pauses = (refused[-1] - refused[0]) / 2
    assert len(refused) <= 2 * (pauses + 1) + 1


def test_each_of_several_digits_is_a_click_away(explorer: Page, tmp_path: Path) -> None:
    draw_row("47").save(tmp_path / "row.png")
    explorer.set_input_files("#picture", tmp_path / "row.png")
    marks = explorer.locator("#pad-digits button")
    expect(marks).to_have_text(["1", "2"])
    expect(explorer.locator(GUESS)).to_have_text("4")
    marks.nth(1).click()
    expect(explorer.locator(GUESS)).to_have_text("7")
    expect(marks.nth(1)).to_have_attribute("aria-pressed", "true")
    explorer.get_by_role("button", name="Read the left one").last.click()
    expect(explorer.locator(GUESS)).to_have_text("4")
    explorer.click("[data-sample='3']")
    expect(explorer.locator(GUESS)).to_have_text("3")
    expect(marks).to_have_count(0)


def test_the_network_at_a_glance_ends_with_the_drawing_that_is_there(explorer: Page) -> None:
    explorer.click("#clear")
    expect(explorer.locator("#answer")).to_contain_text("Nothing is drawn yet")
    draw(explorer, [LINE_DOWN])
    expect(explorer.locator(GUESS)).to_have_text("1")
    expect(explorer.locator("#overview-answer strong")).to_have_text("1")
    expect(explorer.locator("#overview-input img")).to_have_attribute(
        "src", explorer.get_attribute("#seen", "src") or ""
    )


LOST: dict[str, dict[str, Any]] = {
    "reset": {},
    "502": {"status": 502},
    "Ray's 500": {"status": 500, "content_type": "text/plain"},
}


@pytest.mark.parametrize("how", LOST)
def test_a_lost_request_is_sent_again_without_a_word(explorer: Page, how: str) -> None:
    """The server's process or its machine ended, and another one answers."""
    lost: list[Route] = []

    def answer(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append(route)
        route.fulfill(**LOST[how], body="gone") if LOST[how] else route.abort("connectionreset")

    explorer.evaluate("""() => {
      globalThis.said = [];
      const errors = document.getElementById("errors");
      new MutationObserver(() => said.push(errors.textContent)).observe(errors, { childList: true, subtree: true });
    }""")
    explorer.route(RESULTS, answer)
    draw_digit(explorer, "3")
    expect(explorer.locator(GUESS)).to_have_text("3")
    assert len(lost) == 1
    assert not any(explorer.evaluate("said"))


def test_a_request_that_is_lost_twice_is_an_error(page: Page) -> None:
    open_explorer(page)
    page.route(RESULTS, lambda route: route.abort("connectionreset"))
    draw_digit(page, "3")
    expect(page.locator("#errors")).to_contain_text("The server does not answer")
    page.unroute(RESULTS)
    expect(page.locator(GUESS)).to_have_text("3")
    expect(page.locator("#errors")).to_be_empty()
