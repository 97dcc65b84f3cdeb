"""Batches of digits to train and validate with, most of them augmented anew each time."""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from ..datasets.digits import Digits
from .task import Task

UNCHANGED = 0.3  # share of the images that stay as they are
# Limits of the others' changes, drawn for each image by itself.
TURN = 0.1  # radians
SLANT = 0.15
ZOOM = 0.085  # width and height are scaled by at most exp(±ZOOM), each by itself
SHIFT = 0.9  # pixels
BEND = 0.36  # pixels, the standard deviation of a control point's displacement
BEND_POINTS = 5  # control points along each side; displacements between them are interpolated
THICKEN, THIN = 0.4, 0.25  # how much of a 3 by 3 dilation or erosion is blended in
INK = 0.3  # grey levels are raised to a power of at most exp(±INK)
SPECKLED = 0.12  # share of the images that get specks
SPECKS = 0.012  # share of such an image's pixels
SPECK_INK = 0.6  # the darkest speck, from 0 to 1


def augment(images: Any, seed: Any) -> Any:
    """Turn, slant, stretch, shift, bend, thicken or thin most images, change their ink, and add specks to some.

    images: (n, height, width, 1) float32 from 0 (paper) to 1. seed: two integers; the same seed gives the same change.
    Returns: the same shape and range.
    """
    seeds = tf.random.split(seed, 6)
    changed = _bend(_transform(images, seeds[0]), seeds[1])
    changed = _change_pen(changed, seeds[2])
    changed = changed ** tf.exp(_uniform(images, INK, seeds[3]))
    changed = ops.clip(_speckle(changed, seeds[4]), 0.0, 1.0)
    return tf.where(_uniform(images, 1.0, seeds[5], low=0.0) < UNCHANGED, images, changed)


def _uniform(images: Any, limit: float, seed: Any, low: float | None = None) -> Any:
    shape = (tf.shape(images)[0], 1, 1, 1)
    return tf.random.stateless_uniform(shape, seed, -limit if low is None else low, limit)


def _transform(images: Any, seed: Any) -> Any:
    """Apply a random affine transformation about the middle of each image, with bilinear interpolation."""
    limits = tf.constant([TURN, SLANT, ZOOM, ZOOM, SHIFT, SHIFT])
    drawn = tf.random.stateless_uniform((tf.shape(images)[0], 6), seed, -1.0, 1.0) * limits
    turn, slant, log_width, log_height, right, down = tf.unstack(drawn, axis=1)
    width, height = tf.exp(log_width), tf.exp(log_height)
    a, b = width * tf.cos(turn), width * (slant * tf.cos(turn) - tf.sin(turn))
    c, d = height * tf.sin(turn), height * (slant * tf.sin(turn) + tf.cos(turn))
    middle = (images.shape[1] - 1) / 2
    shift_x = middle - a * middle - b * middle + right
    shift_y = middle - c * middle - d * middle + down
    zero = tf.zeros_like(a)
    matrices = tf.stack([a, b, shift_x, c, d, shift_y, zero, zero], axis=1)
    return ops.image.affine_transform(images, matrices, interpolation="bilinear", data_format="channels_last")


def _bend(images: Any, seed: Any) -> Any:
    """Apply an elastic distortion (Simard, Steinkraus and Platt, 2003), with bilinear interpolation."""
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    coarse = tf.random.stateless_normal((count, BEND_POINTS, BEND_POINTS, 2), seed, stddev=BEND)
    offset = tf.image.resize(coarse, (height, width), "bicubic")
    rows, columns = tf.meshgrid(tf.range(height, dtype=tf.float32), tf.range(width, dtype=tf.float32), indexing="ij")
    row = tf.clip_by_value(rows + offset[..., 0], 0.0, height - 1.001)
    column = tf.clip_by_value(columns + offset[..., 1], 0.0, width - 1.001)
    top, left = tf.floor(row), tf.floor(column)
    down, right = (row - top)[..., None], (column - left)[..., None]
    first = tf.cast(top, tf.int32) * width + tf.cast(left, tf.int32)
    pixels = tf.reshape(images, (count, height * width, 1))
    corner = [tf.gather(pixels, first + step, batch_dims=1) for step in (0, 1, width, width + 1)]
    upper, lower = (a + (b - a) * right for a, b in (corner[:2], corner[2:]))
    return upper + (lower - upper) * down


def _change_pen(images: Any, seed: Any) -> Any:
    """Thicken a quarter of the images and thin a quarter."""
    change = _uniform(images, 2.0, seed)
    thick = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    thicken = THICKEN * tf.clip_by_value(change - 1, 0.0, 1.0)
    thinned = THIN * tf.clip_by_value(-change - 1, 0.0, 1.0)
    return images + thicken * (thick - images) + thinned * (thin - images)


def _speckle(images: Any, seed: Any) -> Any:
    image_seed, pixel_seed, ink_seed = tf.unstack(tf.random.split(seed, 3))
    speckled = _uniform(images, 1.0, image_seed, low=0.0) < SPECKLED
    specks = tf.random.stateless_uniform(tf.shape(images), pixel_seed) < SPECKS
    strength = tf.random.stateless_uniform(tf.shape(images), ink_seed, 0.0, SPECK_INK)
    return tf.maximum(images, tf.where(tf.logical_and(speckled, specks), strength, 0.0))


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
