"""The Jinja2 environment, and its filters that turn values into text."""

import base64
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from jinja2.ext import Extension
from markupsafe import Markup

from ..cnn.types import as_maps_shape
from ..explore.evaluation import reads_digits
from ..explore.exploration import Exploration, LayerView
from ..explore.microscope import SHOWN_CONTRIBUTIONS, SHOWN_TERMS
from ..explore.prediction import ClassProbability, Prediction
from ..imaging.colormap import Scale
from ..imaging.grid import Layout
from ..settings import resource
from . import formatting
from .layer_list import LayerEntry
from .reading_row import describe_reading

MOST_BARS, TOP = 10, 5  # of so many classes each has a bar, of more the likeliest
MOST_NUMBERS = 16  # of a vector, above its picture


class Unindent(Extension):
    """Drops the indentation of the templates: browsers ignore it, and every update would send it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)


templates = Jinja2Templates(resource("templates"))
templates.env.auto_reload = False  # otherwise each include checks its file's date


def render(
    request: Request,
    name: str,
    context: Mapping[str, Any] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Render a template as an answer.

    Starlette's own keeps the context, which holds forward passes and pictures, until the client has read the answer. A
    page may have many megabytes: its parts are encoded one by one, since a text takes two bytes a letter for the sake
    of a single dash.
    """
    parts = templates.get_template(name).generate({"request": request, **(context or {})})
    return HTMLResponse(b"".join(part.encode() for part in parts), status, headers)


def render_text(name: str, context: Mapping[str, Any]) -> str:
    """Render a small template that is sent as a part of an answer."""
    return templates.get_template(name).render(context)


def data_url(png: bytes) -> Markup:
    """Return a PNG as the src of an image."""
    return Markup("data:image/png;base64,") + to_base64(png)


def to_base64(data: bytes) -> Markup:
    """Return bytes in base64."""
    return Markup(base64.b64encode(data).decode("ascii"))  # base64 needs no escaping


def percent(probability: float) -> str:
    """Format a probability in percent, with enough decimals that only 0 and 1 read 0 and 100.

    Small values have one significant digit, large ones two in their distance from 100.
    """
    value = probability * 100
    distance = min(value, 100 - value)
    if distance == 0:
        return f"{value:.0f}"
    decimals = max(1, math.ceil(-math.log10(distance)) + (value > 50))
    if decimals <= 5:
        return f"{value:.{decimals}f}"
    return formatting.typeset(f"{value:.0e}") if value < 50 else "> 99.9999"


def bar_length(probability: float) -> float:
    """Return the length of a probability's bar in percent, clipped to 0 to 100: not every network keeps to that.

    To half a percent, so that most of the bars stay as they are while the pen moves.
    """
    return round(200 * min(1, max(0, probability))) / 2


def have_words(classes: Iterable[ClassProbability]) -> bool:
    """Return whether a label has more than one letter, so that labels need room."""
    return any(len(each.label) > 1 for each in classes)


def number(value: float) -> str:
    """Format a value with four significant digits, zero as 0."""
    return formatting.typeset(f"{value:.4g}")


def plain(value: float) -> str:
    """Format a value with all of its digits and no more, as for an input field."""
    return f"{value:.17g}" if float(f"{value:g}") != value else f"{value:g}"


def count(value: int) -> str:
    """Format an integer with thousands separators."""
    return f"{value:,}"


def grid_size(grid: Layout) -> tuple[int, int]:
    """Return the largest width and height of a grid's picture in CSS pixels, which makes its maps easy to see."""
    width = grid.columns * max(96, grid.map_width)
    return width, round(width * grid.height / grid.width)


def strip_size(strip: Layout) -> tuple[int, int]:
    """Return the same for a strip. Rows are lower if there are several."""
    return strip.columns * 60, strip.rows * 6 if strip.rows > 1 else 14


def grid_geometry(grid: Layout, first: int, count: int) -> str:
    """Return the geometry of a grid's picture, for the page's scripts.

    It has the first map's number, the count, the maps in a row, and each map's width, height and gap in pixels.
    """
    return f"{first} {count} {grid.columns} {grid.map_width} {grid.map_height} {grid.gap}"


