"""Activation functions by Keras' names, in plain NumPy.

Sources: Keras' documentation of keras.activations; swish is silu (Ramachandran, Zoph and Le, 2017).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def activate(name: str, values: Values) -> Values:
    """The activation function of this name over values of any shape. Raises: KeyError for one that is not known."""
    return _ACTIVATIONS[name](values)


def softmax(logits: Values) -> Values:
    """exp(logit) of each unit over the sum of all, (units,). The largest logit is taken off first: exp stays finite."""
    shifted = np.exp(logits - logits.max())
    return np.asarray(shifted / shifted.sum())


_ACTIVATIONS: dict[str, Callable[[Values], Values]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softplus": lambda x: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "softmax": softmax,
}
