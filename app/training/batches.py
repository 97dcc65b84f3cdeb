"""Digits to batches for training and validation."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.training.augmentation import augment
from app.training.mnist import Digits
from app.training.task import Task

BATCH_SIZE = 128


def to_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert (n, height, width) from 0 to 255 to (n, height, width, 1) from 0 to 1."""
    return images[..., None].astype(np.float32) / np.float32(255)


def training_batches(digits: Digits, task: Task, seed: int) -> tf.data.Dataset:
    """Return augmented batches of (images, targets), reshuffled every epoch; a last short batch is dropped."""
    batch_size = min(BATCH_SIZE, len(digits))
    ordered = tf.data.Dataset.from_tensor_slices((digits.images, digits.labels))
    shuffled = ordered.shuffle(len(digits), seed=seed).batch(batch_size, drop_remainder=True)
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)

    def augment_batch(batch: tuple[Any, Any], batch_seed: Any) -> tuple[Any, Any]:
        images, labels = batch
        return augment(tf.cast(images[..., None], tf.float32) / 255, batch_seed), task.targets(labels)

    augmented = tf.data.Dataset.zip(shuffled, seeds).map(augment_batch, num_parallel_calls=tf.data.AUTOTUNE)
    return augmented.prefetch(tf.data.AUTOTUNE)


def validation_batches(digits: Digits, task: Task) -> tf.data.Dataset:
    """Return batches of (images, targets), in order and unchanged."""
    return tf.data.Dataset.from_tensor_slices((to_input(digits.images), task.targets(digits.labels))).batch(512)
