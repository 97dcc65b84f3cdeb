"""Outlines of digits at many scales, and the training of a network that draws them."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from numpy.typing import NDArray
from PIL import Image

from ..datasets.digits import SIDE, Digits
from .architectures import ANY_SHAPE, five_layer_convolutional
from .loop import Trained, verbosity

PATCH = 40  # pixels a side; the receptive field of five 3×3 kernels has 11

# From MNIST's size to that of a large canvas. Thin lines are the hardest, so a share is left at its own size.
_SCALES = (1.0, 10.0)
_UNSCALED = 0.3

Patch = NDArray[np.float32]  # (PATCH, PATCH), 0 is paper, 1 the strongest ink


def outline(images: Any) -> Any:
    """Return the morphological gradient: 3×3 dilation minus 3×3 erosion.

    images: (n, height, width, 1) from 0 to 1. Returns: the same shape; 1 where ink meets paper, 0 inside and outside.
    """
    dilated = tf.nn.max_pool2d(images, 3, 1, "SAME")
    eroded = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    return dilated - eroded


def draw_patches(digits: Digits, count: int, seed: int) -> NDArray[np.float32]:
    """Cut random patches of digits at random scales. Returns: (count, PATCH, PATCH, 1) from 0 to 1."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(digits), size=count)
    return np.stack([_cut(_enlarge(digits.images[index], rng), rng) for index in chosen])[..., None]


def _enlarge(image: NDArray[np.uint8], rng: np.random.Generator) -> Patch:
    """Enlarge a digit by a random scale, with an edge as sharp as a pen's on a canvas: one pixel wide."""
    scale = 1.0 if rng.uniform() < _UNSCALED else float(np.exp(rng.uniform(*np.log(_SCALES))))
    side = round(SIDE * scale)
    larger = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    ink = np.asarray(larger, dtype=np.float32) / np.float32(255)
    if scale > 1.5:
        ink = np.clip((ink - 0.5) * scale + 0.5, 0, 1).astype(np.float32)
    return ink


def _cut(ink: Patch, rng: np.random.Generator) -> Patch:
    """Cut a patch with some ink at or near its middle."""
    rows, columns = np.nonzero(ink > 0.5) if (ink > 0.5).any() else np.nonzero(ink >= 0)
    chosen = rng.integers(len(rows))
    top, left = (int(at[chosen] + rng.integers(-PATCH // 3, PATCH // 3)) for at in (rows, columns))
    padded = np.pad(ink, PATCH)
    top, left = top + PATCH // 2, left + PATCH // 2
    return padded[top : top + PATCH, left : left + PATCH]


# Most starts lead nowhere: a chain of single kernels often dies or gets stuck.
STARTS = 64
PATCHES = 4096
BATCH_SIZE = 16
LEARNING_RATE = 0.03


def fit_outline(train: Digits, validation: Digits, epochs: int, seed: int) -> Trained:
    """Train STARTS five-layer convolutional networks and keep the one with the least mean error in validation."""
    starts = parallel_starts(STARTS, seed)
    patches = draw_patches(train, PATCHES, seed)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, PATCHES // BATCH_SIZE * epochs, alpha=0.01)
    starts.compile(optimizer=keras.optimizers.Adam(rate, clipvalue=1.0), loss=_mean_cross_entropy)
    history = starts.fit(patches, outline(patches), batch_size=BATCH_SIZE, epochs=epochs, verbose=verbosity())
    unseen = draw_patches(validation, PATCHES // 8, seed + 1)
    errors = np.abs(starts.predict(unseen, verbose=0) - outline(unseen)).mean(axis=(0, 1, 2))
    return Trained(extract(starts, int(errors.argmin())), len(history.epoch))


def parallel_starts(count: int, seed: int) -> keras.Model:
    """Build `count` networks of five single kernels each, which share nothing but their input.

    Returns: a model from (n, height, width, 1) to (n, height, width, count); channel i is network i's output.
    """
    picture = keras.Input(ANY_SHAPE)
    channels = ops.repeat(picture, count, axis=-1)
    for number, layer in enumerate(five_layer_convolutional().layers):
        channels = layers.DepthwiseConv2D(
            layer.kernel_size,
            padding=layer.padding,
            activation=layer.activation,
            depthwise_initializer=keras.initializers.RandomUniform(-0.8, 0.8, seed=seed + 2 * number),
            bias_initializer=keras.initializers.RandomUniform(-0.3, 1.0, seed=seed + 2 * number + 1),
        )(channels)
    return keras.Model(picture, channels)


def _mean_cross_entropy(target: Any, outputs: Any) -> Any:
    """Average over all networks, which have the same target. A network's gradient does not depend on the others."""
    return ops.mean(ops.binary_crossentropy(ops.broadcast_to(target, ops.shape(outputs)), outputs))


def extract(starts: keras.Model, index: int) -> keras.Sequential:
    """Return one of the parallel networks as a network of its own."""
    network = five_layer_convolutional()
    network.set_weights([_slice(weights, index) for weights in starts.get_weights()])
    return network


def _slice(weights: NDArray[Any], index: int) -> NDArray[Any]:
    if weights.ndim == 4:  # a depthwise kernel, (3, 3, count, 1)
        return weights[:, :, index : index + 1]
    return weights[index : index + 1]  # a bias, (count,)
