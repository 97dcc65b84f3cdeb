"""Channels in another order, as preprocess_input turns red, green, blue into blue, green, red."""

from typing import Any

import keras
import numpy as np


def fixed_order(order: tuple[int, ...], channels: int) -> dict[str, Any]:
    """The settings of a Conv2D that gives its input's channels in this order, and keeps its weights.

    channels: of its input.
    """
    kernel = np.eye(channels, dtype=np.float32)[:, list(order)]
    return {
        "filters": len(order),
        "kernel_size": (1, 1),
        "use_bias": False,
        "kernel_initializer": keras.initializers.Constant(kernel.reshape(1, 1, channels, len(order))),
        "trainable": False,
    }
