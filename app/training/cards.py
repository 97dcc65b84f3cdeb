"""The model card of a training run."""

import keras

from app.cnn.card import Card, Fit
from app.cnn.tensorflow.pooling import trained_pooling
from app.training.batches import BATCH_SIZE
from app.training.data import TrainingData
from app.training.evaluation import measure
from app.training.family import Recipe
from app.training.outline_loop import PATCHES, STARTS
from app.training.task import Task


def make_card(recipe: Recipe, network: keras.Model, data: TrainingData, epochs: int, seed: int) -> Card:
    """Measure a trained model and write its card. Only here does a training run look at the test sets.

    epochs: those that were trained, which early stopping may have made fewer than the recipe's.
    """
    figures = measure(network, recipe.task, data.mnist_test, data.pen_test)
    return Card(
        title=recipe.title,
        description=recipe.description,
        trained_on=_trained_on(epochs, data),
        training=_training(recipe, data, epochs, seed),
        classes=recipe.task.classes,
        input_shape=network.input_shape[1:],
        value_range=(0.0, 1.0),
        fit=Fit.ORIGINAL if recipe.task is Task.OUTLINE else Fit.DIGIT,
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