def spaced(values: Sequence[float]) -> str:
    """Join numbers with spaces, for an attribute that scripts read."""
    return " ".join(map(str, values))


def shorten(numbers: Sequence[int], limit: int = 12) -> str:
    """Join numbers with commas, at most the first `limit`."""
    shown = ", ".join(str(number) for number in numbers[:limit])
    return f"{shown}, …" if len(numbers) > limit else shown


def shape(sizes: tuple[int | None, ...]) -> str:
    """Format a shape as height×width×channels."""
    return "×".join("any" if size is None else str(size) for size in sizes)


def picture_words(entry: LayerEntry) -> str:
    """Describe the picture of a layer's maps or of a vector's units, as its alternative text."""
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


def answer_kind(exploration: Exploration) -> str:
    """Name what an answer is made of, where it is a class and bars: answers with one name differ in texts alone.

    Empty for any other answer, which has sentences of its own.
    """
    prediction, forward = exploration.prediction, exploration.forward
    if (
        prediction is None
        or prediction.probability is None
        or not prediction.is_number
        or prediction.is_binary
        or prediction.no_digit
        or prediction.note
        or prediction.steps
        or forward.regions
        or forward.reduction
    ):
        return ""
    count, ranks = len(prediction.probabilities), "ranked" if prediction.is_exclusive else "single"
    shown = prediction.top(TOP) if count > MOST_BARS else prediction.probabilities
    # Longer labels are set smaller.
    sizes = sum(len(prediction.label) > limit for limit in (2, 4, 8))
    return f"{count} {ranks} {sizes} {have_words(shown)} {prediction.doubt or ''}".strip()


def why_words(prediction: Prediction) -> str:
    """Ask why an answer is as it is: the link to what makes it up."""
    others = [each.label for each in prediction.ranked[1:2]]
    return f"Why {prediction.label}, not {others[0]}?" if others else f"Why {prediction.label}?"


def is_calibrated(exploration: Exploration) -> bool:
    """Return whether it is known how many of such answers are right, beside the network's own probability."""
    prediction = exploration.prediction
    return prediction is not None and prediction.confidence is not None and exploration.network.card.temperature != 1


def low_words(view: LayerView) -> str:
    """Return what stands at the lower end of a layer's legend."""
    return "lowest" if view.grid.low is None else number(view.grid.low)


def high_words(view: LayerView) -> str:
    """Return what stands at its upper end."""
    high = view.grid.high
    if high is None:
        return "highest value of each map by itself"
    if view.is_difference:
        return f"{number(high)}, minus as trained"
    if view.grid.scale is Scale.HOLD:
        above = f"; here up to {number(view.maximum)}" if view.maximum > high else ""
        return f"{number(high)}, as trained{above}"
    return f"{number(high)}, the whole layer"


def constant_words(view: LayerView) -> str:
    """Return how many of a layer's maps show nothing of the drawing, and which; nothing where all of them do."""
    count = view.constant_count
    return f"{count} constant for this drawing: {shorten(view.constant_maps)}" if count else ""


_OWN = (
    *(data_url, to_base64, percent, bar_length, have_words, number, count, plain, shape, shorten, spaced),
    *(
        grid_geometry,
        grid_size,
        strip_size,
        picture_words,
        low_words,
        high_words,
        constant_words,
        answer_kind,
        reads_digits,
        is_calibrated,
        why_words,
    ),
)
_FORMATTING = (
    *(formatting.shown_sum, formatting.activation_words, formatting.operation_words, formatting.group_by_kind),
    formatting.softmax_units,
    formatting.softmax_at,
    formatting.typeset,
    describe_reading,
)
templates.env.filters |= {each.__name__: each for each in (*_OWN, *_FORMATTING)}
templates.env.globals |= {
    each.__name__: each
    for each in (formatting.fixed, formatting.full, formatting.add_up, formatting.name_place, formatting.say_several)
} | {
    "as_maps_shape": as_maps_shape,
    "most_bars": MOST_BARS,
    "top": TOP,
    "most_numbers": MOST_NUMBERS,
    "shown_terms": SHOWN_TERMS,
    "shown_contributions": SHOWN_CONTRIBUTIONS,
}
templates.env.trim_blocks = True
templates.env.add_extension(Unindent)
