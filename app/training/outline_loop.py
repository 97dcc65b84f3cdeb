"""The training loop of the five-layer convolutional network: many random starts in parallel, the best is kept."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from app.training.architectures import ANY_SHAPE, five_layer_convolutional
from app.training.loop import Trained, verbosity
from app.training.mnist import Digits
from app.training.outlines import draw_patches, outline

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
