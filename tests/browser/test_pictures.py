"""Pictures as people have them: reduced, converted and named."""

import io
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
