"""Figures of a model: measured, put on its card, and held against a card."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from pydantic import ValidationError

from ..cnn.card import Card, Fit, read_card
from ..cnn.tensorflow import trained_pooling, with_pooling
from ..cnn.types import Array, PoolingMode
from ..datasets.digits import Digits
from .batches import BATCH_SIZE, to_input
from .data import TrainingData
from .family import Recipe
from .mnist import BadInput
from .outlines import PATCHES, STARTS
from .task import Task
from .temperature import fit_temperature

_BATCH_SIZE = 500


@dataclass(frozen=True)
class Figures:
    """A card's figures. Accuracies are shares from 0 to 1; None if there is nothing to measure."""

    parameters: int
    test_accuracy: float | None = None
    test_accuracy_by_pooling: dict[PoolingMode, float] = field(default_factory=dict)
    pen_accuracy: float | None = None


class FigureCheck(NamedTuple):
    """One figure, on the card and as measured now."""

    name: str
    on_card: float | None
    measured: float | None
    agrees: bool


def measure(network: keras.Model, task: Task, test: Digits, pen_test: Digits | None) -> Figures:
    """Measure a network. One for outlines has no accuracy, only its number of parameters."""
    parameters = network.count_params()
    if task is Task.OUTLINE:
        return Figures(parameters)
    return Figures(
        parameters,
        accuracy(network, task, test),
        _accuracy_by_pooling(network, task, test),
        None if pen_test is None else accuracy(network, task, pen_test),
    )


def accuracy(network: keras.Model, task: Task, digits: Digits) -> float:
    """Return the share of digits that the network answers correctly."""
    return float(task.is_correct(_answer(network, digits), digits.labels).mean())


def measure_temperature(network: keras.Model, task: Task, digits: Digits) -> float:
    """Return the temperature that makes the network's confidence in its answers to these digits right."""
    targets = digits.labels if task is Task.DIGIT else digits.labels % 2
    return fit_temperature(_answer(network, digits), targets.astype(np.intp))


def _answer(network: keras.Model, digits: Digits) -> Array:
    """Return the network's outputs, (n, outputs)."""
    starts = range(0, len(digits), _BATCH_SIZE)
    # Called directly: `predict` would compile a graph for each pooling mode's network, which is used once.
    outputs = [network(to_input(digits.images[start : start + _BATCH_SIZE]), training=False) for start in starts]
    return np.concatenate([np.asarray(each) for each in outputs])


def _accuracy_by_pooling(network: keras.Model, task: Task, digits: Digits) -> dict[PoolingMode, float]:
    if trained_pooling(network) is None:
        return {}
    return {mode: accuracy(with_pooling(network, mode), task, digits) for mode in PoolingMode}


def load(path: Path) -> tuple[keras.Model, Card]:
    """Load a model and its card. Raises: BadInput."""
    try:
        card = read_card(path.with_suffix(".json"))
        return keras.saving.load_model(path, compile=False), card
    except ValidationError as error:
        raise BadInput(f"{path.with_suffix('.json')} is not a card: {error.error_count()} fields are wrong.") from error
    except Exception as error:  # a broken model file fails in as many ways as it has layers
        raise BadInput(f"{path} and its card {path.with_suffix('.json').name} cannot both be read: {error}") from error


def task_of(card: Card) -> Task:
    """Return the task whose classes the card has. Raises: BadInput if there is none."""
    if card.fit is Fit.ORIGINAL and not card.classes:
        return Task.OUTLINE
    for task in (Task.DIGIT, Task.PARITY):
        if task.classes == card.classes:
            return task
    raise BadInput(f"Only digits, odd or even, and outlines can be measured. Received: {card.classes}.")


def compare_with_card(network: keras.Model, card: Card, test: Digits, pen_test: Digits | None) -> list[FigureCheck]:
    """Compare each figure of the card with the same figure measured now.

    pen_test: None leaves out the accuracy on pen drawings. Raises: BadInput if the card's task is unknown.
    """
    figures = measure(network, task_of(card), test, pen_test)
    checks = [
        FigureCheck("parameters", card.parameters, figures.parameters, card.parameters == figures.parameters),
        _check("test_accuracy", card.test_accuracy, figures.test_accuracy, len(test)),
        *_check_by_pooling(card, figures, len(test)),
    ]
    if pen_test is not None:
        checks.append(_check("pen_accuracy", card.pen_accuracy, figures.pen_accuracy, len(pen_test)))
    return checks


def _check_by_pooling(card: Card, figures: Figures, count: int) -> list[FigureCheck]:
    on_card, measured = card.test_accuracy_by_pooling, figures.test_accuracy_by_pooling
    modes = [*measured, *(mode for mode in on_card if mode not in measured)]
    return [_check(f"test_accuracy_by_pooling.{mode}", on_card.get(mode), measured.get(mode), count) for mode in modes]


def _check(name: str, on_card: float | None, measured: float | None, count: int) -> FigureCheck:
    """Compare two shares of `count` digits. One digit more or less may be another processor's rounding."""
    if on_card is None or measured is None:
        return FigureCheck(name, on_card, measured, on_card is measured)
    return FigureCheck(name, on_card, measured, abs(on_card - measured) * count < 1.5)


def make_card(recipe: Recipe, network: keras.Model, data: TrainingData, epochs: int, seed: int) -> Card:
    """Measure a trained model and write its card. Only here does a training run look at the test sets.

    epochs: those that were trained, which early stopping may have made fewer than the recipe's.
    """
    figures = measure(network, recipe.task, data.mnist_test, data.pen_test)
    is_sure = epochs > 0 and recipe.task is not Task.OUTLINE
    return Card(
        title=recipe.title,
        description=recipe.description,
        trained_on=_trained_on(epochs, data),
        training=_training(recipe, data, epochs, seed),
        classes=recipe.task.classes,
        input_shape=network.input_shape[1:],
        value_range=(0.0, 1.0),
        fit=Fit.ORIGINAL if recipe.task is Task.OUTLINE else Fit.DIGIT,
        temperature=measure_temperature(network, recipe.task, data.validation) if is_sure else 1.0,
        pooling=trained_pooling(network),
        parameters=figures.parameters,
        test_accuracy=figures.test_accuracy,
        test_accuracy_by_pooling=figures.test_accuracy_by_pooling,
        pen_accuracy=figures.pen_accuracy,
        siblings=recipe.siblings,
    )


def _trained_on(epochs: int, data: TrainingData) -> str:
    return data.sources if epochs else "Nothing."


def _training(recipe: Recipe, data: TrainingData, epochs: int, seed: int) -> str:
    if epochs == 0:
        return f"None: random starting weights, seed {seed}."
    if recipe.task is Task.OUTLINE:
        return (
            f"{_epochs(epochs)} of {PATCHES:,} parts of digits at many scales, their outline as the target; Adam with "
            f"a cosine learning rate; {STARTS} random starts side by side, the best kept; seed {seed}."
        )
    smoothing = ", label smoothing" if recipe.task is Task.DIGIT else ""
    return (
        f"{_epochs(epochs)} of {len(data.train):,} pictures in batches of {BATCH_SIZE}, most of them turned, slanted, "
        "stretched, moved, bent, thickened or thinned anew each time, some with specks; AdamW with a one-cycle cosine "
        f"learning rate{smoothing}; the epoch with the lowest validation loss kept; seed {seed}."
    )


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"
