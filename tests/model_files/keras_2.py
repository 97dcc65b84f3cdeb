"""Keras 2 as tf_keras, whose files are those of TensorFlow 2.0 to 2.15, and what writes the same models with both."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras

KERAS = [pytest.param(keras, id="Keras 3"), pytest.param(tf_keras, id="Keras 2")]
ENDINGS = [".h5", ".keras"]
Build = Callable[[ModuleType], Any]  # a model of the Keras that is given

both = pytest.mark.parametrize("written_by", KERAS)


def with_random_weights(model: Any, seed: int = 0) -> Any:
    """Weights that keep the size of what a layer reads, and statistics as of data."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        name, shape = weight.name.split("/")[-1], tuple(weight.shape)
        if "float" not in str(weight.dtype):  # a Normalization counts what it was adapted to
            continue
        # Of a depthwise kernel, (rows, columns, channels, multiplier), each channel is read by itself.
        reads = shape[:2] if "depthwise" in name or (len(shape) == 4 and shape[3] == 1) else shape[:-1]
        value = rng.normal(0, 1 / np.sqrt(np.prod(reads)) if len(shape) > 1 else 0.1, shape)
        if "variance" in name:
            value = np.abs(value) + 0.8
        weight.assign((value + ("gamma" in name)).astype(np.float32))
    for layer in model._flatten_layers():
        if hasattr(layer, "finalize_state"):  # a Normalization, which keeps constants beside its weights
            layer.finalize_state()
    return model
