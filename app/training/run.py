"""One training run: every chosen model trained, measured and saved."""

from collections.abc import Callable
from pathlib import Path

import keras

from app.training.cards import make_card
from app.training.data import TrainingData
from app.training.family import FAMILY, Recipe
from app.training.loop import Trained, fit
from app.training.outline_loop import fit_outline
from app.training.store import prepare, save
from app.training.task import Task


def run(
    names: list[str], data: TrainingData, out: Path, seed: int, epochs: int | None, tell: Callable[[str], None]
) -> None:
    """Train each model and save it with its card as soon as it is done.

    epochs: at most so many, where the recipe's own number is not wanted.
    Raises: OSError where a model cannot be saved.
    """
    prepare(out)
    for recipe in (FAMILY[name] for name in names):
        tell(f"{recipe.name}: {recipe.title}")
        # Seeded for each model, so that a model is the same whichever others are trained.
        keras.utils.set_random_seed(seed)
        trained = _train(recipe, data, recipe.epochs if epochs is None else min(epochs, recipe.epochs), seed)
        card = make_card(recipe, trained.network, data, trained.epochs, seed)
        save(trained.network, card, out, recipe.name)
        tell(f"{recipe.name}: saved. {_summary(card.test_accuracy, card.pen_accuracy)}")


def _train(recipe: Recipe, data: TrainingData, epochs: int, seed: int) -> Trained:
    if recipe.epochs == 0:
        return Trained(recipe.build(), 0)
    if recipe.task is Task.OUTLINE:
        return fit_outline(data.train, data.validation, epochs, seed)
    trained = fit(recipe.build(), recipe.task, data.train, data.validation, epochs, seed)
    if recipe.build_plain is None:
        return trained
    plain = recipe.build_plain()
    plain.set_weights(trained.network.get_weights())
    return Trained(plain, trained.epochs)


def _summary(test_accuracy: float | None, pen_accuracy: float | None) -> str:
    shares = {"MNIST's test digits": test_accuracy, "pen drawings by other writers": pen_accuracy}
    return " ".join(f"{share:.2%} of {what} read rightly." for what, share in shares.items() if share is not None)
