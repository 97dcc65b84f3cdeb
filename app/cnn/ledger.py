"""The exact ledger of a number: what each layer's values, and the biases after it, contribute to a logit.

At any layer, the number is the sum of gradient × value over all cells of the layer, of the same for whatever goes round
it on other ways, and of what the layers after it add by themselves (Srinivas and Fleuret, "Full-Gradient Representation
for Neural Network Visualization", NeurIPS 2019).

A network that runs in float32 rounds each value that it makes. What that adds, gradient × (value - what the layer's
arithmetic gives exactly), is a term as well, so that the parts sum to the number that the network computed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import NoGradient
from .gradients import Gradients, Terms, dot
from .kinds import Layer
from .kinds.held_cells import let_go_of
from .logits import Logits
from .network import Network

Keeps = Callable[[str | None], bool]  # whether a layer's gradients are kept; None is the image
Check = Callable[[], None]  # may raise, to end a long way back


@dataclass(frozen=True)
class Entry:
    """What makes up several numbers at one layer. Each array has an axis of the numbers in front."""

    gradients: Gradients | None  # of the layer's output: (several, *shape); None where they are not kept
    total: Terms  # (several,): gradient × value, of all of its cells
    beside: Terms  # (several,): gradient × value of what goes round the layer on other ways
    bias_after: Terms  # (several,): of the biases of all layers after it
    left_over_after: Terms  # (several,): of whatever is not linear in the layers after it
    rounding_after: Terms  # (several,): of what float32 rounded in the layers after it, and in the gradients
    bias: Terms | None = None  # (several, biases): of its own biases, which count at the layers before it
    left_over: Terms | None = None  # (several,): of its own arithmetic that is not linear; counts likewise

    @property
    def sum(self) -> Terms:
        """All of it, which is the number that is explained: (several,)."""
        return self.total + self.beside + self.bias_after + self.left_over_after + self.rounding_after


@dataclass(frozen=True)
class Ledger:
    """What makes up several numbers, layer by layer back to the image."""

    numbers: Terms  # (several,): those that are explained
    entries: Mapping[str | None, Entry]  # by layer, the last one first; None is the image
    activations: Mapping[str | None, NDArray[Any]]
    stopped: NoGradient | None = None  # why there are no entries of layers further back

    def entry(self, layer: str | None) -> Entry:
        """Return a layer's entry; None is the image. Raises: NoGradient, where no gradient gets there."""
        if layer not in self.entries and self.stopped is not None:
            raise self.stopped
        return self.entries[layer]

    def contributions(self, layer: str | None) -> Gradients:
        """Return gradient × value of each cell of a layer whose gradients were kept: (several, *shape)."""
        gradients = self.entry(layer).gradients
        if gradients is None:
            raise KeyError(layer)
        return gradients * self.activations[layer]


def draw_up(
    network: Network,
    logits: Logits,
    seeds: NDArray[np.floating],
    keeps: Keeps = lambda layer: True,
    check: Check = lambda: None,
) -> Ledger:
    """Return the ledger of several numbers, each a weighted sum of logits.

    seeds: (several, outputs), the weights of each: 1 for a logit, 1 and -1 for the difference of two. Their type is
    that of all gradients. keeps: whether a layer's gradients are kept; without them, only sums are. check: called
    before each layer.
    """
    return _Pass(network, logits, seeds).run(keeps, check)


class _Pass:
    """One way back through a network."""

    def __init__(self, network: Network, logits: Logits, seeds: NDArray[np.floating]) -> None:
        self._network, self._logits, self._made = network, logits, logits.activations
        self._none = np.zeros(len(seeds))
        self._gradients: dict[str | None, Gradients] = {
            logits.layer.name: seeds.reshape(-1, *self._made[logits.layer.name].shape)
        }
        # Gradient × value of what the layers that were passed have read, and of nothing else.
        self._open: dict[str | None, Terms] = {logits.layer.name: seeds @ logits.values}
        self._bias, self._left_over, self._rounding = self._none, self._none, self._none

    def run(self, keeps: Keeps, check: Check) -> Ledger:
        """Go back from the logits to the image, or to where no gradient goes on."""
        numbers = self._open[self._logits.layer.name]
        entries: dict[str | None, Entry] = {}
        for layer in reversed(self._logits.layers):
            check()
            before = self._enter(layer.name, keeps)
            try:
                bias, left_over = self._pass(layer)
            except NoGradient as stopped:
                reached = stopped.with_nearest(layer.name)
                return Ledger(numbers, {**entries, layer.name: before}, self._made, reached)
            entries[layer.name] = replace(before, bias=bias, left_over=left_over)
        return Ledger(numbers, {**entries, None: self._enter(None, keeps)}, self._made)

    def _enter(self, name: str | None, keeps: Keeps) -> Entry:
        """Return what makes up the numbers at a layer that all layers after it have been passed to."""
        total = self._open.get(name, self._none)
        beside = sum((terms for each, terms in self._open.items() if each != name), self._none)
        gradients = self._gradients.get(name) if keeps(name) else None
        return Entry(gradients, total, beside, self._bias, self._left_over, self._rounding)

    def _pass(self, layer: Layer) -> tuple[Terms | None, Terms | None]:
        """Pass one layer, and return its own terms."""
        if layer.is_held or layer.name not in self._gradients:
            return None, None  # it reads nothing, or the numbers do not depend on it
        inputs = [self._made[source] for source in layer.sources]
        weights = self._network.weights(layer)
        gradients, rounding = self._gradients[layer.name], self._open[layer.name]
        # Constants, as biases are. The answer's are set behind its logits, which do not have them.
        cells = [cell for cell in layer.held_cells if self._made[layer.name][cell.place] == cell.value]
        if cells:
            gradients, held = let_go_of(cells, gradients)
            self._bias, rounding = self._bias + held, rounding - held
        passed = layer.backward(weights, inputs, self._made[layer.name], gradients)
        del self._gradients[layer.name], self._open[layer.name]
        for source, values, gradient in zip(layer.sources, inputs, passed.inputs, strict=True):
            share = dot(gradient, values)
            self._open[source] = self._open.get(source, 0.0) + share
            self._gradients[source] = self._gradients[source] + gradient if source in self._gradients else gradient
            rounding = rounding - share
        if passed.bias is not None:
            bias = passed.bias.sum(axis=1)
            self._bias, rounding = self._bias + bias, rounding - bias
        if passed.left_over is not None:
            self._left_over, rounding = self._left_over + passed.left_over, rounding - passed.left_over
        self._rounding = self._rounding + rounding
        return passed.bias, passed.left_over
