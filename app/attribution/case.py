"""A question about one answer, and what the methods ask the network: its number for other images, its gradients."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cnn.cost import RunLimits, TooCostly, add_backward
from ..cnn.ledger import Ledger, draw_up
from ..cnn.logits import find_logits
from ..cnn.network import ForwardPass, Network
from ..cnn.types import Array
from ..explore.large_layers import reading
from .deadline import NEVER, Deadline
from .question import Question

MOST_PASSES = 2**13
MOST_STEPS = 512  # of integrated gradients
MOST_SIDE = 2**12  # of a patch, and of a stride
_PATCHES = 7  # side by side, for want of a size
Values = NDArray[np.floating[Any]]


class InvalidSetting(ValueError):
    """A method cannot be used on this layer, or with these settings."""


@dataclass(frozen=True)
class Settings:
    """What the methods are told beside the question."""

    layer: str | None = None  # whose cells are judged; None is the image
    baseline: Array | None = None  # (height, width, channels): the image that stands for nothing
    steps: int = 32  # of integrated gradients, from the baseline to the image
    patch: tuple[int, int] | None = None  # rows and columns that are covered at once; None: a seventh of the image
    stride: int | None = None  # rows, and columns, from one patch to the next; None: half of the patch


def read_patch(rows: int | None, columns: int | None) -> tuple[int, int] | None:
    """Return a patch whose rows are its columns where one of them is not given; None for one of neither."""
    rows, columns = rows or columns, columns or rows
    return (rows, columns) if rows and columns else None


@dataclass(frozen=True)
class Case:
    """A question about a forward pass, and the settings of the method that is to answer it."""

    network: Network
    forward: ForwardPass
    question: Question
    settings: Settings
    deadline: Deadline = NEVER

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

    @property
    def patch(self) -> tuple[int, int]:
        """Rows and columns that are covered at once."""
        height, width = self.forward.image.shape[:2]
        return self.settings.patch or (max(1, height // _PATCHES), max(1, width // _PATCHES))

    @property
    def strides(self) -> tuple[int, int]:
        """Rows, and columns, from one patch to the next."""
        rows, columns = self.patch
        stride = self.settings.stride
        return (stride, stride) if stride else (max(1, rows // 2), max(1, columns // 2))

    def run(self, image: Array) -> ForwardPass:
        """Run the network on another image, with all other inputs as they are. Raises: RunFailed, RanOutOfTime."""
        self.deadline.check()
        held = {each.name: self.forward.activations[each.name] for each in self.network.held_inputs}
        return self.network.run(image, self.forward.pooling, held)

    def number(self, forward: ForwardPass) -> float:
        """Return the number that is explained, as it is in a forward pass."""
        logits = find_logits(self.network, forward).values
        return float((self.question.seeds(logits.size) @ logits)[0])

    def gradients(self, forward: ForwardPass) -> Values:
        """Return the gradients of the number for each of the layer's cells: (*shape).

        Raises: NoGradient, RanOutOfTime.
        """
        entry = self._draw_up(forward).entry(self.layer)
        if entry.gradients is None:  # the number does not depend on it
            return np.zeros_like(self.values_of(forward))
        gradients: Values = entry.gradients[0]
        return gradients

    def require_gradient(self) -> None:
        """Check that a gradient gets to the layer. Raises: NoGradient, which names the nearest one that it gets to."""
        self._draw_up(self.forward).entry(self.layer)

    def require_affordable(self, forwards: int, backwards: int, limits: RunLimits) -> None:
        """Check that so many passes may be made. Raises: InvalidSetting, TooCostly where even one takes too much."""
        image = self.forward.image.shape
        forward = self.network.cost(image, self.forward.pooling)
        both = add_backward(forward, 1)
        if not limits.allow(both):
            advice = "To explain its answer takes more than to give it: ask about a smaller model"
            raise TooCostly(self.network.name, image, both, limits, advice)
        seconds = forwards * forward.seconds + backwards * (both.seconds - forward.seconds)
        if forwards > MOST_PASSES or seconds > limits.seconds:
            raise InvalidSetting(
                f"This takes {forwards:,} passes through “{self.network.name}”, about {seconds:,.0f} seconds. "
                f"{MOST_PASSES:,} passes and {limits.seconds:g} seconds are the most: ask for fewer steps or a longer "
                "stride, or leave the randomisation check out."
            )

    def _draw_up(self, forward: ForwardPass) -> Ledger:
        size = sum(each.size for each in forward.activations.values())
        with reading(size, forward), np.errstate(all="ignore"):
            logits = find_logits(self.network, forward)
            seeds = self.question.seeds(logits.values.size)
            return draw_up(self.network, logits, seeds, lambda name: name == self.layer, self.deadline.check)
