"""Digits to the batches that a network trains on and is measured with."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.training.augmentation import augment
from app.training.mnist import Digits
from app.training.task import Task

BATCH_SIZE = 128


def to_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, height, width) from 0 to 255 to (n, height, width, 1) from 0 to 1."""
    return images[..., None].astype(np.float32) / np.float32(255)


def training_batches(digits: Digits, task: Task, seed: int) -> tf.data.Dataset:
    """Shuffled anew every epoch, augmented, in batches of (images, targets); a last short batch is left out."""
    batch_size = min(BATCH_SIZE, len(digits))
    digits_in_order = tf.data.Dataset.from_tensor_slices((digits.images, digits.labels))
    shuffled = digits_in_order.shuffle(len(digits), seed=seed).batch(batch_size, drop_remainder=True)
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)

    def vary(batch: tuple[Any, Any], batch_seed: Any) -> tuple[Any, Any]:
        images, labels = batch
        return augment(tf.cast(images[..., None], tf.float32) / 255, batch_seed), task.targets(labels)

    varied = tf.data.Dataset.zip(shuffled, seeds).map(vary, num_parallel_calls=tf.data.AUTOTUNE)
    return varied.prefetch(tf.data.AUTOTUNE)


def validation_batches(digits: Digits, task: Task) -> tf.data.Dataset:
    """As they are, in batches of (images, targets)."""
    return tf.data.Dataset.from_tensor_slices((to_input(digits.images), task.targets(digits.labels))).batch(512)
