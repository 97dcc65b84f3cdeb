"""`python docs/pictures.py http://127.0.0.1:8000`: take the README's screenshots from a running app."""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.browser import chromium

HERE = Path(__file__).parent


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
        take(page, "/", "explorer.png", 860)
        take(page, "/compare", "compare.png", 900)
        take(page, "/models", "models.png", 900)
        take(page, "/?layer=conv_2&channel=9", "microscope.png", 1300)
        page.locator("#microscope").screenshot(path=HERE / "microscope.png")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
