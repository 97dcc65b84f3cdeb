"""A question about one answer, and what the methods ask the network: its number for other images, its gradients."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cnn.cost import RunLimits, TooCostly, add_backward
from ..cnn.errors import NoGradient
from ..cnn.ledger import Ledger, draw_up
from ..cnn.logits import find_logits
from ..cnn.network import ForwardPass, Network
from ..cnn.types import Array
from ..explore.large_layers import reading
from .question import Question

MOST_PASSES = 2**13
Values = NDArray[np.floating[Any]]


class InvalidSetting(ValueError):
    """A method cannot be used on this layer, or with these settings."""


@dataclass(frozen=True)
class Settings:
    """What the methods are told beside the question."""

    layer: str | None = None  # whose cells are judged; None is the image
    baseline: Array | None = None  # (height, width, channels): the image that stands for nothing
    steps: int = 32  # of integrated gradients, from the baseline to the image
    patch: tuple[int, int] = (4, 4)  # rows and columns that are covered at once
    stride: int = 1  # rows, and columns, from one patch to the next


@dataclass(frozen=True)
class Case:
    """A question about a forward pass, and the settings of the method that is to answer it."""

    network: Network
    forward: ForwardPass
    question: Question
    settings: Settings

    @property
    def layer(self) -> str | None:
        """The layer whose cells are judged; None is the image."""
        return self.settings.layer

    @property
    def values(self) -> Array:
        """What the layer made: (*shape)."""
        return self.values_of(self.forward)

    def values_of(self, forward: ForwardPass) -> Array:
        """Return what the layer made in another forward pass."""
        return forward.image if self.layer is None else forward.activations[self.layer]

    @property
    def baseline(self) -> Array:
        """The image that stands for nothing; zeros, where the settings name none."""
        given = self.settings.baseline
        return np.zeros_like(self.forward.image) if given is None else given

    def run(self, image: Array) -> ForwardPass:
        """Run the network on another image, with all other inputs as they are. Raises: RunFailed."""
        held = {each.name: self.forward.activations[each.name] for each in self.network.held_inputs}
        return self.network.run(image, self.forward.pooling, held)

    def number(self, forward: ForwardPass) -> float:
        """Return the number that is explained, as it is in a forward pass."""
        logits = find_logits(self.network, forward).values
        return float((self.question.seeds(logits.size) @ logits)[0])

    def gradients(self, forward: ForwardPass) -> Values:
        """Return the gradients of the number for each of the layer's cells: (*shape). Raises: NoGradient."""
        entry = self._draw_up(forward).entry(self.layer)
        if entry.gradients is None:  # the number does not depend on it
            return np.zeros_like(self.values_of(forward))
        gradients: Values = entry.gradients[0]
        return gradients

    def require_gradient(self) -> None:
        """Check that a gradient gets to the layer. Raises: NoGradient, which names the nearest one that it gets to."""
        ledger = self._draw_up(self.forward)
        if self.layer not in ledger.entries and ledger.stopped is not None:
            raise _name_nearest(ledger, ledger.stopped)

    def require_affordable(self, forwards: int, backwards: int, limits: RunLimits) -> None:
        """Check that so many passes may be made. Raises: TooCostly, InvalidSetting."""
        if forwards > MOST_PASSES:
            raise InvalidSetting(
                f"This takes {forwards:,} passes through the network, and {MOST_PASSES:,} are the most: ask for a "
                "longer stride, or leave the randomisation check out."
            )
        image = self.forward.image.shape
        forward = self.network.cost(image, self.forward.pooling)
        both = add_backward(forward, 1)
        back = both.operations - forward.operations
        cost = both._replace(operations=forwards * forward.operations + backwards * back)
        if not limits.allow(cost):
            advice = f"This method takes {forwards} passes through it: ask for fewer"
            raise TooCostly(self.network.name, image, cost, limits, advice)

    def _draw_up(self, forward: ForwardPass) -> Ledger:
        size = sum(each.size for each in forward.activations.values())
        with reading(size, forward), np.errstate(all="ignore"):
            logits = find_logits(self.network, forward)
            seeds = self.question.seeds(logits.values.size)
            return draw_up(self.network, logits, seeds, lambda name: name == self.layer)


def _name_nearest(ledger: Ledger, stopped: NoGradient) -> NoGradient:
    """Return the same error with the layer that is furthest back of those that a gradient gets to."""
    nearest = list(ledger.entries)[-1]
    return stopped.with_nearest(nearest) if nearest is not None else stopped
