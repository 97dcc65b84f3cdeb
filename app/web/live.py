"""The answer while the pen moves: only what a drawing changes on the page, as JSON, which `static/live.js` puts there.

Templates say with `data-live` where each part stands, and write it by the same functions. What stands there is exact,
but what a screen reader says of pictures waits for the whole answer, which follows as soon as the pen rests. Nor does
each answer have the numbers: nobody reads them forty times a second, and with them a browser takes three times as long
to lay out the page. An answer of another kind than the page shows, or with sentences of its own, is sent as HTML beside
the places.
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


def find_places(
    exploration: Exploration, seen: bytes, overview: Overview | None, *, has_answer: bool, has_numbers: bool
) -> Places:
    """Return what the drawing changes on the page.

    has_answer: with the answer beside the pad. has_numbers: with probabilities and the values of legends and units.
    """
    places: Places = {"seen": data_url(seen)}
    prediction = exploration.prediction
    if prediction:
        places["overview label"] = prediction.label
        if has_answer:
            places |= _answer(prediction)
        if has_numbers:
            places["overview probability"] = _overview_probability(prediction)
            if has_answer:
                places |= _numbers_of_answer(exploration, prediction)
    if overview:
        places |= {"overview": data_url(overview.png), "overview input": places["seen"]}
    for view in exploration.layers:
        places |= _layer(view)
        if has_numbers:
            places |= _numbers_of_layer(view)
    return places


def _overview_probability(prediction: Prediction) -> str:
    return "" if prediction.probability is None else f"{percent(prediction.probability)} %"


def _answer(prediction: Prediction) -> Places:
    label, second = prediction.label, _second(prediction)
    shown = _shown(prediction)
    has_words = have_words(shown)
    places: Places = {"guess": {"text": label, "aria-label": f"The network reads {label}"}}
    if prediction.is_exclusive:
        places["why"] = why_words(prediction)
    if second:
        places["second"] = second.label
    for number, each in enumerate(shown):
        places |= _bar(number, each, label, second.label if second else None, has_words)
    return places


def _bar(number: int, each: ClassProbability, best: str, second: str | None, has_words: bool) -> Places:
    rank = "is-best" if each.label == best else "is-second" if each.label == second else ""
    return {
        f"bar {number}": {"class": rank},
        f"label {number}": {"text": each.label, "title": each.label} if has_words else each.label,
        f"length {number}": {"width": str(bar_length(each.probability))},
    }


def _numbers_of_answer(exploration: Exploration, prediction: Prediction) -> Places:
    places: Places = {"probability": f"{percent(prediction.ranked[0].probability)}\N{NO-BREAK SPACE}%"}
    if second := _second(prediction):
        places["second probability"] = f"{percent(second.probability)}\N{NO-BREAK SPACE}%"
    for number, each in enumerate(_shown(prediction)):
        places[f"percent {number}"] = percent(each.probability)
    if is_calibrated(exploration) and not prediction.doubt:
        places["confidence"] = f"{percent(prediction.confidence or 0)}\N{NO-BREAK SPACE}%"
    return places


def _second(prediction: Prediction) -> ClassProbability | None:
    return prediction.ranked[1] if prediction.is_exclusive and len(prediction.ranked) > 1 else None


def _shown(prediction: Prediction) -> list[ClassProbability]:
    """Return the classes that have bars."""
    classes = prediction.probabilities
    return prediction.top(TOP) if len(classes) > MOST_BARS else list(classes)


def _layer(view: LayerView) -> Places:
    name, grid = view.layer.name, view.grid
    return {f"maps {name}": data_url(grid.png), f"colours {name}": f"/colormaps/{grid.colormap}.png"}


def _numbers_of_layer(view: LayerView) -> Places:
    name = view.layer.name
    places: Places = {f"low {name}": low_words(view), f"high {name}": high_words(view)}
    if view.layer.is_spatial:
        return places | {f"constant {name}": constant_words(view)}
    if view.activation.size <= MOST_NUMBERS:
        values = view.activation.ravel()
        places |= {f"unit {unit} {name}": fixed(values[unit], 3) for unit in range(values.size)}
    return places
