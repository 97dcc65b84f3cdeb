"""The Jinja2 environment, and how values become text on a page."""

import base64
import math
from collections.abc import Sequence

from fastapi.templating import Jinja2Templates
from markupsafe import Markup

from app.imaging.grid import Layout
from app.microscope_view import SHOWN_CONTRIBUTIONS, SHOWN_TERMS
from app.settings import resource
from app.web import cell_words, numbers
from app.web.words import describe, describe_unmoded

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


def number(value: float) -> str:
    """A value with four significant digits, zero as 0."""
    return f"{value:.4g}"


def plain(value: float) -> str:
    """A value with all of its digits and no more, as a person would type it."""
    return f"{value:.17g}" if float(f"{value:g}") != value else f"{value:g}"


def count(value: int) -> str:
    """A whole number with commas."""
    return f"{value:,}"


def display_width(grid: Layout) -> int:
    """How wide a grid's picture is shown at most, in CSS pixels: its maps at a size to look at, or at their own."""
    return grid.columns * max(96, grid.map_width)


def shorten(numbers: Sequence[int], most: int = 12) -> str:
    """Numbers with commas, of many only the first ones."""
    shown = ", ".join(str(number) for number in numbers[:most])
    return f"{shown}, …" if len(numbers) > most else shown


def shape(sizes: tuple[int | None, ...]) -> str:
    """A shape as height×width×channels."""
    return "×".join("any" if size is None else str(size) for size in sizes)


templates.env.filters |= {
    "data_url": data_url,
    "percent": percent,
    "number": number,
    "count": count,
    "plain": plain,
    "shape": shape,
    "shorten": shorten,
    "display_width": display_width,
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
templates.env.trim_blocks = templates.env.lstrip_blocks = True
