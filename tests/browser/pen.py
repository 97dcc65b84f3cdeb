"""A hand for the tests: strokes on the real canvas, through pointer events."""

import base64
import re
from collections.abc import Callable, Iterable, Sequence

from playwright.sync_api import Page

from app.imaging.drawing import SAMPLES

Points = Sequence[Sequence[float]]

# The address of every request for the results of a drawing: of a whole answer, and of one to a move of the pen.
RESULTS = re.compile(r"/(exploration|live)(\?|$)")

LINE_DOWN: Points = [(140, 50 + 4 * step) for step in range(45)]


def draw(page: Page, strokes: Iterable[Points], lift: bool = True) -> None:
    """Draw with the mouse, in the pad's own 280 pixels."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    for points in strokes:
        places = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in points]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places:
            page.mouse.move(*place)
        if lift:
            page.mouse.up()


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """Let the page go on until something is so."""
    for _ in range(3000):
        if is_so():
            return
        page.wait_for_timeout(20)
    raise AssertionError("It did not become so within a minute.")


def draw_digit(page: Page, digit: str) -> None:
    """Wipe the pad and draw one of the samples by hand."""
    page.click("#clear")
    draw(page, SAMPLES[digit])


def ink(page: Page) -> float:
    """How much ink is on the pad: the mean of its alpha, 0 to 255."""
    mean: float = page.evaluate(
        """() => {
          const canvas = document.getElementById("canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let sum = 0;
          for (let i = 3; i < data.length; i += 4) sum += data[i];
          return sum / (data.length / 4);
        }"""
    )
    return mean


def pad_as_png(page: Page, side: int = 140) -> bytes:
    """What the pad holds, as the page sends it to a network whose input has 28 pixels a side."""
    text = page.evaluate(
        """(side) => {
          const small = document.createElement("canvas");
          small.width = small.height = side;
          small.getContext("2d").drawImage(document.getElementById("canvas"), 0, 0, side, side);
          return small.toDataURL("image/png").split(",")[1];
        }""",
        side,
    )
    return base64.b64decode(text)
