"""What every page with a pad shows of it: the drawing that it begins with, and the inputs beside it."""

import json
from functools import cache

from ..datasets.digits import DigitSet
from ..explore.gallery import draw_digit
from ..imaging.drawing import draw_sample
from .forms import ModelChoice, PageForm, PageQuery

draw_first = cache(draw_sample)


def inputs_context(form_id: str, choice: ModelChoice, query: PageQuery) -> dict[str, object]:
    """Return what the controls of the inputs beside the drawing show, and whether the page needs new ones."""
    identity = f"{choice.model.name} {choice.model.card.input or ''}".strip()
    shown = query.inputs_of if isinstance(query, PageForm) else None
    return {
        "form_id": form_id,
        "choice": choice,
        "inputs_of": identity,
        "held": json.dumps(query.held) if query.held else "",
        "sends_inputs": shown not in (None, identity),
    }


def first_drawing(query: PageQuery) -> bytes:
    """Return the real digit that the address names, else a sample. Raises: UnknownDigit."""
    if query.digit is None:
        return draw_first(query.sample)
    digit_set, number = query.digit.split("-")
    return draw_digit(DigitSet(digit_set), int(number))
