"""A model measured again, and what its card says otherwise."""

from pathlib import Path
from typing import NamedTuple

import keras
from pydantic import ValidationError

from app.cnn.card import Card, Fit, read_card
from app.training.errors import BadInput
from app.training.measure import Figures, measure
from app.training.mnist import Digits
from app.training.task import Task


class Line(NamedTuple):
    """One figure: what the card says and what was measured now."""

    name: str
    on_card: float | None
    measured: float | None
    agrees: bool


def load(path: Path) -> tuple[keras.Model, Card]:
    """A model and its card. Raises: BadInput."""
    try:
        card = read_card(path.with_suffix(".json"))
        return keras.saving.load_model(path, compile=False), card
    except ValidationError as error:
        raise BadInput(f"{path.with_suffix('.json')} is not a card: {error.error_count()} fields are wrong.") from error
    except Exception as error:  # a broken model file fails in as many ways as it has layers
        raise BadInput(f"{path} and its card {path.with_suffix('.json').name} cannot both be read: {error}") from error


def task_of(card: Card) -> Task:
    """The task whose classes the card has. Raises: BadInput where there is none."""
    if card.fit is Fit.ORIGINAL and not card.classes:
        return Task.OUTLINE
    for task in (Task.DIGIT, Task.PARITY):
        if task.classes == card.classes:
            return task
    raise BadInput(f"Only digits, odd or even, and outlines can be measured. Received: {card.classes}.")


def compare(network: keras.Model, card: Card, test: Digits, pen_test: Digits | None) -> list[Line]:
    """Every figure of the card beside the same figure measured now.

    pen_test: None leaves out the accuracy on pen drawings.
    """
    figures = measure(network, task_of(card), test, pen_test)
    lines = [
        Line("parameters", card.parameters, figures.parameters, card.parameters == figures.parameters),
        _line("test_accuracy", card.test_accuracy, figures.test_accuracy, len(test)),
        *_pooling_lines(card, figures, len(test)),
    ]
    if pen_test is not None:
        lines.append(_line("pen_accuracy", card.pen_accuracy, figures.pen_accuracy, len(pen_test)))
    return lines


def _pooling_lines(card: Card, figures: Figures, pictures: int) -> list[Line]:
    on_card, measured = card.test_accuracy_by_pooling, figures.test_accuracy_by_pooling
    modes = [*measured, *(mode for mode in on_card if mode not in measured)]
    return [
        _line(f"test_accuracy_by_pooling.{mode}", on_card.get(mode), measured.get(mode), pictures) for mode in modes
    ]


def _line(name: str, on_card: float | None, measured: float | None, pictures: int) -> Line:
    """Two shares agree where they are as many pictures apart as another processor's rounding may move: one."""
    if on_card is None or measured is None:
        return Line(name, on_card, measured, on_card is measured)
    return Line(name, on_card, measured, abs(on_card - measured) * pictures < 1.5)
