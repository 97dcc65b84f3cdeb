"""Channels in another order, as preprocess_input turns red, green, blue into blue, green, red."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def fixed_order(order: tuple[int, ...], channels: int) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """The settings and the kernel of a Conv2D that gives its input's channels in this order.

    channels: of its input.
    """
    kernel = np.eye(channels, dtype=np.float32)[:, list(order)]
    settings = {"filters": len(order), "kernel_size": (1, 1), "use_bias": False}
    return settings, kernel.reshape(1, 1, channels, len(order))
