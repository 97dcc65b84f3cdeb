"""The Jinja2 environment, and how values become text on a page."""

import base64
import math
import re
from collections.abc import Sequence

from fastapi.templating import Jinja2Templates
from jinja2.ext import Extension
from markupsafe import Markup

from app.explore.microscope import SHOWN_CONTRIBUTIONS, SHOWN_TERMS
from app.explore.prediction import ClassProbability
from app.imaging.grid import Layout
from app.settings import resource
from app.web import cell_words, numbers
from app.web.layer_list import Entry
from app.web.words import describe, describe_unmoded


class Unindent(Extension):
    """Drops the indentation of the templates: browsers ignore it, and every update would send it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)


templates = Jinja2Templates(resource("templates"))
templates.env.auto_reload = False  # else each include looks at its file's date


def data_url(png: bytes) -> Markup:
    """A PNG as the source of an image."""
    return Markup("data:image/png;base64," + base64.b64encode(png).decode("ascii"))  # of nothing that HTML escapes


def percent(probability: float) -> str:
    """A probability in percent, with as many decimals as it takes not to read 100 or 0 where it is neither.

    Small ones have one significant digit; of large ones, what they lack to 100 has two.
    """
    value = probability * 100
    distance = min(value, 100 - value)
    if distance == 0:
        return f"{value:.0f}"
    decimals = max(1, math.ceil(-math.log10(distance)) + (value > 50))
    if decimals <= 5:
        return f"{value:.{decimals}f}"
    return f"{value:.0e}".replace("e-0", "e-").replace("e", "·10^") if value < 50 else "> 99.9999"


def bar_length(probability: float) -> float:
    """A probability as the length of its bar in percent, from 0 to 100 also where a network's answer is beyond."""
    return 100 * min(1, max(0, probability))


def have_words(classes: Sequence[ClassProbability]) -> bool:
    """A class is called by more than a letter, so that labels need room."""
    return any(len(each.label) > 1 for each in classes)


def number(value: float) -> str:
    """A value with four significant digits, zero as 0."""
    return f"{value:.4g}"


def plain(value: float) -> str:
    """A value with all of its digits and no more, as a person would type it."""
    return f"{value:.17g}" if float(f"{value:g}") != value else f"{value:g}"


def count(value: int) -> str:
    """A whole number with commas."""
    return f"{value:,}"


def grid_size(grid: Layout) -> tuple[int, int]:
    """Width and height that a grid's picture is shown with at most, in CSS pixels: its maps at a size to look at."""
    width = grid.columns * max(96, grid.map_width)
    return width, round(width * grid.height / grid.width)


def strip_size(strip: Layout) -> tuple[int, int]:
    """The same of a strip: of several rows, each is lower."""
    return strip.columns * 60, strip.rows * 6 if strip.rows > 1 else 14


def place(grid: Layout, first: int, count: int) -> str:
    """Where a grid's picture has its maps, for the page's scripts.

    The first one's number, how many there are, how many in a row, width and height of each, and the gap, in pixels.
    """
    return f"{first} {count} {grid.columns} {grid.map_width} {grid.map_height} {grid.gap}"


def spaced(values: Sequence[float]) -> str:
    """Numbers as an attribute that scripts read."""
    return " ".join(map(str, values))


def shorten(numbers: Sequence[int], most: int = 12) -> str:
    """Numbers with commas, of many only the first ones."""
    shown = ", ".join(str(number) for number in numbers[:most])
    return f"{shown}, …" if len(numbers) > most else shown


def shape(sizes: tuple[int | None, ...]) -> str:
    """A shape as height×width×channels."""
    return "×".join("any" if size is None else str(size) for size in sizes)


def picture_words(entry: Entry) -> str:
    """What the picture of a layer's maps or of a vector's units shows, for who does not see it."""
    page, view, name = entry.page, entry.view, entry.layer.name
    if view is None:
        return ""
    total, some = page.total, f"{page.first} to {page.last} of the " if page.count < page.total else ""
    extremes = f"from {number(view.minimum)} to {number(view.maximum)}"
    if not entry.layer.is_spatial:
        return f"{some and 'Values '}{some}{total} values of {name}, {extremes}"
    maps = f"{some and 'Maps '}{some}{total} feature map{'s' if total != 1 else ''} of {name}"
    strongest = f"map {view.strongest_map} responds most strongly"
    return f"{maps}, {shape(entry.shape[:2])} each, values {extremes}; {strongest}"


templates.env.filters |= {
    "data_url": data_url,
    "percent": percent,
    "bar_length": bar_length,
    "have_words": have_words,
    "number": number,
    "count": count,
    "plain": plain,
    "shape": shape,
    "shorten": shorten,
    "place": place,
    "spaced": spaced,
    "picture_words": picture_words,
    "grid_size": grid_size,
    "strip_size": strip_size,
    "describe": describe,
    "describe_unmoded": describe_unmoded,
}
templates.env.filters |= {
    "cell_kind": cell_words.cell_kind,
    "shown_sum": cell_words.shown_sum,
    "activation_words": cell_words.activation_words,
    "operation_words": cell_words.operation_words,
    "reads_padding": cell_words.reads_padding,
    "softmax_units": cell_words.softmax_units,
}
templates.env.globals |= {
    "fixed": numbers.fixed,
    "full": numbers.full,
    "add_up": numbers.add_up,
    "shown_terms": SHOWN_TERMS,
    "shown_contributions": SHOWN_CONTRIBUTIONS,
}
templates.env.trim_blocks = True
templates.env.add_extension(Unindent)
