"""Pictures as people have them: reduced, converted, named, and cut to the part that is read."""

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from app.imaging.drawing import SAMPLES, draw_sample, draw_strokes
from tests.browser.pen import until
from tests.pictures import encode

GUESS = ".answer-guess"
NOTE = "#picture-note"


def page_of(left: str, right: str, side: int = 400) -> Image.Image:
    """Two samples side by side."""
    paper = Image.new("L", (2 * side, side), 255)
    for number, digit in enumerate((left, right)):
        paper.paste(draw_strokes(SAMPLES[digit]).resize((side, side)), (number * side, 0))
    return paper


def open_picture(page: Page, data: bytes, name: str = "picture.png") -> None:
    page.set_input_files("#picture", FilePayload(name=name, mimeType="", buffer=data))


def noisy(width: int, height: int) -> Image.Image:
    """A sample in the middle of grainy paper."""
    picture = Image.new("L", (width, height), 220)
    side = min(width, height) // 2
    ink = draw_strokes(SAMPLES["3"]).resize((side, side)).point(lambda level: 220 if level > 200 else 40)
    picture.paste(ink, ((width - side) // 2, (height - side) // 2))
    grain = np.random.default_rng(0).integers(-20, 21, (height, width))
    return Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype(np.uint8))


def watch_sent(page: Page) -> None:
    """Note width, height and bytes of each file that is sent from now on."""
    page.evaluate(
        """globalThis.sent = [];
        const send = globalThis.fetch;
        globalThis.fetch = (path, request) => {
          const file = request?.body?.get?.("drawing");
          if (file) createImageBitmap(file).then(({ width, height }) => sent.push([width, height, file.size]));
          return send(path, request);
        };"""
    )


def last_sent(page: Page) -> list[int]:
    until(page, lambda: page.evaluate("sent.length > 0"))
    last: list[int] = page.evaluate("sent.at(-1)")
    return last


@pytest.mark.parametrize("way", ["button", "drop", "paste"])
def test_a_large_photograph_is_reduced_before_it_is_sent(explorer: Page, tmp_path: Path, way: str) -> None:
    exif = Image.Exif()
    exif[274] = 6
    upright = noisy(3200, 4400)
    photo = tmp_path / "photo.jpg"
    upright.transpose(Image.Transpose.ROTATE_90).convert("RGB").save(photo, quality=93, exif=exif)
    watch_sent(explorer)
    if way == "button":
        explorer.set_input_files("#picture", photo)
    else:
        hand_over(explorer, photo, way)
    expect(explorer.locator(GUESS)).to_have_text("3")
    expect(explorer.locator(NOTE)).to_have_text(
        "Reduced here from 3,200×4,400 to 1,489×2,048 pixels; your file stays as it is."
    )
    width, height, size = last_sent(explorer)
    assert (width, height) == (1489, 2048)
    assert size <= 4 * 2**20
    explorer.click("[data-sample='5']")
    expect(explorer.locator(NOTE)).to_be_hidden()


def hand_over(page: Page, path: Path, way: str) -> None:
    """Drop or paste a file. The browser lets a script take a file only from a field."""
    page.evaluate(
        """() => {
          const field = document.createElement("input");
          Object.assign(field, { type: "file", id: "handed" });
          document.body.append(field);
        }"""
    )
    page.set_input_files("#handed", path)
    page.evaluate(
        """(way) => {
          const data = new DataTransfer();
          data.items.add(document.getElementById("handed").files[0]);
          const event = way === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
          document.body.dispatchEvent(event);
        }""",
        way,
    )


def test_a_picture_within_the_limits_is_sent_as_it_is(explorer: Page) -> None:
    data = encode(draw_strokes(SAMPLES["4"]).resize((1000, 900)))
    watch_sent(explorer)
    open_picture(explorer, data)
    expect(explorer.locator(GUESS)).to_have_text("4")
    expect(explorer.locator(NOTE)).to_be_empty()
    assert last_sent(explorer) == [1000, 900, len(data)]


def polyline(digit: str) -> str:
    lines = "".join(f'<polyline points="{" ".join(f"{x},{y}" for x, y in stroke)}"/>' for stroke in SAMPLES[digit])
    style = 'fill="none" stroke="#000" stroke-width="18" stroke-linecap="round"'
    script = "<script>parent.ran = true; window.ran = true; fetch('/models')</script>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 280 280">{script}<g {style}>{lines}</g></svg>'


def test_a_drawing_in_svg_is_turned_into_pixels_and_runs_nothing(explorer: Page) -> None:
    open_picture(explorer, polyline("2").encode(), "drawing.svg")
    expect(explorer.locator(GUESS)).to_have_text("2")
    expect(explorer.locator(NOTE)).to_contain_text("Turned here into")
    assert explorer.evaluate("globalThis.ran") is None


@pytest.mark.parametrize(
    ("picture", "options"),
    [
        (lambda: Image.open(io.BytesIO(draw_sample("4"))), {"format": "TIFF", "compression": "tiff_lzw"}),
        (lambda: Image.fromarray(np.asarray(draw_strokes(SAMPLES["4"])).astype(np.uint16) * 16), {"format": "PNG"}),
        (lambda: draw_strokes(SAMPLES["4"]), {"format": "AVIF"}),
    ],
    ids=["TIFF", "12 bits in 16", "AVIF"],
)
def test_what_the_server_reads_is_shown_on_the_pad(
    explorer: Page, picture: Callable[[], Image.Image], options: dict[str, str]
) -> None:
    open_picture(explorer, encode(picture(), **options))
    expect(explorer.locator(GUESS)).to_have_text("4")
    expect(explorer.locator("#crop")).to_be_visible()
    brightest = explorer.evaluate(
        """() => {
          const canvas = document.getElementById("canvas");
          return Math.max(...canvas.getContext("2d").getImageData(0, 0, canvas.width, 40).data.slice(0, 4000));
        }"""
    )
    assert brightest > 250


@pytest.mark.parametrize("size", [400, 9 * 2**20])
def test_a_heic_is_named_however_large(explorer: Page, size: int) -> None:
    data = struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(size)
    open_picture(explorer, data, "IMG_0001.HEIC")
    expect(explorer.locator("#errors")).to_contain_text("This is a HEIC picture, as iPhones take them")
    expect(explorer.locator(GUESS)).to_have_text("7")
    expect(explorer.locator("#crop")).to_be_hidden()


@pytest.mark.parametrize(
    ("raw", "words"), [({50706: 1}, "a camera's raw picture (DNG)"), ({}, "This picture has 9.0 MB, and this browser")]
)
def test_a_large_tiff_is_told_from_a_raw_picture(explorer: Page, raw: dict[int, int], words: str) -> None:
    data = encode(Image.new("L", (9, 9)), "TIFF", tiffinfo=raw)
    open_picture(explorer, data + bytes(9 * 2**20), "picture.tif")
    expect(explorer.locator("#errors")).to_contain_text(words)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the mouse, in the pad's own 280 pixels."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    scale = box["width"] / 280
    page.mouse.move(box["x"] + start[0] * scale, box["y"] + start[1] * scale)
    page.mouse.down()
    for step in range(1, 6):
        at = [start[axis] + (end[axis] - start[axis]) * step / 5 for axis in (0, 1)]
        page.mouse.move(box["x"] + at[0] * scale, box["y"] + at[1] * scale)
    page.mouse.up()


def test_a_box_around_a_digit_is_answered_while_it_is_drawn(explorer: Page) -> None:
    expect(explorer.locator("#crop")).to_be_hidden()  # no picture is on the pad
    open_picture(explorer, encode(page_of("3", "8")))
    explorer.click("#crop")
    expect(explorer.locator("#tools")).to_be_hidden()
    drag(explorer, (18, 86), (138, 208))
    expect(explorer.locator(GUESS)).to_have_text("3")
    drag(explorer, (158, 86), (278, 208))  # anew, outside of the box
    expect(explorer.locator(GUESS)).to_have_text("8")
    drag(explorer, (210, 140), (70, 140))  # moved
    expect(explorer.locator(GUESS)).to_have_text("3")
    explorer.click("#crop-apply")
    expect(explorer.locator("#tools")).to_be_visible()
    expect(explorer.locator("#crop")).to_be_focused()
    expect(explorer.locator(GUESS)).to_have_text("3")


def test_what_is_cut_out_has_the_pixels_of_the_file(explorer: Page) -> None:
    open_picture(explorer, encode(page_of("3", "8", 2000)))  # 4000×2000
    explorer.click("#crop")
    drag(explorer, (160, 90), (280, 210))
    watch_sent(explorer)
    explorer.click("#crop-apply")
    width, height, _ = last_sent(explorer)
    assert width == pytest.approx(4000 * 120 / 280, abs=30) and height == pytest.approx(width, abs=30)
    expect(explorer.locator(GUESS)).to_have_text("8")


def test_a_crop_is_undone_and_done_again(explorer: Page) -> None:
    four = draw_strokes(SAMPLES["4"])
    open_picture(explorer, encode(four.rotate(90)))
    explorer.click("#crop")
    explorer.click("#crop-right")
    expect(explorer.locator(GUESS)).to_have_text("4")
    explorer.click("#crop-apply")
    expect(explorer.locator("#crop-tools")).to_be_hidden()
    before = pixels(explorer)
    explorer.click("#undo")
    assert pixels(explorer) != before
    explorer.keyboard.press("Control+Shift+Z")
    assert pixels(explorer) == before
    explorer.click("#crop")  # where it was left, on the whole picture
    expect(explorer.locator("#crop-status")).to_have_text(re.compile("100 % wide and 100 % high.*turned by 90°"))


def pixels(page: Page) -> str:
    text: str = page.evaluate("document.getElementById('canvas').toDataURL()")
    return text


def test_a_crop_by_keyboard(explorer: Page) -> None:
    open_picture(explorer, encode(page_of("3", "8")))
    expect(explorer.locator("#crop")).to_be_visible()  # what is hidden takes no focus
    explorer.focus("#crop")
    explorer.keyboard.press("Enter")
    expect(explorer.locator("#crop-box")).to_be_focused()
    for _ in range(35):
        explorer.keyboard.press("Shift+ArrowLeft")
    expect(explorer.locator("#crop-status")).to_contain_text("50 % wide and 50 % high, 0 % from the left")
    expect(explorer.locator(GUESS)).to_have_text("3")
    for _ in range(35):
        explorer.keyboard.press("ArrowRight")
    expect(explorer.locator(GUESS)).to_have_text("8")
    order = []
    for _ in range(5):
        explorer.keyboard.press("Tab")
        order.append(explorer.evaluate("document.activeElement.id"))
    assert order == ["crop-left", "crop-right", "crop-turn", "crop-apply", "crop-cancel"]
    explorer.keyboard.press("Escape")
    expect(explorer.locator("#crop-tools")).to_be_hidden()
    expect(explorer.locator("#crop")).to_be_focused()
    explorer.click("#undo")  # of the picture, not of a crop
    expect(explorer.locator(GUESS)).to_have_text("7")
    expect(explorer.locator("#crop")).to_be_hidden()


def test_a_crop_by_touch_on_a_phone(explorer: Page) -> None:
    explorer.set_viewport_size({"width": 390, "height": 844})
    open_picture(explorer, encode(page_of("3", "8")))
    explorer.click("#crop")
    box = explorer.locator("#canvas").bounding_box()
    assert box is not None and box["width"] > 340
    touch = explorer.context.new_cdp_session(explorer)
    for number, (x, y) in enumerate([(160, 90), (180, 110), (230, 160), (278, 208)]):
        place = {"x": box["x"] + x * box["width"] / 280, "y": box["y"] + y * box["width"] / 280}
        kind = "touchMove" if number else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(explorer.locator(GUESS)).to_have_text("8")
    expect(explorer.locator(GUESS)).to_be_in_viewport()
    expect(explorer.locator("#crop-apply")).to_be_in_viewport()


def test_a_fine_turn_sets_a_digit_upright(explorer: Page) -> None:
    tilted = draw_strokes(SAMPLES["7"]).rotate(40, fillcolor=255)
    open_picture(explorer, encode(tilted))
    explorer.click("#crop")
    explorer.locator("#crop-turn").fill("40")
    expect(explorer.locator(GUESS)).to_have_text("7")
    expect(explorer.locator("#crop-degrees")).to_have_text("40°")


def test_another_picture_ends_the_crop(explorer: Page) -> None:
    open_picture(explorer, encode(page_of("3", "8")))
    explorer.click("#crop")
    open_picture(explorer, draw_sample("6"))
    expect(explorer.locator("#crop-tools")).to_be_hidden()
    expect(explorer.locator(GUESS)).to_have_text("6")


def test_opening_a_picture_is_undone_and_done_again(explorer: Page) -> None:
    before = pixels(explorer)
    open_picture(explorer, encode(noisy(300, 200)))
    expect(explorer.locator(GUESS)).to_have_text("3")
    expect(explorer.locator("#picture-link")).to_be_visible()
    explorer.click("#undo")
    assert pixels(explorer) == before
    expect(explorer.locator("#picture-link")).to_be_hidden()
    expect(explorer).to_have_url(re.compile("#d="))
    explorer.click("#redo")
    expect(explorer.locator(GUESS)).to_have_text("3")
    expect(explorer).not_to_have_url(re.compile("#d="))


def test_a_picture_goes_along_to_other_pages_and_survives_reloading(explorer: Page) -> None:
    open_picture(explorer, encode(noisy(300, 200)))
    expect(explorer.locator(GUESS)).to_have_text("3")
    explorer.click("text=Compare poolings")
    expect(explorer.locator("[data-pooling=max].answer-guess")).to_have_text("3")
    explorer.click("text=Explore")
    expect(explorer.locator(GUESS)).to_have_text("3")
    explorer.reload()
    expect(explorer.locator(GUESS)).to_have_text("3")
    explorer.click("#clear")
    explorer.reload()
    expect(explorer.locator("#answer")).to_contain_text("Nothing is drawn yet")


def test_a_link_holds_a_small_copy_of_the_picture(explorer: Page, page: Page) -> None:
    explorer.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_picture(explorer, encode(noisy(900, 600)))
    expect(explorer.locator(GUESS)).to_have_text("3")
    explorer.click("#copy-link")
    expect(explorer.locator("#copy-link")).to_have_text("Copied")
    link: str = explorer.evaluate("navigator.clipboard.readText()")
    assert len(link) < 4000
    other = explorer.context.browser.new_context().new_page() if explorer.context.browser else page
    other.goto(link)
    expect(other.locator(GUESS)).to_have_text("3")
    other.context.close()
