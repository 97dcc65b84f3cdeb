"""The logits of a network: what goes into the softmax or the logistic function that its answer is made by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kinds import Layer
from .network import ForwardPass, Network

_FUNCTIONS = {"softmax", "sigmoid"}


@dataclass(frozen=True)
class Logits:
    """Where a network's logits are, and what they are for one image."""

    layers: tuple[Layer, ...]  # up to the one whose output they are, in the pass's pooling mode, without its function
    values: NDArray[np.float64]  # (outputs,), in float64
    activations: Mapping[str | None, NDArray[Any]]  # what each layer made, by name; None is the image

    @property
    def layer(self) -> Layer:
        """The one whose output they are."""
        return self.layers[-1]


def find_logits(network: Network, forward: ForwardPass) -> Logits:
    """Return the logits of a forward pass; the answer itself, where neither softmax nor a logistic function made it.

    Where the last layer applies its function itself, they are worked out from what it read.
    """
    layers = [layer.with_pooling(forward.pooling) for layer in network.layers]
    made: dict[str | None, NDArray[Any]] = {None: forward.image}
    made.update(forward.activations)
    at = _find_function(layers)
    if at is not None:
        last = layers[at]
        layers = layers[:at] if last.is_function else [*layers[:at], last.before_activation()]
        if not last.is_function:
            made[last.name] = last.pre_activation(network.weights(last), network.inputs(last, forward))
    values = np.asarray(made[layers[-1].name], np.float64).ravel()
    return Logits(tuple(layers), values, made)


def _find_function(layers: list[Layer]) -> int | None:
    """Return the number of the last layer that applies softmax or a logistic function; None where others follow it.

    What only passes its numbers on, in whatever shape, may follow.
    """
    for at, layer in reversed(list(enumerate(layers))):
        before = layers[at - 1].name if at else None
        if layer.last_function in _FUNCTIONS:
            is_known = layer.sources == (before,) if layer.is_function else layer.before_activation() is not layer
            return at if is_known else None
        if not layer.keeps_order or layer.sources != (before,):
            return None
    return None
