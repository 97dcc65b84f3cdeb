"""The loop: a network, trained until it no longer gets better."""

import sys
from dataclasses import dataclass

import keras

from app.training.batches import BATCH_SIZE, training_batches, validation_batches
from app.training.mnist import Digits
from app.training.task import Task

PEAK_LEARNING_RATE = 0.003
WEIGHT_DECAY = 0.001
PATIENCE = 5
# The weights that are measured and kept are an exponential moving average over about this many steps: 1 / (1 - it).
AVERAGING = 0.998


@dataclass(frozen=True)
class Trained:
    """A network and how long it took."""

    network: keras.Sequential
    epochs: int


def fit(network: keras.Sequential, task: Task, train: Digits, validation: Digits, epochs: int, seed: int) -> Trained:
    """Train in place, with augmentation, and keep the weights of the epoch with the lowest validation loss."""
    network.compile(
        optimizer=keras.optimizers.AdamW(
            _one_cycle(len(train), epochs), weight_decay=WEIGHT_DECAY, use_ema=True, ema_momentum=AVERAGING
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
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),  # the averaged weights are measured and kept
            keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True),
        ],
        verbose=verbosity(),
    )
    return Trained(network, len(history.epoch))


def _one_cycle(pictures: int, epochs: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Up to the peak in the first tenth of all steps, then down to a thousandth of it along a cosine."""
    steps = max(10, pictures // BATCH_SIZE * epochs)
    warmup = steps // 10
    return keras.optimizers.schedules.CosineDecay(
        PEAK_LEARNING_RATE / 10, steps - warmup, alpha=0.01, warmup_target=PEAK_LEARNING_RATE, warmup_steps=warmup
    )


def verbosity() -> int:
    """A progress bar where a person watches, a line an epoch in a log."""
    return 1 if sys.stdout.isatty() else 2
