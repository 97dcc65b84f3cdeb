"""The training loop."""

import sys
from dataclasses import dataclass

import keras

from ..datasets.digits import Digits
from .batches import BATCH_SIZE, training_batches, validation_batches
from .task import Task

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
