"""`python docs/pictures.py http://127.0.0.1:8000`: take the README's screenshots from a running app."""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.browser import chromium

HERE = Path(__file__).parent


FRAME_MS = 120
DRAWN = [
    (80, 66),
    (110, 50),
    (150, 46),
    (186, 62),
    (196, 92),
    (178, 120),
    (140, 134),
    (176, 142),
    (202, 168),
    (198, 206),
]
END = [(172, 232), (130, 240), (92, 226)]


def film(page: Page) -> None:
    """Save a moving picture of drawing a three, switching the pooling, and looking at a cell."""
    frames: list[Image.Image] = []

    def shoot(times: int = 1) -> None:
        page.wait_for_timeout(250)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize((960, 540), Image.Resampling.LANCZOS)
        frames.extend([picture] * times)

    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto("/")
    page.get_by_role("button", name="No hints").click()
    page.click("#clear")
    shoot(4)
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    scale = box["width"] / 280
    points = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in DRAWN + END]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
        shoot()
    page.mouse.up()
    shoot(8)
    for mode in ("average", "min", "max"):
        page.check(f"[name=pooling][value={mode}]", force=True)
        shoot(9)
    page.click("#layer-conv_2 [data-index='9']")
    shoot(5)
    for place in ((60, 40), (90, 60), (110, 90), (80, 120)):
        page.hover("#microscope-map", position={"x": place[0], "y": place[1]})
        shoot(4)
    shoot(8)
    first, *rest = frames
    first.save(
        HERE / "drawing.webp", save_all=True, append_images=rest, duration=FRAME_MS, loop=0, quality=60, method=4
    )


def take(page: Page, path: str, name: str, height: int) -> None:
    """Save a screenshot of a page at a laptop's width."""
    page.set_viewport_size({"width": 1280, "height": height})
    page.goto(path)
    page.wait_for_timeout(1500)
    page.screenshot(path=HERE / name)


def main(url: str) -> None:
    """Take all screenshots."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
        page = browser.new_page(base_url=url, color_scheme="light")
        film(page)
        take(page, "/?layer=conv_2&channel=9", "explorer.png", 800)
        take(page, "/why", "why.png", 800)
        take(page, "/compare", "compare.png", 900)
        take(page, "/models", "models.png", 900)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
