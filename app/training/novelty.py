"""How a detector of novelty is fitted to a trained network: on digits, and on pictures that show none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from ..cnn.novelty import IMAGE, NoveltyDetector, choose_layers, read_features, to_kept_precision
from ..cnn.tensorflow import is_pooling, trained_pooling, with_pooling
from ..cnn.types import Array, PoolingMode
from .batches import to_input
from .data import TrainingData
from .outliers import draw_outliers

HIDDEN = 32
MOST_PICTURES = 60_000  # digits, and as many that are none
KNOWN = 0.97  # share of the validation digits of each source that must keep below the limit
EPOCHS = 10
_BATCH, _CHUNK = 256, 1000
_LEARNING_RATE, _WEIGHT_DECAY = 0.002, 0.001
_FIRST, _SECOND = 0.9, 0.999  # Adam's decay rates


class Pictures(NamedTuple):
    """What a detector learns from, (n, 28, 28) each, from 0 (paper) to 255."""

    digits: NDArray[np.uint8]
    outliers: NDArray[np.uint8]


def choose_pictures(data: TrainingData, seed: int) -> Pictures:
    """Choose digits of the training set at random, and draw as many pictures that show none."""
    count = min(MOST_PICTURES, len(data.train))
    chosen = np.random.default_rng(seed).permutation(len(data.train))[:count]
    return Pictures(data.train.images[chosen], draw_outliers(data.train, data.pen_digits, count, seed))


def fit_detector(network: keras.Model, data: TrainingData, pictures: Pictures, seed: int) -> NoveltyDetector:
    """Fit a detector to a network, and set its limits on the validation digits, in each pooling mode."""
    rng = np.random.default_rng(seed)
    layers = choose_layers(_describe(network))
    known, novel = (_read_all(network, layers, images) for images in pictures)
    head = fit_head(known, novel, rng)
    detector = NoveltyDetector(tuple(layers), head.kernel, head.bias, head.weights, {})
    return replace(detector, limits=_find_limits(detector, network, data))


def _describe(network: keras.Model) -> list[tuple[str, tuple[int, ...], bool]]:
    return [(layer.name, tuple(layer.output.shape[1:]), is_pooling(layer)) for layer in network.layers]


def _read_all(network: keras.Model, layers: list[str], images: NDArray[np.uint8]) -> Array:
    """Return what a detector reads of these layers for each image, (n, 28, 28): (n, features)."""
    named = [name for name in layers if name != IMAGE]
    reading = keras.Model(network.inputs[0], [network.get_layer(name).output for name in named])
    return np.concatenate(list(_read_chunks(reading, layers, images)))


def _read_chunks(reading: keras.Model, layers: list[str], images: NDArray[np.uint8]) -> Iterator[Array]:
    for start in range(0, len(images), _CHUNK):
        inputs = to_input(images[start : start + _CHUNK])
        made = iter([np.asarray(each) for each in reading(inputs, training=False)])
        yield np.concatenate([read_features(inputs if n == IMAGE else next(made), n) for n in layers], axis=1)


def _find_limits(
    detector: NoveltyDetector, network: keras.Model, data: TrainingData
) -> dict[PoolingMode | None, float]:
    """Return the score that enough digits of every source keep below, in each mode in which the network runs."""
    own = trained_pooling(network)
    modes: list[PoolingMode | None] = [None] if own is None else list(PoolingMode)
    limits = {}
    for mode in modes:
        running = network if mode in (None, own) else with_pooling(network, mode)
        scores = [
            detector.score_features(_read_all(running, list(detector.layers), digits.images))
            for digits in data.validation_sources
        ]
        limits[mode] = max(float(np.quantile(each, KNOWN)) for each in scores)
    return limits


@dataclass(frozen=True)
class Head:
    """One hidden layer of ReLU units and a score."""

    kernel: Array  # (features, hidden)
    bias: Array  # (hidden,)
    weights: Array  # (hidden,)


def fit_head(known: Array, novel: Array, rng: np.random.Generator, epochs: int = EPOCHS) -> Head:
    """Fit a head whose score is high for what is novel, by logistic regression with Adam on standardised features.

    known, novel: (n, features). The kernel comes in the precision in which it is kept.
    """
    features = np.concatenate([known, novel])
    targets = np.concatenate([np.zeros(len(known), np.float32), np.ones(len(novel), np.float32)])
    mean, spread = features.mean(axis=0), features.std(axis=0)
    scale = spread + 0.05 * spread.mean() + 1e-6  # what hardly ever differs must not count for much
    features = (features - mean) / scale
    weights = _fit(features, targets, rng, epochs)
    kernel = to_kept_precision(weights[0] / scale[:, None])
    return Head(kernel, weights[1] - mean @ kernel, weights[2])


def _fit(features: Array, targets: Array, rng: np.random.Generator, epochs: int) -> list[Array]:
    """Return the kernel, bias and weights of the score; its own bias is left to the limits."""
    kernel = rng.normal(0, np.sqrt(2 / features.shape[1]), (features.shape[1], HIDDEN))
    score = rng.normal(0, np.sqrt(1 / HIDDEN), HIDDEN)
    weights = [np.asarray(each, np.float32) for each in (kernel, np.zeros(HIDDEN), score, np.zeros(1))]
    first, second = ([np.zeros_like(each) for each in weights] for _ in range(2))
    batches = list(_batches(len(features), rng, epochs))
    for number, chosen in enumerate(batches, start=1):
        rate = _LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * number / len(batches)))
        gradients = _differentiate(weights, features[chosen], targets[chosen])
        for each, gradient in enumerate(gradients):
            first[each] = _FIRST * first[each] + (1 - _FIRST) * gradient
            second[each] = _SECOND * second[each] + (1 - _SECOND) * gradient**2
            step = first[each] / (1 - _FIRST**number) / (np.sqrt(second[each] / (1 - _SECOND**number)) + 1e-8)
            decay = _WEIGHT_DECAY * weights[each] if each in (0, 2) else 0
            weights[each] = np.asarray(weights[each] - rate * (step + decay), np.float32)
    return weights[:3]


def _batches(count: int, rng: np.random.Generator, epochs: int) -> Iterable[NDArray[np.intp]]:
    size = min(_BATCH, count)
    for _ in range(epochs):
        order = rng.permutation(count)
        yield from (order[start : start + size] for start in range(0, count - size + 1, size))


def _differentiate(weights: list[Array], features: Array, targets: Array) -> list[Array]:
    """Return the gradients of the mean cross-entropy."""
    kernel, bias, score, offset = weights
    hidden = np.maximum(features @ kernel + bias, 0)
    wrong = (1 / (1 + np.exp(-np.clip(hidden @ score + offset, -30, 30))) - targets) / len(targets)
    back = np.outer(wrong, score) * (hidden > 0)
    return [features.T @ back, back.sum(axis=0), hidden.T @ wrong, wrong.sum(keepdims=True)]
