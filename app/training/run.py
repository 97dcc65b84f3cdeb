"""A training run: each network trained until it no longer gets better, and saved with its card."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from app.cnn.card import Card, write_card
from app.training.batches import BATCH_SIZE, training_batches, validation_batches
from app.training.data import TrainingData
from app.training.evaluation import make_card
from app.training.family import FAMILY, Recipe
from app.training.mnist import Digits
from app.training.outlines import fit_outline
from app.training.task import Task

PEAK_LEARNING_RATE = 0.003
WEIGHT_DECAY = 0.001
PATIENCE = 5
# The weights that are validated and kept are an exponential moving average over about 500 steps.
EMA_MOMENTUM = 0.998


@dataclass(frozen=True)
class Trained:
    """A network and the number of epochs it was trained for."""

    network: keras.Sequential
    epochs: int


def fit(network: keras.Sequential, task: Task, train: Digits, validation: Digits, epochs: int, seed: int) -> Trained:
    """Train a network in place and keep the weights of the epoch with the lowest validation loss.

    epochs: at most; training stops when the loss has not fallen for PATIENCE epochs.
    """
    network.compile(
        optimizer=keras.optimizers.AdamW(
            _one_cycle(len(train), epochs), weight_decay=WEIGHT_DECAY, use_ema=True, ema_momentum=EMA_MOMENTUM
        ),
        loss=task.loss,
        metrics=["accuracy"],
    )
    history = network.fit(
        training_batches(train, task, seed),
        validation_data=validation_batches(validation, task),
        epochs=epochs,
        shuffle=False,  # the batches are shuffled already
        callbacks=[
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),  # validate and keep the averaged weights
            keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True),
        ],
        verbose=verbosity(),
    )
    return Trained(network, len(history.epoch))


def _one_cycle(pictures: int, epochs: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a schedule: up to the peak in the first tenth of all steps, then down to a hundredth of it on a cosine."""
    steps = max(10, pictures // BATCH_SIZE * epochs)
    warmup = steps // 10
    return keras.optimizers.schedules.CosineDecay(
        PEAK_LEARNING_RATE / 10, steps - warmup, alpha=0.01, warmup_target=PEAK_LEARNING_RATE, warmup_steps=warmup
    )


def verbosity() -> int:
    """Return Keras' verbosity: a progress bar on a terminal, a line an epoch elsewhere."""
    return 1 if sys.stdout.isatty() else 2


def run(
    names: list[str], data: TrainingData, out: Path, seed: int, epochs: int | None, report: Callable[[str], None]
) -> None:
    """Train each model and save it with its card as soon as it is done.

    epochs: an upper limit for each model, or None for the recipes' own numbers. report: is called with lines of text.
    Raises: OSError if a model cannot be saved.
    """
    prepare(out)
    for recipe in (FAMILY[name] for name in names):
        report(f"{recipe.name}: {recipe.title}")
        # Seeded for each model, so that a model does not depend on which others are trained.
        keras.utils.set_random_seed(seed)
        trained = _train(recipe, data, recipe.epochs if epochs is None else min(epochs, recipe.epochs), seed)
        card = make_card(recipe, trained.network, data, trained.epochs, seed)
        save(trained.network, card, out, recipe.name)
        report(f"{recipe.name}: saved. {_summary(card.test_accuracy, card.pen_accuracy)}")


def _train(recipe: Recipe, data: TrainingData, epochs: int, seed: int) -> Trained:
    if recipe.epochs == 0:
        return Trained(recipe.build(), 0)
    if recipe.task is Task.OUTLINE:
        return fit_outline(data.train, data.validation, epochs, seed)
    trained = fit(recipe.build(), recipe.task, data.train, data.validation, epochs, seed)
    if recipe.build_without_dropout is None:
        return trained
    network = recipe.build_without_dropout()
    network.set_weights(trained.network.get_weights())
    return Trained(network, trained.epochs)


def _summary(test_accuracy: float | None, pen_accuracy: float | None) -> str:
    shares = {"MNIST's test digits": test_accuracy, "pen drawings by other writers": pen_accuracy}
    return " ".join(f"{share:.2%} of {what} read rightly." for what, share in shares.items() if share is not None)


def prepare(folder: Path) -> None:
    """Make the folder and write to it once, so that a read-only one is found before half an hour's training.

    Raises: OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def save(network: keras.Model, card: Card, folder: Path, name: str) -> None:
    """Write NAME.keras, without the optimizer's state, and NAME.json.

    Both are complete before either takes its place. The folder must exist.
    Raises: OSError if the disk is full or the folder cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
        model_path, card_path = Path(unfinished, f"{name}.keras"), Path(unfinished, f"{name}.json")
        _without_optimizer(network).save(model_path)
        write_card(card, card_path)
        # Interrupted between these, a model without a card is left, which counts as not finished.
        (folder / card_path.name).unlink(missing_ok=True)
        model_path.replace(folder / model_path.name)
        card_path.replace(folder / card_path.name)


def _without_optimizer(network: keras.Model) -> keras.Model:
    copy = network.__class__.from_config(network.get_config())
    copy.set_weights(network.get_weights())
    return copy
