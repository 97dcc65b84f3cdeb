"""The answer while the pen moves: only what a drawing changes on the page, as JSON, which `static/live.js` puts there.

Templates say with `data-live` where each part stands, and write it by the same functions. What stands there is exact,
but what a screen reader says of pictures waits for the whole answer, which follows as soon as the pen rests. An answer
of another kind than the page shows, or with sentences of its own, is sent as HTML beside the places.
"""

from ..explore.exploration import Exploration, LayerView
from ..explore.overview import Overview
from ..explore.prediction import ClassProbability, Prediction
from .formatting import fixed
from .templates import (
    MOST_BARS,
    MOST_NUMBERS,
    TOP,
    bar_length,
    constant_words,
    data_url,
    have_words,
    high_words,
    is_calibrated,
    low_words,
    percent,
    why_words,
)

# By the name of its place: a text, the address of a picture, or several attributes of an element.
Places = dict[str, str | dict[str, str]]


def find_places(exploration: Exploration, seen: bytes, overview: Overview | None, *, has_answer: bool) -> Places:
    """Return what the drawing changes on the page; without the answer beside the pad where `has_answer` is false."""
    places: Places = {"seen": data_url(seen)}
    prediction = exploration.prediction
    if prediction:
        places |= _end_of_overview(prediction)
    if prediction and has_answer:
        places |= _answer(prediction)
        if is_calibrated(exploration) and not prediction.doubt:
            places["confidence"] = f"{percent(prediction.confidence or 0)}\N{NO-BREAK SPACE}%"
    if overview:
        places["overview"] = data_url(overview.png)
    for view in exploration.layers:
        places |= _layer(view)
    return places


def _end_of_overview(prediction: Prediction) -> Places:
    probability = "" if prediction.probability is None else f"{percent(prediction.probability)} %"
    return {"overview label": prediction.label, "overview probability": probability}


def _answer(prediction: Prediction) -> Places:
    ranked, label, classes = prediction.ranked, prediction.label, prediction.probabilities
    second = ranked[1] if prediction.is_exclusive and len(ranked) > 1 else None
    shown = prediction.top(TOP) if len(classes) > MOST_BARS else list(classes)
    has_words = have_words(shown)
    places: Places = {"guess": {"text": label, "aria-label": f"The network reads {label}"}}
    likely = percent(ranked[0].probability)
    if prediction.is_exclusive:
        places["why"] = why_words(prediction)
    places["probability"] = f"{likely}\N{NO-BREAK SPACE}%"
    if second:
        places["second"] = second.label
        places["second probability"] = f"{percent(second.probability)}\N{NO-BREAK SPACE}%"
    for number, each in enumerate(shown):
        places |= _bar(number, each, label, second.label if second else None, has_words)
    return places


def _bar(number: int, each: ClassProbability, best: str, second: str | None, has_words: bool) -> Places:
    rank = "is-best" if each.label == best else "is-second" if each.label == second else ""
    return {
        f"bar {number}": {"class": rank},
        f"label {number}": {"text": each.label, "title": each.label} if has_words else each.label,
        f"length {number}": {"width": str(bar_length(each.probability))},
        f"percent {number}": percent(each.probability),
    }


def _layer(view: LayerView) -> Places:
    name, grid = view.layer.name, view.grid
    places: Places = {
        f"maps {name}": data_url(grid.png),
        f"low {name}": low_words(view),
        f"high {name}": high_words(view),
        f"colours {name}": f"/colormaps/{grid.colormap}.png",
    }
    if view.layer.is_spatial:
        return places | {f"constant {name}": constant_words(view)}
    if view.activation.size <= MOST_NUMBERS:
        values = view.activation.ravel()
        places |= {f"unit {unit} {name}": fixed(values[unit], 3) for unit in range(values.size)}
    return places
